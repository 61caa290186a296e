//! Whether setuptools, which searches the root of a repository for packages, finds the folder of this
//! tool: then the build fails, or the wheel contains the tool.

use toml_edit::Item;

use crate::finding::{Finding, Rule};
use crate::release::content::modules::Modules;
use crate::source::Files;
use crate::text::toml::{TomlFile, start};

/// The configuration that setuptools needs once `crate_folder` is in the root; `None` where it needs
/// none.
pub fn swallows(crate_folder: &str, files: Files<'_>) -> Option<Finding> {
    let text = |path: &str| (files.read)(path).map(|source| source.text);
    let manifest = TomlFile::parse("pyproject.toml", text("pyproject.toml")?).ok()?;
    let paths = (files.list)("");
    let has_src = paths.iter().any(|path| path.starts_with("src/"));
    let setup: Vec<_> = ["setup.py", "setup.cfg"].into_iter().filter_map(text).collect();
    let setup = setup.concat();
    let left_alone = match manifest.get("tool.setuptools") {
        _ if !is_setuptools(&manifest) => true,
        Some(tool) if tool.get("py-modules").is_some() => true,
        Some(tool) => match tool.get("packages") {
            Some(packages) => !finds_everything(packages),
            None => has_src || setup.contains("packages"),
        },
        None => has_src || setup.contains("packages") || setup.contains("py_modules"),
    };
    if left_alone {
        return None;
    }
    let place = ["tool.setuptools", "build-system"].into_iter().find_map(|key| manifest.get(key));
    let message =
        format!("setuptools takes `{crate_folder}/` for a package, because it searches the root");
    let modules = Modules::of("", &paths);
    let own: Vec<String> = modules.outermost().iter().map(|name| top(name)).collect();
    Some(
        Finding::warning(Rule::Layout, message)
            .at(&manifest.path, place.map_or(1, |item| manifest.line(start(item))))
            .hint(format!(
                "set `include = [{}]` in [tool.setuptools.packages.find]",
                own.join(", ")
            )),
    )
}

fn is_setuptools(manifest: &TomlFile) -> bool {
    let back_end = manifest.get("build-system.build-backend").and_then(Item::as_str);
    back_end.is_none_or(|back_end| back_end.starts_with("setuptools"))
}

/// Whether `packages.find` is configured neither with a place nor with names. Without `namespaces`, a
/// folder without `__init__.py` is not one of its packages.
fn finds_everything(packages: &Item) -> bool {
    packages.get("find").is_some_and(|find| {
        ["where", "include", "exclude"].iter().all(|key| find.get(key).is_none())
            && find.get("namespaces").and_then(Item::as_bool) != Some(false)
    })
}

/// The pattern of a package and what is below it.
fn top(package: &str) -> String {
    format!("\"{}*\"", package.replace('/', "."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceFile;

    #[track_caller]
    fn check(texts: &[(&str, &str)], expected: Option<&str>) {
        let read = |path: &str| {
            let (path, text) = texts.iter().find(|(known, _)| *known == path)?;
            Some(SourceFile { path: (*path).into(), text: (*text).into() })
        };
        let list = |_: &str| texts.iter().map(|(path, _)| (*path).to_owned()).collect();
        let found = swallows("xtask", Files { read: &read, list: &list });
        assert_eq!(found.and_then(|found| found.hint).as_deref(), expected);
    }

    const FLAT: &str = "[project]\nname = \"a\"\n";
    const HINT: Option<&str> = Some("set `include = [\"a*\"]` in [tool.setuptools.packages.find]");

    #[test]
    fn a_root_that_setuptools_searches() {
        let module = ("a/__init__.py", "");
        check(&[("pyproject.toml", FLAT), module], HINT);
        let find = "[project]\nname = \"a\"\n[tool.setuptools.packages.find]\n";
        check(&[("pyproject.toml", find), module], HINT);
    }

    #[test]
    fn a_root_that_is_configured() {
        let module = ("a/__init__.py", "");
        for more in [
            "[tool.setuptools]\npackages = [\"a\"]\n",
            "[tool.setuptools]\npy-modules = [\"a\"]\n",
            "[tool.setuptools.packages.find]\ninclude = [\"a*\"]\n",
            "[tool.setuptools.packages.find]\nnamespaces = false\n",
            "[build-system]\nbuild-backend = \"hatchling.build\"\n",
        ] {
            check(&[("pyproject.toml", &format!("{FLAT}{more}")), module], None);
        }
        check(&[("pyproject.toml", FLAT), ("src/a/__init__.py", "")], None);
        let setup = ("setup.py", "setup(packages=find_packages())\n");
        check(&[("pyproject.toml", FLAT), setup, module], None);
        check(&[module], None);
    }
}
