//! The fields and files that all distributions share (`pyproject-templates/shared.toml` and
//! `pyproject-templates/shared/`), and where a distribution differs from them.
//!
//! Touches no other key than the shared ones. Must not know how a file is read or written.

use formats::splice::Splice;
use toml_edit::{Array, Item, Value};

use crate::config::Exemption;
use crate::finding::{Finding, Rule};
use crate::text::edit::Edit;
use crate::text::insert::{self, same};
use crate::text::toml::{TomlFile, start};

/// Where the shared fields stand, relative to the root.
pub const FILE: &str = "pyproject-templates/shared.toml";

/// The folder of files that every distribution has a copy of.
pub const FOLDER: &str = "pyproject-templates/shared";

/// Arrays of which a distribution has at least the shared items, in any order, and maybe more.
const AT_LEAST: [&str; 2] = ["classifiers", "keywords"];

/// What all distributions share.
pub struct SharedFields {
    fields: Vec<Field>,
    pub files: Vec<SharedFile>,
}

/// A file that every distribution has a copy of.
pub struct SharedFile {
    /// Relative to the distribution's directory.
    pub path: String,
    pub text: String,
}

/// One key of shared.toml.
struct Field {
    path: Vec<String>,
    item: Item,
    /// The value as it is written there.
    raw: String,
}

impl Field {
    fn dotted(&self) -> String {
        self.path.join(".")
    }

    fn table(&self) -> &[String] {
        &self.path[..self.path.len() - 1]
    }

    fn key(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }

    fn at_least(&self) -> Option<&Array> {
        let open = self.path.len() == 2 && self.path[0] == "project";
        self.item.as_array().filter(|_| open && AT_LEAST.contains(&self.key()))
    }
}

/// A distribution that is not as the others in one field.
#[derive(Debug)]
pub struct Difference {
    pub finding: Finding,
    /// What brings it in line; nothing where only a person can.
    pub edits: Vec<Edit>,
}

/// A file of a distribution that is missing or not the shared one.
#[derive(Debug)]
pub struct FileDifference {
    pub finding: Finding,
    /// Relative to the root.
    pub path: String,
    /// The text as it is; `None` where there is no such file.
    pub before: Option<String>,
    pub after: String,
}

impl SharedFields {
    /// Takes the parsed shared.toml, where there is one, and the shared files.
    ///
    /// # Errors
    /// A key that no distribution can share: its own name, version, or configuration of this tool.
    pub fn read(
        file: Option<&TomlFile>,
        files: Vec<SharedFile>,
    ) -> Result<SharedFields, Vec<Finding>> {
        let (mut fields, mut findings) = (Vec::new(), Vec::new());
        if let Some(file) = file {
            collect(file, &mut Vec::new(), file.root(), &mut fields, &mut findings);
        }
        if findings.is_empty() { Ok(SharedFields { fields, files }) } else { Err(findings) }
    }

