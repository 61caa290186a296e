//! This tool in another repository: its Cargo.toml, Cargo configuration, lock file and templates,
//! made from the existing ones.
//!
//! Takes texts and returns texts. Existing configuration stays as it is.

use formats::name::normalize;
use formats::splice::Splice;

use crate::finding::{Finding, Rule};
use crate::manifest::version_source::DeclaredVersion;
use crate::text::insert::{self, same};
use crate::text::toml::TomlFile;
use crate::workspace::{Distribution, Workspace};

/// The directory of the crate in every repository.
pub const CRATE: &str = "xtask";

/// The settings of the new configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// `None` leaves it to the search.
    pub packages: Option<Vec<String>>,
    /// The branch that is checked out, where it is not a default one.
    pub branch: Option<String>,
    /// The only remote, where it is not called `origin`.
    pub remote: Option<String>,
    /// Folders of crates that belong to no workspace yet and must stay so.
    pub crates: Vec<String>,
}

impl Settings {
    /// The table `[workspace.metadata.xtask]` without its header.
    fn lines(&self) -> String {
        let mut lines = String::new();
        if let Some(packages) = &self.packages {
            lines += &format!("packages = {}\n", array(packages));
        }
        if let Some(branch) = &self.branch {
            lines += &format!("branches = {}\n", array(&[branch.clone(), "release/*".to_owned()]));
        }
        if let Some(remote) = &self.remote {
            lines += &format!("remote = {}\n", insert::string(remote));
        }
        lines
    }
}

fn array(items: &[String]) -> String {
    let items: Vec<String> = items.iter().map(|item| insert::string(item)).collect();
    format!("[{}]", items.join(", "))
}

const METADATA: [&str; 3] = ["workspace", "metadata", "xtask"];

/// The text of a Cargo.toml for a repository that has none.
pub fn new_cargo_toml(settings: &Settings) -> String {
    let exclude = match settings.crates.as_slice() {
        [] => String::new(),
        crates => format!("exclude = {}\n", array(crates)),
    };
    format!(
        "[workspace]\nresolver = \"3\"\nmembers = [\"{CRATE}\"]\n{exclude}\n\
         # The one repository-wide configuration of `cargo xtask`.\n\
         [workspace.metadata.xtask]\n{}\n\
         # No debug information: it halves target/ and shortens the first build.\n\
         [profile.dev]\ndebug = false\n",
        settings.lines()
    )
}

/// The additions to an existing Cargo.toml; none where the tool is in it already.
///
/// # Errors
/// `workspace` is written in a form that no line can be added to.
pub fn cargo_toml(file: &TomlFile, settings: &Settings) -> Result<Vec<Splice>, Finding> {
    let mut splices = Vec::new();
    let mut tables = String::new();
    match file.get("workspace") {
        None => {
            tables += &format!("members = [\"{CRATE}\"]\n");
            if !settings.crates.is_empty() {
                tables += &format!("exclude = {}\n", array(&settings.crates));
            }
            splices.push(insert::table(file, &["workspace".to_owned()], &tables));
        }
        Some(workspace) => splices.extend(member(file, workspace)?),
    }
    if file.get(&METADATA.join(".")).is_none() {
        let path = METADATA.map(str::to_owned);
        splices.push(insert::table(file, &path, &settings.lines()));
    }
    Ok(splices)
}

/// The crate as a member of the workspace, where no pattern covers it yet.
fn member(file: &TomlFile, workspace: &toml_edit::Item) -> Result<Vec<Splice>, Finding> {
    let refuse = || takes_no_line(file, "workspace", &format!("\"{CRATE}\" to its members"));
    let Some(members) = workspace.get("members").and_then(toml_edit::Item::as_array) else {
        let line = insert::key(file, workspace, None, "members", &format!("[\"{CRATE}\"]"));
        return line.map(|line| vec![line]).ok_or_else(refuse);
    };
    if members.iter().any(|value| value.as_str().is_some_and(covers_crate)) {
        return Ok(Vec::new());
    }
    insert::items(file, members, None, &[insert::string(CRATE)]).ok_or_else(refuse)
}

fn covers_crate(pattern: &str) -> bool {
    let pattern = pattern.trim_start_matches("./").trim_end_matches('/');
    glob::Pattern::new(pattern).is_ok_and(|glob| glob.matches(CRATE))
}

const ALIAS: &str = "\"run --quiet --locked --package xtask --\"";

/// The text of a `.cargo/config.toml` for a repository that has none.
pub fn new_cargo_config() -> String {
    format!("[alias]\nxtask = {ALIAS}\n")
}

/// The alias for an existing configuration; `None` where it has one of that name.
///
/// # Errors
/// `alias` is written in a form that no line can be added to.
pub fn cargo_config(file: &TomlFile) -> Result<Option<Splice>, Finding> {
    if file.get("alias.xtask").is_some() {
        return Ok(None);
    }
    match file.get("alias") {
        None => {
            let line = format!("xtask = {ALIAS}\n");
            Ok(Some(insert::table(file, &["alias".to_owned()], &line)))
        }
        Some(table) => {
            let line = insert::key(file, table, None, "xtask", ALIAS);
            line.map(Some)
                .ok_or_else(|| takes_no_line(file, "alias", &format!("`xtask = {ALIAS}`")))
        }
    }
}

