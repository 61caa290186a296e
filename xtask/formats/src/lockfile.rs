//! The version lines of workspace members in `uv.lock`, `poetry.lock`, `pdm.lock` and `Cargo.lock`.
//!
//! These files are written by their tools in one fixed layout, so they are read line by line: a
//! lock of ten thousand packages costs milliseconds. Must not know what a version becomes.

use std::ops::Range;

/// A package in a lock that comes from a directory of the repository, not from an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedMember<'a> {
    /// As written; compare normalized.
    pub name: &'a str,
    /// As written.
    pub version: &'a str,
    /// The bytes of `version` in the lock.
    pub span: Range<usize>,
    /// The directory it comes from, relative to the lock; `None` in `Cargo.lock`, which does not
    /// name it.
    pub directory: Option<&'a str>,
}

/// The members of a lock, in its order. Members without a version line (dynamic ones in `uv.lock`)
/// and packages from an index are left out.
pub fn members(text: &str) -> Vec<LockedMember<'_>> {
    packages(text).into_iter().filter_map(LockedPackage::member).collect()
}

/// The packages of a `Cargo.lock` that are in the repository: those without a source.
pub fn crates(text: &str) -> Vec<LockedMember<'_>> {
    packages(text).into_iter().filter_map(LockedPackage::of_cargo).collect()
}

fn packages(text: &str) -> Vec<LockedPackage<'_>> {
    let mut packages = Vec::new();
    let mut package = LockedPackage::default();
    let mut table = "";
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let content = line.trim_end();
        if is_header(content) {
            table = content;
            if !is_inside_package(content) {
                packages.push(std::mem::take(&mut package));
            }
        } else if let Some((key, value)) = content.split_once(" = ") {
            let offset = start + key.len() + 3;
            package.read(table, key, value, offset);
        }
        start += line.len();
    }
    packages.push(package);
    packages
}

/// A bracket alone opens or closes an array of the package.
fn is_header(line: &str) -> bool {
    line.starts_with('[') && line != "["
}

fn is_inside_package(header: &str) -> bool {
    header.starts_with("[package.") || header.starts_with("[[package.")
}

#[derive(Default)]
struct LockedPackage<'a> {
    name: Option<&'a str>,
    version: Option<(&'a str, Range<usize>)>,
    directory: Option<&'a str>,
    /// Poetry says the kind of source and the place on two lines.
    from_directory: bool,
    url: Option<&'a str>,
    /// Anything says where it comes from.
    has_source: bool,
}

impl<'a> LockedPackage<'a> {
    fn read(&mut self, table: &str, key: &str, value: &'a str, offset: usize) {
        match (table, key) {
            ("[[package]]", "name") => self.name = quoted(value),
            ("[[package]]", "version") => {
                self.version = quoted(value).map(|v| (v, offset + 1..offset + 1 + v.len()));
            }
            ("[[package]]", "source") => {
                self.has_source = true;
                self.directory = local_source(value);
            }
            // As PDM writes it.
            ("[[package]]", "path") => self.directory = quoted(value),
            ("[package.source]", "type") => {
                self.from_directory = quoted(value) == Some("directory")
            }
            ("[package.source]", "url") => self.url = quoted(value),
            _ => {}
        }
    }

    fn member(self) -> Option<LockedMember<'a>> {
        let (version, span) = self.version?;
        let directory = self.directory.or(self.url.filter(|_| self.from_directory))?;
        Some(LockedMember { name: self.name?, version, span, directory: Some(directory) })
    }

    fn of_cargo(self) -> Option<LockedMember<'a>> {
        let (version, span) = self.version.filter(|_| !self.has_source)?;
        Some(LockedMember { name: self.name?, version, span, directory: None })
    }
}

fn quoted(value: &str) -> Option<&str> {
    value.strip_prefix('"')?.split('"').next()
}

/// The directory in uv's `source = { editable = "packages/core" }`.
fn local_source(value: &str) -> Option<&str> {
    let inside = value.strip_prefix('{')?.trim_start();
    let (kind, rest) = inside.split_once(" = ")?;
    ["editable", "virtual", "directory"].contains(&kind).then(|| quoted(rest)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(&str, &str, &str)]) {
        let found = members(text);
        let rows: Vec<_> =
            found.iter().map(|m| (m.name, m.version, m.directory.unwrap())).collect();
        assert_eq!(rows, expected);
        for member in found {
            assert_eq!(&text[member.span], member.version);
        }
    }

    #[test]
    fn uv() {
        let text = r#"version = 1
revision = 2

[manifest]
members = [
    "core",
    "app",
]

[[package]]
name = "app"
version = "1.5.0"
source = { editable = "packages/app" }
dependencies = [
    { name = "core" },
]

[package.optional-dependencies]
version = [
    { name = "x" },
]

[package.metadata]
requires-dist = [{ name = "core", editable = "packages/core" }]

[[package]]
name = "core"
source = { editable = "packages/core" }

[[package]]
name = "core"
version = "2.3.0"
source = { virtual = "." }

[[package]]
name = "click"
version = "8.1.0"
source = { registry = "https://index.example/simple" }
sdist = { url = "x", hash = "y", size = 1 }
wheels = [
    { url = "x" },
]
"#;
        let expected = [("app", "1.5.0", "packages/app"), ("core", "2.3.0", ".")];
        check(text, &expected);
        check(&text.replace('\n', "\r\n"), &expected);
        check(text.trim_end(), &expected);
    }

    #[test]
    fn poetry() {
        let text = r#"# This file is automatically @generated by Poetry.

[[package]]
name = "core"
version = "2.3.0"
description = "version = \"1\""
optional = false
files = []
develop = true

[package.dependencies]
version = "^1.0"

[package.source]
type = "directory"
url = "../core"

[[package]]
name = "other"
version = "1.0.0"

[package.source]
type = "git"
url = "x"

[metadata]
lock-version = "2.0"
name = "x"
version = "9"
"#;
        check(text, &[("core", "2.3.0", "../core")]);
    }

    #[test]
    fn pdm() {
        let text = "[[package]]\nname = \"core\"\nversion = \"2.3.0\"\neditable = true\npath = \"./core\"\n";
        check(text, &[("core", "2.3.0", "./core")]);
    }

    #[test]
    fn cargo() {
        let text = "version = 4\n\n[[package]]\nname = \"own\"\nversion = \"1.0.0\"\ndependencies = [\n \"x\",\n]\n\n\
                    [[package]]\nname = \"x\"\nversion = \"2.0.0\"\nsource = \"registry+x\"\n";
        let found: Vec<_> = crates(text).iter().map(|m| (m.name, &text[m.span.clone()])).collect();
        assert_eq!(found, [("own", "1.0.0")]);
    }

    #[test]
    fn what_is_no_lock_has_no_members() {
        for text in ["", "[[package]]", "name = \"é\"", "[[package]]\nversion = \"", "\u{feff}"] {
            check(text, &[]);
        }
    }
}