    pub fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.files.is_empty()
    }

    /// Where `manifest` differs, in the order of shared.toml, `exempt` left out. `package` is the
    /// distribution's name.
    pub fn differences(
        &self,
        manifest: &TomlFile,
        exempt: &[Exemption],
        package: &str,
    ) -> Vec<Difference> {
        let mut differences = Vec::new();
        let mut missing: Vec<(&[String], Vec<&Field>)> = Vec::new();
        // The last shared field that is there: a missing one goes below it.
        let mut before: Option<&Field> = None;
        for field in &self.fields {
            let item = manifest.item(&field.path);
            if item.is_some() {
                before = Some(field);
            }
            if exempt.iter().any(|exemption| covers(&exemption.what, &field.dotted())) {
                continue;
            }
            let maker = Maker { manifest, field, package };
            if let Some(item) = item {
                differences.extend(maker.compared(item));
                continue;
            }
            match manifest.item(field.table()).filter(|table| takes_lines(table)) {
                Some(table) => {
                    let after = before.filter(|before| before.table() == field.table());
                    differences.push(maker.absent_key(table, after));
                }
                None => match missing.last_mut() {
                    Some((path, fields)) if *path == field.table() => fields.push(field),
                    _ => missing.push((field.table(), vec![field])),
                },
            }
        }
        differences.extend(missing.iter().map(|(path, fields)| {
            Maker { manifest, field: fields[0], package }.absent_table(path, fields)
        }));
        differences
    }

    /// Shared files that a distribution lacks or has otherwise. `read` gives the text of a file of
    /// the repository, `dir` is the distribution's directory.
    pub fn file_differences(
        &self,
        dir: &str,
        exempt: &[Exemption],
        read: &dyn Fn(&str) -> Option<String>,
    ) -> Vec<FileDifference> {
        let applies =
            |file: &&SharedFile| !exempt.iter().any(|exemption| exemption.what == file.path);
        let difference = |file: &SharedFile| {
            let path =
                if dir.is_empty() { file.path.clone() } else { format!("{dir}/{}", file.path) };
            let before = read(&path);
            // Line endings are git's business.
            let same =
                |text: &String| text.replace("\r\n", "\n") == file.text.replace("\r\n", "\n");
            if before.as_ref().is_some_and(same) {
                return None;
            }
            let what = if before.is_some() { "is not the same as" } else { "is missing; there is" };
            let message = format!("{} {what} {FOLDER}/{}", file.path, file.path);
            let finding =
                Finding::error(Rule::SharedFile, message).at(&path, 1).hint(hint(&file.path));
            Some(FileDifference { finding, path, before, after: file.text.clone() })
        };
        self.files.iter().filter(applies).filter_map(difference).collect()
    }

    /// A warning for every exemption that exempts from nothing: no such field is shared, or the
    /// distribution has the shared value all the same.
    pub fn idle_exemptions(
        &self,
        manifest: &TomlFile,
        exempt: &[Exemption],
        files: &[FileDifference],
    ) -> Vec<Finding> {
        let all = self.differences(manifest, &[], "");
        let used = |exemption: &&Exemption| {
            let by_field = all.iter().any(|difference| {
                let field = difference.finding.message.split('`').nth(1).unwrap_or_default();
                covers(&exemption.what, field) || covers(field, &exemption.what)
            });
            by_field || files.iter().any(|file| file.path.ends_with(&exemption.what))
        };
        exempt
            .iter()
            .filter(|exemption| !used(exemption))
            .map(|exemption| {
                let message = format!(
                    "`tool.xtask.differs`: `{}` differs from nothing shared",
                    exemption.what
                );
                Finding::warning(Rule::IdleExemption, message)
                    .at(&manifest.path, exemption.line)
                    .hint("take it away")
            })
            .collect()
    }
}

fn hint(what: &str) -> String {
    format!(
        "cargo xtask sync, or say why it differs: differs = {{ {} = \"…\" }} in [tool.xtask]",
        insert::string(what)
    )
}

/// Whether an exemption from `what` (a field or a table) holds for the field.
fn covers(what: &str, field: &str) -> bool {
    field.strip_prefix(what).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Whether a key can be added to this table as a line.
fn takes_lines(table: &Item) -> bool {
    table.as_table().is_none_or(|table| !table.is_implicit() || table.is_dotted())
}

fn collect(
    file: &TomlFile,
    path: &mut Vec<String>,
    item: &Item,
    fields: &mut Vec<Field>,
    findings: &mut Vec<Finding>,
) {
    let Some(table) = item.as_table() else {
        let wrong = match (item.as_value().and_then(Value::span), path.as_slice()) {
            (None, _) => Some("an array of tables is not something this tool brings in line"),
            (_, [_]) => Some("a shared field stands in a table"),
            (_, [project, key]) if project == "project" && OWN.contains(&key.as_str()) => {
                Some("every distribution has its own")
            }
            (_, [tool, own, ..]) if tool == "tool" && own == "xtask" => {
                Some("what a distribution tells this tool is its own")
            }
            (Some(span), _) => {
                let raw = file.text()[span].replace("\r\n", "\n");
                fields.push(Field { path: path.clone(), item: item.clone(), raw });
                None
            }
        };
        findings.extend(wrong.map(|why| {
            Finding::error(Rule::Shared, format!("`{}` cannot be shared: {why}", path.join(".")))
                .at(&file.path, file.line(start(item)))
        }));
        return;
    };
    for (key, item) in table {
        path.push(key.to_owned());
        collect(file, path, item, fields, findings);
        path.pop();
    }
}

const OWN: [&str; 4] = ["name", "version", "description", "dependencies"];

/// Makes the differences of one field in one manifest.
struct Maker<'a> {
    manifest: &'a TomlFile,
    field: &'a Field,
    package: &'a str,
}

