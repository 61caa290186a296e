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

/// The file of the shared fields, relative to the root.
pub const FILE: &str = "pyproject-templates/shared.toml";

/// The folder of files that every distribution has a copy of.
pub const FOLDER: &str = "pyproject-templates/shared";

/// Arrays of which a distribution has at least the shared items, in any order, and maybe more.
const AT_LEAST: [&str; 2] = ["classifiers", "keywords"];

/// The fields and files that all distributions share.
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

/// A field of a distribution that is missing or does not have the shared value.
#[derive(Debug)]
pub struct Difference {
    /// Dotted path of the field or, where several fields lack their table, of the table.
    pub field: String,
    pub finding: Finding,
    /// The edits that bring it in line; none where only a person can.
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
    /// Every key that distributions cannot share, such as `name` or `version`.
    pub fn read(
        file: Option<&TomlFile>,
        files: Vec<SharedFile>,
    ) -> Result<SharedFields, Vec<Finding>> {
        let mut fields = Vec::new();
        let mut findings = Vec::new();
        for field in file.into_iter().flat_map(|file| read_fields(file, &[], file.root())) {
            match field {
                Ok(field) => fields.push(field),
                Err(finding) => findings.push(finding),
            }
        }
        if findings.is_empty() { Ok(SharedFields { fields, files }) } else { Err(findings) }
    }

    pub fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.files.is_empty()
    }

    /// The fields in which `manifest` differs, in the order of shared.toml, without those that are
    /// exempt. `package` is the distribution's name.
    pub fn differences(
        &self,
        manifest: &TomlFile,
        exempt: &[Exemption],
        package: &str,
    ) -> Vec<Difference> {
        let mut differences = Vec::new();
        let mut without_table: Vec<&Field> = Vec::new();
        for field in &self.fields {
            if exempt.iter().any(|exemption| covers(&exemption.what, &field.dotted())) {
                continue;
            }
            let comparison = Comparison { manifest, field, package };
            if let Some(item) = manifest.item(&field.path) {
                differences.extend(comparison.with(item));
            } else if let Some(table) = manifest.item(field.table()).filter(|t| takes_lines(t)) {
                let after = self.last_before(field, manifest);
                differences.push(comparison.missing_key(table, after));
            } else {
                without_table.push(field);
            }
        }
        let tables = without_table.chunk_by(|a, b| a.table() == b.table());
        differences.extend(tables.map(|fields| {
            Comparison { manifest, field: fields[0], package }.missing_table(fields)
        }));
        differences
    }

    /// The last field of the same table before `field` that `manifest` has.
    fn last_before(&self, field: &Field, manifest: &TomlFile) -> Option<&Field> {
        self.fields
            .iter()
            .take_while(|other| other.path != field.path)
            .filter(|other| other.table() == field.table() && manifest.item(&other.path).is_some())
            .last()
    }

    /// Shared files that a distribution lacks or has with another text. `read` gives the text of a
    /// file of the repository, `dir` is the distribution's directory.
    pub fn file_differences(
        &self,
        dir: &str,
        exempt: &[Exemption],
        read: &dyn Fn(&str) -> Option<String>,
    ) -> Vec<FileDifference> {
        self.files
            .iter()
            .filter(|file| !exempt.iter().any(|exemption| exemption.what == file.path))
            .filter_map(|file| file.difference(dir, read))
            .collect()
    }

    /// A warning for every exemption without effect: no such field is shared, or the distribution
    /// has the shared value. `files` are the differences of files, exemptions ignored.
    pub fn idle_exemptions(
        &self,
        manifest: &TomlFile,
        exempt: &[Exemption],
        files: &[FileDifference],
    ) -> Vec<Finding> {
        let fields = self.differences(manifest, &[], "");
        let idle = exempt.iter().filter(|Exemption { what, .. }| {
            let exempts_field =
                fields.iter().any(|d| covers(what, &d.field) || covers(&d.field, what));
            let exempts_file = files.iter().any(|file| file.path.ends_with(what));
            !exempts_field && !exempts_file
        });
        idle.map(|exemption| {
            let what = &exemption.what;
            let message = format!("`tool.xtask.differs` has `{what}`, which does not differ");
            Finding::warning(Rule::IdleExemption, message)
                .at(&manifest.path, exemption.line)
                .hint(format!("remove `{what}` from it"))
        })
        .collect()
    }
}

