//! setup.py read without running it: the name, the version and the requirements it states.
//!
//! Must not know pyproject.toml, nor which requirements name siblings.

use super::{
    manifest::{DeclaredVersion, Table},
    place::{Files, SourceFile, attribute, literal, module_file, unknown, whole_file},
    python::{self, Expr, Source, Text},
    python_eval,
    toml::line_of,
};

/// A setup.py that calls `setup`.
pub struct SetupPy {
    source: Source,
    call: Expr,
    /// The byte its call of `setup` starts at.
    offset: usize,
}

impl SetupPy {
    /// Reads the text; `None` where nothing in it calls `setup`.
    pub fn read(text: &str) -> Option<SetupPy> {
        let source = python::read(text);
        let is_setup = |call: &Expr| {
            matches!(call, Expr::Call { function, .. }
                if matches!(&**function, Expr::Name(name) if name == "setup" || name.ends_with(".setup")))
        };
        let (call, offset) = source.calls.iter().find(|(call, _)| is_setup(call))?.clone();
        Some(SetupPy { source, call, offset })
    }

    /// The value of a keyword, also through `setup(**metadata)`.
    fn keyword(&self, wanted: &str) -> Option<&Expr> {
        let Expr::Call { arguments, keywords, .. } = &self.call else { return None };
        if let Some((_, value)) = keywords.iter().find(|(keyword, _)| keyword == wanted) {
            return Some(value);
        }
        arguments.iter().find_map(|argument| {
            let Expr::Opaque(parts) = argument else { return None };
            let name = parts.iter().find_map(|part| match part {
                Expr::Name(name) => Some(name),
                _ => None,
            })?;
            match self.assigned(name)? {
                Expr::Dict(entries) => entries.iter().find_map(|(key, value)| {
                    matches!(key, Expr::Text(text) if text.raw == wanted).then_some(value)
                }),
                Expr::Call { keywords, .. } => {
                    keywords.iter().find(|(key, _)| key == wanted).map(|(_, value)| value)
                }
                _ => None,
            }
        })
    }

    /// What a name is assigned, where that is one thing; `None` and `""` are placeholders.
    fn assigned(&self, name: &str) -> Option<&Expr> {
        let placeholder = |value: &Expr| match value {
            Expr::Name(name) => name == "None",
            Expr::Text(text) => text.raw.is_empty(),
            _ => false,
        };
        let mut values = self.source.assignments.iter().filter(|a| a.name == name);
        let mut values = values.by_ref().filter(|a| !placeholder(&a.value));
        match (values.next(), values.next()) {
            (Some(one), None) => Some(&one.value),
            _ => None,
        }
    }

    /// The distribution's name, where it is a literal.
    pub fn name(&self) -> Option<&Text> {
        let mut value = self.keyword("name")?;
        for _ in 0..3 {
            match value {
                Expr::Text(text) => return Some(text).filter(|text| !text.formatted),
                Expr::Name(name) => value = self.assigned(name)?,
                _ => return None,
            }
        }
        None
    }

    /// Every string of the requirement keywords with its table.
    pub fn requirements(&self) -> Vec<(Table, Text)> {
        let mut found = Vec::new();
        for (keyword, table) in [
            ("install_requires", Table::Dependencies),
            ("requires", Table::Dependencies),
            ("setup_requires", Table::Build),
            ("tests_require", Table::Group("tests".into())),
        ] {
            if let Some(value) = self.keyword(keyword) {
                self.collect(value, &table, &mut found, 0);
            }
        }
        if let Some(extras) = self.keyword("extras_require") {
            self.extras(extras, &mut found);
        }
        found
    }

    /// Every string of the file: one that no keyword reaches may be put into a list in between.
    pub fn texts(&self) -> &[Text] {
        &self.source.texts
    }

    fn extras(&self, value: &Expr, found: &mut Vec<(Table, Text)>) {
        match value {
            Expr::Dict(entries) => {
                for (key, value) in entries {
                    let extra = python::texts(key).first().map(|text| text.raw.clone());
                    self.collect(value, &Table::Extra(extra.unwrap_or_default()), found, 0);
                }
            }
            Expr::Name(name) => {
                let entries: Vec<&Expr> = self
                    .source
                    .assignments
                    .iter()
                    .filter(|a| a.name == *name)
                    .map(|a| &a.value)
                    .collect();
                for entry in entries {
                    if matches!(entry, Expr::Dict(_)) {
                        self.extras(entry, found);
                    }
                }
            }
            other => self.collect(other, &Table::Extra(String::new()), found, 0),
        }
    }