impl Maker<'_> {
    fn compared(&self, item: &Item) -> Option<Difference> {
        if let (Some(wanted), Some(array)) = (self.field.at_least(), item.as_array()) {
            return self.lacking(wanted, array);
        }
        if same(&self.field.item, item) {
            return None;
        }
        let message = format!("`{}` is not {}", self.field.dotted(), shown(&self.field.raw));
        let newline = insert::newline(self.manifest.text());
        let text = self.field.raw.replace('\n', newline);
        let splices = item.as_value().and_then(Value::span).map(|span| vec![Splice { span, text }]);
        Some(self.difference(message, start(item), splices))
    }

    /// Items of an open array that are not there.
    fn lacking(&self, wanted: &Array, array: &Array) -> Option<Difference> {
        let position = |value: &Value| array.iter().position(|own| insert::same_values(own, value));
        // The missing items, below the shared one that they follow.
        let mut runs: Vec<(Option<usize>, Vec<String>)> = vec![(None, Vec::new())];
        for value in wanted {
            match position(value) {
                Some(at) => runs.push((Some(at), Vec::new())),
                None => {
                    let raw = insert::string(value.as_str().unwrap_or_default());
                    runs.last_mut().into_iter().for_each(|(_, values)| values.push(raw.clone()));
                }
            }
        }
        runs.retain(|(_, values)| !values.is_empty());
        let splices = runs
            .iter()
            .filter_map(|(after, values)| insert::items(self.manifest, array, *after, values))
            .flatten()
            .collect();
        let names: Vec<&str> =
            runs.iter().flat_map(|(_, values)| values.iter().map(String::as_str)).collect();
        let message = format!("`{}` lacks {}", self.field.dotted(), names.join(", "));
        let at = array.span().map_or(0, |span| span.start);
        (!names.is_empty()).then(|| self.difference(message, at, Some(splices)))
    }

    fn absent_key(&self, table: &Item, after: Option<&Field>) -> Difference {
        let after = after.map(Field::key);
        let key = insert::quoted(self.field.key());
        let splice = insert::key(self.manifest, table, after, &key, &self.field.raw);
        let at = start(table);
        self.difference(self.absent(), at, splice.map(|splice| vec![splice]))
    }

    fn absent_table(&self, path: &[String], fields: &[&Field]) -> Difference {
        let line = |field: &&Field| format!("{} = {}\n", insert::quoted(field.key()), field.raw);
        let lines: String = fields.iter().map(line).collect();
        let end = self.manifest.text().trim_end().len();
        let message = match fields {
            [_] => self.absent(),
            _ => format!("`{}` is missing", path.join(".")),
        };
        self.difference(message, end, Some(vec![insert::table(self.manifest, path, &lines)]))
    }

    fn absent(&self) -> String {
        let raw = shown(&self.field.raw);
        format!("`{}` is missing; the others have {raw}", self.field.dotted())
    }

    fn difference(&self, message: String, at: usize, splices: Option<Vec<Splice>>) -> Difference {
        let what = self.field.dotted();
        let hint = match splices {
            Some(_) => hint(&what),
            None => format!("write `{what}` by hand: this table is not one that takes a line"),
        };
        let line = self.manifest.line(at);
        let finding =
            Finding::error(Rule::SharedField, message).at(&self.manifest.path, line).hint(hint);
        let splices = splices.unwrap_or_default().into_iter();
        let edits = splices.map(|splice| Edit::of_field(self.manifest, splice, self.package));
        Difference { finding, edits: edits.collect() }
    }
}