impl SharedFile {
    fn difference(
        &self,
        dir: &str,
        read: &dyn Fn(&str) -> Option<String>,
    ) -> Option<FileDifference> {
        let path = if dir.is_empty() { self.path.clone() } else { format!("{dir}/{}", self.path) };
        let before = read(&path);
        let message = match &before {
            // Line endings are git's business.
            Some(text) if text.replace("\r\n", "\n") == self.text.replace("\r\n", "\n") => {
                return None;
            }
            Some(_) => format!("{} differs from {FOLDER}/{}", self.path, self.path),
            None => format!("{} is missing: there is {FOLDER}/{}", self.path, self.path),
        };
        let finding = Finding::error(Rule::SharedFile, message).at(&path, 1).hint(hint(&self.path));
        Some(FileDifference { finding, path, before, after: self.text.clone() })
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

/// The fields below an item of shared.toml, and a finding for each that cannot be shared.
fn read_fields(file: &TomlFile, path: &[String], item: &Item) -> Vec<Result<Field, Finding>> {
    if let Some(table) = item.as_table() {
        let fields = table.iter().flat_map(|(key, item)| {
            let path = [path, &[key.to_owned()]].concat();
            read_fields(file, &path, item)
        });
        return fields.collect();
    }
    let field = read_field(file, path, item).map_err(|why| {
        Finding::error(Rule::Shared, format!("`{}` cannot be shared: {why}", path.join(".")))
            .at(&file.path, file.line(start(item)))
    });
    vec![field]
}

/// One field, or why it cannot be shared.
fn read_field(file: &TomlFile, path: &[String], item: &Item) -> Result<Field, &'static str> {
    let Some(span) = item.as_value().and_then(Value::span) else {
        return Err("`sync` does not compare arrays of tables");
    };
    match path {
        [_] => Err("a shared field is in a table"),
        [project, key] if project == "project" && OWN.contains(&key.as_str()) => {
            Err("every distribution has its own")
        }
        [tool, own, ..] if tool == "tool" && own == "xtask" => {
            Err("the configuration of this tool differs between distributions")
        }
        _ => {
            let raw = file.text()[span].replace("\r\n", "\n");
            Ok(Field { path: path.to_vec(), item: item.clone(), raw })
        }
    }
}

const OWN: [&str; 4] = ["name", "version", "description", "dependencies"];

/// One shared field and the manifest that it is compared with.
struct Comparison<'a> {
    manifest: &'a TomlFile,
    field: &'a Field,
    package: &'a str,
}

impl Comparison<'_> {
    fn with(&self, item: &Item) -> Option<Difference> {
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
        Some(self.difference(self.field.dotted(), message, start(item), splices))
    }

    /// Shared items that an array does not have. Each is inserted below the shared item that it
    /// follows.
    fn lacking(&self, wanted: &Array, array: &Array) -> Option<Difference> {
        let mut runs: Vec<(Option<usize>, Vec<String>)> = Vec::new();
        let mut after = None;
        for value in wanted {
            let position = array.iter().position(|own| insert::same_values(own, value));
            if position.is_some() {
                after = position;
                continue;
            }
            let raw = insert::string(value.as_str().unwrap_or_default());
            match runs.last_mut() {
                Some((anchor, values)) if *anchor == after => values.push(raw),
                _ => runs.push((after, vec![raw])),
            }
        }
        if runs.is_empty() {
            return None;
        }
        let mut splices = Vec::new();
        let mut names = Vec::new();
        for (after, values) in runs {
            splices.extend(insert::items(self.manifest, array, after, &values).unwrap_or_default());
            names.extend(values);
        }
        let field = self.field.dotted();
        let message = format!("`{field}` lacks {}", names.join(", "));
        let at = array.span().map_or(0, |span| span.start);
        Some(self.difference(field, message, at, Some(splices)))
    }

    fn missing_key(&self, table: &Item, after: Option<&Field>) -> Difference {
        let after = after.map(Field::key);
        let key = insert::quoted(self.field.key());
        let splice = insert::key(self.manifest, table, after, &key, &self.field.raw);
        let splices = splice.map(|splice| vec![splice]);
        self.difference(self.field.dotted(), self.missing(), start(table), splices)
    }

    /// All `fields` of a table that the manifest does not have.
    fn missing_table(&self, fields: &[&Field]) -> Difference {
        let path = self.field.table();
        let lines = fields.iter().map(|f| format!("{} = {}\n", insert::quoted(f.key()), f.raw));
        let splice = insert::table(self.manifest, path, &lines.collect::<String>());
        let (field, message) = match fields {
            [field] => (field.dotted(), self.missing()),
            _ => (path.join("."), format!("`{}` is missing", path.join("."))),
        };
        let end = self.manifest.text().trim_end().len();
        self.difference(field, message, end, Some(vec![splice]))
    }

    fn missing(&self) -> String {
        let raw = shown(&self.field.raw);
        format!("`{}` is missing; the others have {raw}", self.field.dotted())
    }

    /// `splices` bring the field in line; `None` where only a person can.
    fn difference(
        &self,
        field: String,
        message: String,
        at: usize,
        splices: Option<Vec<Splice>>,
    ) -> Difference {
        let what = self.field.dotted();
        let hint = match splices {
            Some(_) => hint(&what),
            None => format!("write `{what}` by hand: no line can be added to this table"),
        };
        let line = self.manifest.line(at);
        let finding =
            Finding::error(Rule::SharedField, message).at(&self.manifest.path, line).hint(hint);
        let splices = splices.unwrap_or_default().into_iter();
        let edits = splices.map(|splice| Edit::of_field(self.manifest, splice, self.package));
        Difference { field, finding, edits: edits.collect() }
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
            let before = before.replace('\n', newline);
            let after = after.replace('\n', newline);
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
            "p/pyproject.toml:3: `tool.xtask.differs` has `project.urls`, which does not differ"
        );
    }

    #[test]
    fn what_cannot_be_shared_is_refused() {
        for (text, why) in [
            ("a = 1\n", "is in a table"),
            ("[project]\nname = 'x'\n", "has its own"),
            ("[tool.xtask]\ntag = 'x'\n", "differs between distributions"),
            ("[[tool.mypy.overrides]]\na = 1\n", "arrays of tables"),
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