    fn collect(&self, value: &Expr, table: &Table, found: &mut Vec<(Table, Text)>, depth: usize) {
        python::walk(value, &mut |part| match part {
            Expr::Text(text) if !found.iter().any(|(_, known)| known.span == text.span) => {
                found.push((table.clone(), text.clone()));
            }
            Expr::Name(name) if depth < 3 => {
                for assignment in self.source.assignments.iter().filter(|a| a.name == *name) {
                    self.collect(&assignment.value, table, found, depth + 1);
                }
            }
            _ => {}
        });
    }
}

/// Where the version of a setup.py stands.
pub fn version(setup: &SourceFile, files: Files<'_>, dir: &str) -> DeclaredVersion {
    let Some(read) = SetupPy::read(&setup.text) else {
        return unknown(&setup.path, 1, "setup.py does not call `setup` where it can be followed");
    };
    let tag = |tool: &str| DeclaredVersion::FromTag {
        file: setup.path.clone(),
        line: line_of(&setup.text, read.offset),
        tool: tool.to_owned(),
    };
    for (keyword, tool) in [("use_scm_version", "setuptools-scm"), ("pbr", "pbr")] {
        if read.keyword(keyword).is_some() {
            return tag(tool);
        }
    }
    let resolver = Resolver { setup, read: &read, files, dir };
    let Some(value) = read.keyword("version") else {
        return resolver.computed("setup.py names no version");
    };
    if names_tool(value, "versioneer") {
        return tag("versioneer");
    }
    resolver.resolve(value, 0)
}

fn names_tool(value: &Expr, tool: &str) -> bool {
    let mut found = false;
    python::walk(value, &mut |part| {
        found |= matches!(part, Expr::Name(name) if name.split('.').next() == Some(tool));
    });
    found
}

struct Resolver<'a> {
    setup: &'a SourceFile,
    read: &'a SetupPy,
    files: Files<'a>,
    dir: &'a str,
}

