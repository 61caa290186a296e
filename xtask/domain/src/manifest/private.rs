//! Projects that say themselves that they are never released.

use toml_edit::Item;

use crate::source::Files;
use crate::text::toml::TomlFile;

/// Why a project is never released, whatever names it: it says so itself.
pub(crate) fn private(file: &TomlFile) -> Option<String> {
    let flag = |key: &str| file.get(key).and_then(Item::as_bool);
    let unbuilt = ["tool.uv.package", "tool.poetry.package-mode", "tool.pdm.distribution"];
    if let Some(key) = unbuilt.into_iter().find(|key| flag(key) == Some(false)) {
        return Some(format!("`{key} = false`"));
    }
    if flag("tool.xtask.private") == Some(true) {
        return Some("`tool.xtask.private = true`".to_owned());
    }
    let classifiers = ["project.classifiers", "tool.poetry.classifiers"]
        .into_iter()
        .find_map(|key| file.get(key));
    let classifiers = classifiers.and_then(Item::as_array).into_iter().flatten();
    let mut classifiers = classifiers.filter_map(|value| value.as_str());
    if let Some(found) = classifiers.find(|text| text.trim_start().starts_with("Private ::")) {
        return Some(format!("its classifier `{found}`"));
    }
    // uv and hatch do not build the root of a workspace that names no back end.
    let workspaces = ["tool.uv.workspace", "tool.hatch.workspace", "tool.rye.workspace"];
    let is_virtual = file.get("project").is_some()
        && file.get("build-system").is_none()
        && flag("tool.uv.package") != Some(true)
        && workspaces.into_iter().any(|key| file.get(key).is_some());
    is_virtual.then(|| "the root of a workspace without `[build-system]`".to_owned())
}

/// Why uv never builds a project: without a back end it locks it as one that only has requirements.
pub(crate) fn unbuilt(file: &TomlFile, dir: &str, files: Files<'_>) -> Option<String> {
    let lock = file.get("build-system").is_none().then(|| files.beside(dir, "uv.lock"))??;
    let is_virtual = lock.text.contains("\nsource = { virtual = \".\" }");
    is_virtual.then(|| "uv.lock has it as virtual, for want of `[build-system]`".to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::source::SourceFile;

    #[track_caller]
    fn never(text: &str, expected: Option<&str>) {
        let file = TomlFile::parse("pyproject.toml", text.into()).unwrap();
        assert_eq!(private(&file).as_deref(), expected);
    }

    #[test]
    fn what_is_never_released() {
        never("[tool.poetry]\npackage-mode = false\n", Some("`tool.poetry.package-mode = false`"));
        never("[tool.xtask]\nprivate = true\n", Some("`tool.xtask.private = true`"));
        never(
            "[project]\nclassifiers = ['A', 'Private :: Do Not Upload']\n",
            Some("its classifier `Private :: Do Not Upload`"),
        );
        let root = "[project]\nname = 'a'\n[tool.uv.workspace]\nmembers = []\n";
        never(root, Some("the root of a workspace without `[build-system]`"));
        never(&format!("{root}[tool.uv]\npackage = true\n"), None);
        never(&format!("{root}[build-system]\nrequires = []\n"), None);
        never("[project]\nname = 'a'\n", None);
    }

    #[test]
    fn what_uv_does_not_build() {
        let unbuilt = |text: &str, source: &str| {
            let lock = format!("[[package]]\nname = \"a\"\nsource = {{ {source} = \".\" }}\n");
            let read = |path: &str| {
                let path: Arc<str> = path.into();
                Some(SourceFile { path, text: lock.as_str().into() })
            };
            let file = TomlFile::parse("p/pyproject.toml", text.into()).unwrap();
            super::unbuilt(&file, "p", Files { read: &read, list: &|_| Vec::new() }).is_some()
        };
        assert!(unbuilt("[project]\nname = 'a'\n", "virtual"));
        assert!(!unbuilt("[project]\nname = 'a'\n", "editable"));
        assert!(!unbuilt("[project]\nname = 'a'\n[build-system]\n", "virtual"));
    }
}