fn takes_no_line(file: &TomlFile, table: &str, line: &str) -> Finding {
    let message = format!("`{table}` is written in a form that no line can be added to");
    Finding::error(Rule::Embed, message)
        .at(&file.path, 1)
        .hint(format!("add {line} by hand, then run this again"))
}

/// A Cargo.lock with the packages of both, so that Cargo finds every version it needs there and
/// looks for no newer one. Cargo itself drops what is not needed and puts the rest in order.
pub fn merged_lock(theirs: &str, ours: &str) -> String {
    let key = |package: &str| {
        let value = |name: &str| {
            package
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(" = ").map(str::to_owned))
        };
        (value("name"), value("version"))
    };
    let packages = |text: &str| -> Vec<String> {
        let text = text.replace("\r\n", "\n");
        let parts = text.split("[[package]]\n").skip(1);
        parts.map(|part| part.trim_end().to_owned()).collect()
    };
    let own = packages(theirs);
    let mut merged = theirs.replace("\r\n", "\n").trim_end().to_owned() + "\n";
    for package in packages(ours) {
        if !own.iter().any(|other| key(other) == key(&package)) {
            merged += &format!("\n[[package]]\n{package}\n");
        }
    }
    merged
}

/// The patterns for `packages`: `PARENT/*` where everything below PARENT that looks like a
/// distribution is one, else the directory itself. `beside` gives the directories of all
/// pyproject.toml directly below a folder's folders.
///
/// `None` where a distribution has no pyproject.toml: only the search finds that.
pub fn patterns(
    workspace: &Workspace,
    beside: &dyn Fn(&str) -> Vec<String>,
) -> Option<Vec<String>> {
    let real: Vec<&Distribution> =
        workspace.distributions.iter().filter(|d| d.manifest.excluded.is_none()).collect();
    let mut patterns = Vec::new();
    for distribution in &real {
        if !distribution.manifest.path.ends_with("pyproject.toml") {
            return None;
        }
        let dir = distribution.dir.as_str();
        let parent = dir.rsplit_once('/').map(|(parent, _)| parent).filter(|parent| {
            beside(parent).iter().all(|found| real.iter().any(|real| real.dir == *found))
        });
        patterns.push(match (parent, dir) {
            (Some(parent), _) => format!("{parent}/*"),
            (None, "") => ".".to_owned(),
            (None, dir) => dir.to_owned(),
        });
    }
    patterns.sort();
    patterns.dedup();
    Some(patterns)
}

/// Fields that distributions often share. Not the build system: the templates have their own,
/// and its settings mean nothing to another one.
const SHARED: [&str; 3] = ["project.requires-python", "project.license", "project.authors"];

/// A shared.toml with the fields that all distributions have in common.
pub fn shared_toml(manifests: &[TomlFile]) -> String {
    let mut text =
        "# Fields that all distributions share: `cargo xtask new` adds them to a new one,\n\
         # `cargo xtask sync` updates the others. See `cargo xtask sync --help`.\n"
            .to_owned();
    let mut heading = "\n[project]\n";
    for path in SHARED {
        if let Some(raw) = common(manifests, path) {
            let key = path.trim_start_matches("project.");
            text += &format!("{heading}{key} = {}\n", raw.replace("\r\n", "\n"));
            heading = "";
        }
    }
    text
}

/// The value of a field, as it is written, that all manifests have.
fn common<'a>(manifests: &'a [TomlFile], path: &str) -> Option<&'a str> {
    let (first, others) = manifests.split_first()?;
    let own = first.get(path)?;
    // A license file is a path into the distribution, which a new one does not have.
    let is_plain = own.is_value() && !own.is_inline_table();
    let is_common = others.iter().all(|other| other.get(path).is_some_and(|item| same(own, item)));
    (is_plain && is_common).then_some(&first.text()[own.span()?])
}

/// The manifests of excluded distributions with the reasons; the first few, and a count of the rest.
pub fn excluded(workspace: &Workspace) -> Vec<(String, String)> {
    const SHOWN: usize = 5;
    let excluded = workspace.distributions.iter().filter_map(|distribution| {
        let why = distribution.manifest.excluded.clone()?;
        Some((distribution.manifest.path.to_string(), why))
    });
    let mut excluded: Vec<(String, String)> = excluded.collect();
    if excluded.len() > SHOWN + 1 {
        let more = excluded.split_off(SHOWN).len();
        excluded.push((format!("{more} more"), "for similar reasons".to_owned()));
    }
    excluded
}

/// The limits of the tool in that repository, distribution by distribution.
pub fn limits(workspace: &Workspace) -> Vec<Finding> {
    let included = workspace
        .distributions
        .iter()
        .filter(|distribution| distribution.manifest.excluded.is_none());
    included.filter_map(limit).collect()
}