impl Resolver<'_> {
    fn computed(&self, reason: &str) -> DeclaredVersion {
        unknown(&self.setup.path, line_of(&self.setup.text, self.read.offset), reason)
    }

    fn resolve(&self, value: &Expr, depth: usize) -> DeclaredVersion {
        match value {
            Expr::Text(text) if !text.formatted => literal(self.setup, text.span.clone()),
            Expr::Text(text) => self.formatted(text, depth),
            _ if depth > 4 => self.computed("the version is passed through too many names"),
            Expr::Name(name) => self.name(name, value, depth),
            Expr::Call { function, arguments, .. } if is_environment(function) => {
                match arguments.get(1) {
                    Some(default) => self.resolve(default, depth + 1),
                    None => self.computed("the version comes from the environment alone"),
                }
            }
            other => self.in_a_file(other),
        }
    }

    fn name(&self, name: &str, value: &Expr, depth: usize) -> DeclaredVersion {
        if let Some(assigned) = self.read.assigned(name) {
            return self.resolve(assigned, depth + 1);
        }
        let imports = &self.read.source.imports;
        if let Some(import) = imports.iter().find(|import| import.bound == name)
            && let Some(attr) = &import.name
            && let Some(module) = module_file(self.files, self.dir, &import.module)
        {
            return attribute(&module, attr, self.files, 0);
        }
        if let Some((module, attr)) = name.rsplit_once('.')
            && let Some(module) = module_file(self.files, self.dir, module)
        {
            return attribute(&module, attr, self.files, 0);
        }
        let assigned = self.read.source.assignments.iter().filter(|a| a.name == name).count();
        if assigned > 1 {
            return self.computed(&format!("`{name}` is assigned more than once"));
        }
        self.in_a_file(value)
    }

    /// `f"{version}"`, or a literal with fields behind it that are empty unless set outside.
    fn formatted(&self, text: &Text, depth: usize) -> DeclaredVersion {
        let raw = text.raw.as_str();
        if let Some(field) = raw.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'))
            && !field.contains(['{', '}'])
        {
            let inner = python::read(&format!("_ = {field}\n"));
            let shifted = inner.assignments.first().map(|assignment| &assignment.value);
            return match shifted {
                Some(Expr::Name(name)) => self.name(name, &Expr::Name(name.clone()), depth + 1),
                Some(Expr::Call { function, arguments, .. }) if is_environment(function) => {
                    self.default_inside(text, arguments.get(1))
                }
                _ => self.computed("the version is computed in an f-string"),
            };
        }
        self.computed("the version is put together in an f-string")
    }

    /// The default of an environment lookup inside an f-string, as a place in the file.
    fn default_inside(&self, text: &Text, default: Option<&Expr>) -> DeclaredVersion {
        if let Some(Expr::Text(default)) = default
            && let Some(at) = text.raw.find(&default.raw)
            && text.raw.matches(&default.raw).count() == 1
        {
            let start = text.span.start + at;
            return literal(self.setup, start..start + default.raw.len());
        }
        self.computed("the version is computed in an f-string")
    }

    /// The version stands in a file that setup.py reads: the one that it opens and that holds a
    /// version, else the one that is named like a version file.
    fn in_a_file(&self, value: &Expr) -> DeclaredVersion {
        let mut places = Vec::new();
        for path in self.opened() {
            if let Some(source) = self.files.beside(self.dir, &path) {
                add_place(&mut places, version_in(&source, &path, self.files));
            }
        }
        if places.len() != 1 {
            let mut named = Vec::new();
            self.paths(value, &mut named, 0);
            places = self.places(&named);
        }
        if places.is_empty() {
            let all: Vec<String> =
                self.read.source.texts.iter().map(|text| text.raw.clone()).collect();
            places = self.places(&all);
        }
        match places.len() {
            1 => places.remove(0),
            0 => self.computed("the version is computed in a way that cannot be followed"),
            _ => self.computed("the version could stand in several files"),
        }
    }

    /// The paths of everything that is opened or read, wherever it happens.
    fn opened(&self) -> Vec<String> {
        let source = &self.read.source;
        let names = |name: &str| self.read.assigned(name);
        let mut paths = Vec::new();
        let mut visit = |expr: &Expr| {
            let Expr::Call { function, arguments, .. } = expr else { return };
            let opened = match &**function {
                Expr::Name(name) if name == "open" || name.ends_with(".open") => arguments.first(),
                Expr::Attribute { of, name } if name == "read_text" || name == "open" => {
                    Some(&**of)
                }
                _ => None,
            };
            paths.extend(opened.and_then(|path| python_eval::path(path, &names)));
        };
        let calls = source.calls.iter().map(|(call, _)| call);
        let values = source.assignments.iter().map(|assignment| &assignment.value);
        for expr in calls.chain(values).chain(&source.others) {
            python::walk(expr, &mut visit);
        }
        paths
    }

    /// Texts of an expression, through the names in it.
    fn paths(&self, value: &Expr, found: &mut Vec<String>, depth: usize) {
        let mut names = Vec::new();
        python::walk(value, &mut |part| match part {
            Expr::Text(text) => found.push(text.raw.clone()),
            Expr::Name(name) => names.push(name.split('.').next().unwrap_or("").to_owned()),
            _ => {}
        });
        for name in names.iter().filter(|_| depth < 3) {
            for assignment in self.read.source.assignments.iter().filter(|a| a.name == *name) {
                self.paths(&assignment.value, found, depth + 1);
            }
        }
    }

    fn places(&self, texts: &[String]) -> Vec<DeclaredVersion> {
        let mut places: Vec<DeclaredVersion> = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            let Some(source) = self.version_file(texts, index) else { continue };
            add_place(&mut places, version_in(&source, text, self.files));
        }
        places
    }

    /// The file that a text names, alone or with the texts before it (`os.path.join`).
    fn version_file(&self, texts: &[String], index: usize) -> Option<SourceFile> {
        let name = texts[index].trim_start_matches("./");
        if !looks_like_version_file(name) {
            return None;
        }
        let before = index.saturating_sub(4);
        for from in before..=index {
            let path = texts[from..=index].join("/");
            if let Some(source) = self.files.beside(self.dir, &path) {
                return Some(source);
            }
        }
        let end = format!("/{name}");
        let all = (self.files.list)(self.dir);
        let mut matching = all.iter().filter(|path| path.ends_with(&end));
        match (matching.next(), matching.next()) {
            (Some(one), None) => (self.files.read)(one),
            _ => None,
        }
    }
}

/// Adds a place that is not there yet.
fn add_place(places: &mut Vec<DeclaredVersion>, found: Option<DeclaredVersion>) {
    let known = |place: &DeclaredVersion| places.iter().any(|other| other.place() == place.place());
    if let Some(place) = found.filter(|place| !known(place)) {
        places.push(place);
    }
}

fn is_environment(function: &Expr) -> bool {
    matches!(function, Expr::Name(name)
        if ["os.environ.get", "environ.get", "os.getenv", "getenv"].contains(&name.as_str()))
}

fn looks_like_version_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let stem = name.split('.').next().unwrap_or("");
    let known = ["version", "_version", "__version__", "__init__", "__about__", "about", "_about"];
    let python = name.ends_with(".py");
    known.contains(&stem) && (python || matches!(name.as_str(), "version" | "version.txt"))
}