/// A value on one line, for a message.
fn shown(raw: &str) -> String {
    let one_line = raw.split_whitespace().collect::<Vec<_>>().join(" ");
    if one_line.chars().count() <= 60 {
        return format!("`{one_line}`");
    }
    format!("`{}…`", one_line.chars().take(59).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::edit::splice;

    fn parse(path: &str, text: &str) -> TomlFile {
        TomlFile::parse(path, text.into()).unwrap()
    }

    fn shared(text: &str) -> SharedFields {
        SharedFields::read(Some(&parse(FILE, text)), Vec::new()).unwrap_or_else(|f| panic!("{f:?}"))
    }

    /// What is found, and the manifest after it; with every line ending.
    #[track_caller]
    fn check(shared_text: &str, before: &str, messages: &[&str], after: &str) {
        for newline in ["\n", "\r\n"] {
            let (before, after) = (before.replace('\n', newline), after.replace('\n', newline));
            let manifest = parse("p/pyproject.toml", &before);
            let found = shared(shared_text).differences(&manifest, &[], "p");
            let said: Vec<String> = found.iter().map(|d| d.finding.to_string()).collect();
            assert_eq!(said, messages);
            let edits: Vec<&Edit> = found.iter().flat_map(|d| &d.edits).collect();
            let write = splice("p/pyproject.toml", before.as_str(), &edits).unwrap();
            assert_eq!(write.after, after);
            let again = shared(shared_text).differences(&parse("p", &write.after), &[], "p");
            assert!(again.iter().all(|d| d.edits.is_empty()), "{again:?}");
        }
    }

    const PROJECT: &str = "[project]\nrequires-python = \">=3.10\"\nlicense = \"MIT\"\n";

    #[test]
    fn what_is_in_line_is_left_alone() {
        check(
            PROJECT,
            "[project]\nlicense='MIT' # why\nrequires-python='>=3.10'\n",
            &[],
            "[project]\nlicense='MIT' # why\nrequires-python='>=3.10'\n",
        );
    }

    #[test]
    fn a_value_is_replaced_and_its_comment_stays() {
        check(
            PROJECT,
            "[project]\nrequires-python = '>=3.9' # old\nlicense = \"MIT\"",
            &["p/pyproject.toml:2: `project.requires-python` is not `\">=3.10\"`"],
            "[project]\nrequires-python = \">=3.10\" # old\nlicense = \"MIT\"",
        );
    }

    #[test]
    fn a_missing_key_stands_where_shared_toml_has_it() {
        check(
            PROJECT,
            "[project]\nname = 'p'\nrequires-python = '>=3.10'\nversion = '1'\n",
            &["p/pyproject.toml:1: `project.license` is missing; the others have `\"MIT\"`"],
            "[project]\nname = 'p'\nrequires-python = '>=3.10'\nlicense = \"MIT\"\nversion = '1'\n",
        );
        check(
            PROJECT,
            "[project]\nname = 'p'\n",
            &[
                "p/pyproject.toml:1: `project.requires-python` is missing; the others have `\">=3.10\"`",
                "p/pyproject.toml:1: `project.license` is missing; the others have `\"MIT\"`",
            ],
            "[project]\nname = 'p'\nrequires-python = \">=3.10\"\nlicense = \"MIT\"\n",
        );
        check(
            "[project]\na = 1\nb = 2\nc = 3\n",
            "[project]\na = 1\nz = 4\n",
            &[
                "p/pyproject.toml:1: `project.b` is missing; the others have `2`",
                "p/pyproject.toml:1: `project.c` is missing; the others have `3`",
            ],
            "[project]\na = 1\nb = 2\nc = 3\nz = 4\n",
        );
    }

    #[test]
    fn a_missing_table_comes_last() {
        check(
            "[tool.pytest.ini_options]\na = 1\nb = [\n  2,\n]\n",
            "[project]\nname = 'p'",
            &["p/pyproject.toml:2: `tool.pytest.ini_options` is missing"],
            "[project]\nname = 'p'\n\n[tool.pytest.ini_options]\na = 1\nb = [\n  2,\n]\n",
        );
    }

    #[test]
    fn classifiers_are_at_least_the_shared_ones() {
        check(
            "[project]\nclassifiers = ['A', 'B', 'C']\n",
            "[project]\nclassifiers = [\n  'X', # own\n  'A',\n  'C'\n]\n",
            &["p/pyproject.toml:2: `project.classifiers` lacks \"B\""],
            "[project]\nclassifiers = [\n  'X', # own\n  'A',\n  \"B\",\n  'C'\n]\n",
        );
        check(
            "[project]\nclassifiers = ['A', 'B', 'C']\n",
            "[project]\nclassifiers = [\n  'A' # last\n]\n",
            &["p/pyproject.toml:2: `project.classifiers` lacks \"B\", \"C\""],
            "[project]\nclassifiers = [\n  'A', # last\n  \"B\",\n  \"C\"\n]\n",
        );
    }

    #[test]
    fn what_takes_no_line_is_for_a_person() {
        check(
            "[build-system]\nbuild-backend = 'b'\n",
            "build-system = { requires = [] }\n",
            &["p/pyproject.toml:1: `build-system.build-backend` is missing; the others have `'b'`"],
            "build-system = { requires = [] }\n",
        );
    }

    #[test]
    fn a_distribution_may_differ_on_purpose() {
        let manifest = parse("p/pyproject.toml", "[project]\nlicense = 'BSD'\n[tool.xtask]\n");
        let exempt =
            |what: &str| vec![Exemption { what: what.into(), reason: "because".into(), line: 3 }];
        let shared = shared(PROJECT);
        assert_eq!(shared.differences(&manifest, &exempt("project.license"), "p").len(), 1);
        assert!(shared.differences(&manifest, &exempt("project"), "p").is_empty());
        assert!(shared.idle_exemptions(&manifest, &exempt("project.license"), &[]).is_empty());
        let idle = shared.idle_exemptions(&manifest, &exempt("project.urls"), &[]);
        assert_eq!(
            idle[0].to_string(),
            "p/pyproject.toml:3: `tool.xtask.differs`: `project.urls` differs from nothing shared"
        );
    }

    #[test]
    fn what_cannot_be_shared_is_refused() {
        for (text, why) in [
            ("a = 1\n", "stands in a table"),
            ("[project]\nname = 'x'\n", "has its own"),
            ("[tool.xtask]\ntag = 'x'\n", "is its own"),
            ("[[tool.mypy.overrides]]\na = 1\n", "an array of tables"),
        ] {
            let found = SharedFields::read(Some(&parse(FILE, text)), Vec::new()).err().unwrap();
            assert!(found[0].to_string().contains(why), "{}", found[0]);
        }
    }

    #[test]
    fn shared_files_are_copied() {
        let files = vec![SharedFile { path: "LICENSE".into(), text: "text\n".into() }];
        let shared = SharedFields::read(None, files).unwrap_or_else(|f| panic!("{f:?}"));
        let found = |own: Option<&str>| {
            let own = own.map(str::to_owned);
            shared.file_differences("p", &[], &|_| own.clone()).len()
        };
        assert_eq!([found(None), found(Some("text\r\n")), found(Some("other"))], [1, 0, 1]);
    }
}