fn limit(distribution: &Distribution) -> Option<Finding> {
    match &distribution.manifest.version {
        DeclaredVersion::Literal { .. } | DeclaredVersion::FromTag { .. } => None,
        DeclaredVersion::Unknown { file, line, reason } => {
            let message = format!("the version of {} is not known: {reason}", distribution.name());
            let hint = "it can be released once its version is a literal";
            Some(Finding::warning(Rule::Version, message).at(file, *line).hint(hint))
        }
    }
}

/// Whether a Cargo.toml in the crate's folder is this very crate, in any version.
pub fn is_this_crate(theirs: &TomlFile, ours: &TomlFile) -> bool {
    let told =
        |file: &TomlFile, key: &str| file.get(key).and_then(toml_edit::Item::as_str).map(normalize);
    ["package.name", "package.description"].iter().all(|key| told(theirs, key) == told(ours, key))
}

#[cfg(test)]
mod tests {
    use formats::splice::apply;

    use super::*;

    fn parse(text: &str) -> TomlFile {
        TomlFile::parse("Cargo.toml", text.into()).unwrap()
    }

    fn settings() -> Settings {
        Settings { packages: Some(vec!["libs/*".into()]), ..Settings::default() }
    }

    #[track_caller]
    fn cargo(before: &str, after: &str) {
        let splices = cargo_toml(&parse(before), &settings()).unwrap();
        assert_eq!(apply(before, &splices), after);
        let again = cargo_toml(&parse(after), &Settings::default()).unwrap();
        assert!(again.is_empty(), "{again:?}");
    }

    #[test]
    fn a_workspace_is_added_to() {
        cargo(
            "[workspace]\nmembers = [\n    \"native\", # ours\n]\n",
            "[workspace]\nmembers = [\n    \"native\", # ours\n    \"xtask\",\n]\n\n\
             [workspace.metadata.xtask]\npackages = [\"libs/*\"]\n",
        );
        cargo(
            "[workspace]\nmembers = [\"./x*\"]\n[workspace.metadata.other]\na = 1\n",
            "[workspace]\nmembers = [\"./x*\"]\n[workspace.metadata.other]\na = 1\n\n\
             [workspace.metadata.xtask]\npackages = [\"libs/*\"]\n",
        );
        cargo(
            "[package]\nname = \"x\"\n",
            "[package]\nname = \"x\"\n\n[workspace]\nmembers = [\"xtask\"]\n\n\
             [workspace.metadata.xtask]\npackages = [\"libs/*\"]\n",
        );
        let odd = "workspace = { resolver = \"2\" }\n";
        assert!(cargo_toml(&parse(odd), &settings()).is_err());
    }

    #[test]
    fn a_new_cargo_toml_is_one() {
        let settings = Settings {
            packages: None,
            branch: Some("trunk".into()),
            remote: Some("up".into()),
            crates: vec!["native".into()],
        };
        let text = new_cargo_toml(&settings);
        let file = parse(&text);
        assert!(file.get("workspace.metadata.xtask.branches").is_some(), "{text}");
        assert!(file.get("workspace.exclude").is_some(), "{text}");
        assert!(cargo_toml(&file, &settings).unwrap().is_empty());
    }

    #[test]
    fn the_alias_is_added_once() {
        for (before, after) in [
            (
                "[alias]\nb = \"build\"\n",
                "[alias]\nb = \"build\"\nxtask = \"run --quiet --locked --package xtask --\"\n",
            ),
            (
                "[net]\nretry = 2\n",
                "[net]\nretry = 2\n\n[alias]\nxtask = \"run --quiet --locked --package xtask --\"\n",
            ),
        ] {
            let splice = cargo_config(&parse(before)).unwrap().unwrap();
            assert_eq!(apply(before, &[splice]), after);
            assert!(cargo_config(&parse(after)).unwrap().is_none());
        }
        assert!(cargo_config(&parse(&new_cargo_config())).unwrap().is_none());
    }

    #[test]
    fn locks_are_joined() {
        let ours = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1\"\n\n[[package]]\nname = \"b\"\nversion = \"2\"\n";
        let theirs = "version = 3\n\n[[package]]\nname = \"a\"\nversion = \"1\"\nsource = \"x\"\n";
        assert_eq!(
            merged_lock(theirs, ours),
            "version = 3\n\n[[package]]\nname = \"a\"\nversion = \"1\"\nsource = \"x\"\n\n\
             [[package]]\nname = \"b\"\nversion = \"2\"\n"
        );
    }

    #[test]
    fn what_all_have_is_shared() {
        let a = parse("[project]\nrequires-python = \">=3.9\"\nlicense = \"MIT\"\n");
        let b = parse("[project]\nlicense = 'MIT'\nrequires-python = \">=3.10\"\n");
        let text = shared_toml(&[a, b]);
        assert!(text.ends_with("\n[project]\nlicense = \"MIT\"\n"), "{text}");
        assert!(!shared_toml(&[parse("")]).contains("[project]"));
    }
}