/// The version that a file holds, as a module or as its whole text.
fn version_in(source: &SourceFile, name: &str, files: Files<'_>) -> Option<DeclaredVersion> {
    if !name.ends_with(".py") {
        let named = name.to_ascii_lowercase().contains("version");
        return Some(whole_file(source))
            .filter(|_| named)
            .filter(|place| place.version().is_some());
    }
    ["__version__", "VERSION", "version", "__VERSION__"]
        .into_iter()
        .map(|attr| attribute(source, attr, files, 0))
        .find(|place| place.version().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `Ok` is `FILE:LINE VERSION`, `Err` the reason.
    #[track_caller]
    fn check(files: &[(&str, &str)], expected: Result<&str, &str>) {
        let read = |path: &str| {
            let found = files.iter().find(|(known, _)| *known == path)?;
            Some(SourceFile { path: path.to_owned(), text: found.1.to_owned() })
        };
        let list = |_: &str| files.iter().map(|(path, _)| (*path).to_owned()).collect();
        let setup = read("p/setup.py").unwrap();
        let found = version(&setup, Files { read: &read, list: &list }, "p");
        let shown = match &found {
            DeclaredVersion::Literal { file, line, text, span, .. } => {
                assert_eq!(&read(file).unwrap().text[span.clone()], text);
                Ok(format!("{file}:{line} {text}"))
            }
            DeclaredVersion::FromTag { tool, .. } => Ok(format!("tag {tool}")),
            DeclaredVersion::Unknown { file, line, reason } => {
                Err(format!("{file}:{line}: {reason}"))
            }
        };
        assert_eq!(shown.as_ref().map(String::as_str).map_err(String::as_str), expected);
    }

    #[test]
    fn literals() {
        check(
            &[("p/setup.py", "from setuptools import setup\nsetup(name='x', version='1.2.3')\n")],
            Ok("p/setup.py:2 1.2.3"),
        );
        check(
            &[("p/setup.py", "V = \"1.2\"\nsetuptools.setup(version=V)")],
            Ok("p/setup.py:1 1.2"),
        );
        check(
            &[("p/setup.py", "import os\nsetup(version=os.environ.get('X', '1.2.3'))")],
            Ok("p/setup.py:2 1.2.3"),
        );
        check(
            &[("p/setup.py", "v = os.getenv('X', '1.2.3')\nsetup(version=f'{v}')")],
            Ok("p/setup.py:1 1.2.3"),
        );
        check(
            &[("p/setup.py", "setup(version=f\"{os.environ.get('X', '1.2.3')}\")")],
            Ok("p/setup.py:1 1.2.3"),
        );
        check(
            &[("p/setup.py", "meta = dict(version='1.0')\nsetup(**meta)")],
            Ok("p/setup.py:1 1.0"),
        );
        check(
            &[(
                "p/setup.py",
                "if __name__ == '__main__':\n    setup(\n        # version='0'\n        version='1.0',\n    )",
            )],
            Ok("p/setup.py:4 1.0"),
        );
    }

    #[test]
    fn files_that_it_reads() {
        check(
            &[
                ("p/setup.py", "setup(version=open('VERSION').read().strip())"),
                ("p/VERSION", "1.2.3\n"),
            ],
            Ok("p/VERSION:1 1.2.3"),
        );
        check(
            &[
                (
                    "p/setup.py",
                    "here = os.path.dirname(__file__)\nwith open(os.path.join(here, 'src', 'x', 'version.py')) as f:\n    exec(f.read(), about)\nsetup(version=about['__version__'])",
                ),
                ("p/src/x/version.py", "__version__ = '1.2'\n"),
            ],
            Ok("p/src/x/version.py:1 1.2"),
        );
        check(
            &[
                (
                    "p/setup.py",
                    "folder = NAME.replace('-', '/')\nwith open(os.path.join(folder, '_version.py')) as fd:\n    version = re.search(r'^VERSION', fd.read()).group(1)\nsetup(version=version)",
                ),
                ("p/a/b/_version.py", "VERSION = \"12.1.0b2\"\n"),
            ],
            Ok("p/a/b/_version.py:1 12.1.0b2"),
        );
        check(
            &[
                (
                    "p/setup.py",
                    "version = None\nwith open(os.path.join(root, 'g/c/version.py')) as fp:\n    cands = re.findall('x', fp.read())\n    version = cands[0]\nsetup(version=version)",
                ),
                ("p/g/c/version.py", "__version__ = \"3.1.0\"\n"),
            ],
            Ok("p/g/c/version.py:1 3.1.0"),
        );
        check(
            &[
                ("p/setup.py", "from x.v import VERSION\nsetup(version=VERSION)"),
                ("p/x/v.py", "VERSION = '2'\n"),
            ],
            Ok("p/x/v.py:1 2"),
        );
        check(
            &[
                ("p/setup.py", "import x\nsetup(version=x.__version__)"),
                ("p/x/__init__.py", "from .v import __version__\n"),
                ("p/x/v.py", "__version__ = '2'\n"),
            ],
            Ok("p/x/v.py:1 2"),
        );
    }

    #[test]
    fn paths_that_it_puts_together() {
        let azure = "PACKAGE_NAME = 'azure-storage-blob'\nfolder = PACKAGE_NAME.replace('-', '/')\nwith open(os.path.join(folder, '_version.py'), 'r') as fd:\n    version = re.search(r'^VERSION', fd.read(), re.M).group(1)\nsetup(name=PACKAGE_NAME, version=version)";
        check(
            &[
                ("p/setup.py", azure),
                ("p/azure/storage/blob/_version.py", "VERSION = '12.1'"),
                ("p/azure/storage/blob/gen/_version.py", "VERSION = '1'"),
            ],
            Ok("p/azure/storage/blob/_version.py:1 12.1"),
        );
        let google = "root = os.path.abspath(os.path.dirname(__file__))\nversion = None\nwith open(os.path.join(root, 'google/x/gapic_version.py')) as fp:\n    found = re.findall(r'x', fp.read())\n    assert len(found) == 1\n    version = found[0]\nwith io.open(os.path.join(root, 'README.rst')) as f:\n    readme = f.read()\nsetuptools.setup(version=version)";
        check(
            &[
                ("p/setup.py", google),
                ("p/README.rst", "1.0"),
                ("p/google/x/gapic_version.py", "__version__ = \"1.2.3\"  # {x-release}\n"),
                ("p/google/x_v1/gapic_version.py", "__version__ = \"1.2.3\"\n"),
            ],
            Ok("p/google/x/gapic_version.py:1 1.2.3"),
        );
        let dagster = "def get_version() -> str:\n    version: dict[str, str] = {}\n    with open(Path(__file__).parent / \"d_w/version.py\", encoding=\"utf8\") as fp:\n        exec(fp.read(), version)\n    return version[\"__version__\"]\nver = get_version()\npin = \"\" if ver == \"1!0+dev\" else f\"=={ver}\"\nsetup(name='d', version=ver, install_requires=[f'x{pin}'])";
        check(
            &[("p/setup.py", dagster), ("p/d_w/version.py", "__version__ = \"1!0+dev\"\n")],
            Ok("p/d_w/version.py:1 1!0+dev"),
        );
        let helper = "def read(*parts):\n    with codecs.open(os.path.join(here, *parts)) as f:\n        return f.read()\nsetup(version=find_version('src', 'x', '__init__.py'))";
        check(
            &[
                ("p/setup.py", helper),
                ("p/src/x/__init__.py", "__version__ = '3'"),
                ("p/src/x/y/__init__.py", ""),
            ],
            Ok("p/src/x/__init__.py:1 3"),
        );
        let about = "about = {}\nwith open(Path(here) / 'pkg' / '__about__.py') as f:\n    exec(f.read(), about)\nsetup(version=about['__version__'])";
        check(
            &[("p/setup.py", about), ("p/pkg/__about__.py", "__version__ = '3.1'")],
            Ok("p/pkg/__about__.py:1 3.1"),
        );
    }

    #[test]
    fn what_is_computed_is_refused() {
        check(
            &[("p/setup.py", "setup(version='1.' + minor())")],
            Err("p/setup.py:1: the version is computed in a way that cannot be followed"),
        );
        check(
            &[("p/setup.py", "v = '1'\nv = '2'\nsetup(version=v)")],
            Err("p/setup.py:3: `v` is assigned more than once"),
        );
        check(
            &[("p/setup.py", "v = '1'\nv += '2'\nsetup(version=v)")],
            Err("p/setup.py:3: `v` is assigned more than once"),
        );
        check(
            &[("p/setup.py", "setup(version=f'{a}.{b}')")],
            Err("p/setup.py:1: the version is put together in an f-string"),
        );
        check(&[("p/setup.py", "setup(version=versioneer.get_version())")], Ok("tag versioneer"));
        check(&[("p/setup.py", "setup(use_scm_version=True)")], Ok("tag setuptools-scm"));
        check(
            &[("p/setup.py", "print(1)")],
            Err("p/setup.py:1: setup.py does not call `setup` where it can be followed"),
        );
    }
}
