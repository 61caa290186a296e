//! Distribution names: as written, as compared (PEP 503), as used in file names.

use std::fmt;
use std::hash::{Hash, Hasher};

/// A distribution name. Shown as its author wrote it, compared by its PEP 503 normal form.
#[derive(Clone, Debug)]
pub struct Name {
    written: Box<str>,
    /// Only where it is spelled otherwise: repositories hold a name many times.
    normal: Option<Box<str>>,
}

impl Name {
    /// Takes a name in any spelling; `None` when PEP 508 does not allow it as a name.
    pub fn new(written: &str) -> Option<Name> {
        let edge = |c: char| c.is_ascii_alphanumeric();
        let valid = written.starts_with(edge)
            && written.ends_with(edge)
            && written.chars().all(|c| edge(c) || matches!(c, '-' | '_' | '.'));
        valid.then(|| {
            let normal = (!is_normal(written)).then(|| normalize(written).into());
            Name { written: written.into(), normal }
        })
    }

    /// As its author wrote it.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// The PEP 503 normal form: lower case, every run of `-`, `_` and `.` one `-`.
    pub fn normal(&self) -> &str {
        self.normal.as_deref().unwrap_or(&self.written)
    }

    /// The form in sdist and wheel file names (PEP 625, PEP 427): normal, with `_` for `-`.
    pub fn in_file_name(&self) -> String {
        self.normal().replace('-', "_")
    }
}

/// Whether a name is its own normal form.
fn is_normal(name: &str) -> bool {
    name.bytes().all(|byte| matches!(byte, b'-' | b'a'..=b'z' | b'0'..=b'9'))
        && !name.contains("--")
}

/// The PEP 503 normal form of any text, for comparing with [`Name::normal`].
pub fn normalize(text: &str) -> String {
    let mut normal = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '-' | '_' | '.' if normal.ends_with('-') => {}
            '-' | '_' | '.' => normal.push('-'),
            c => normal.push(c.to_ascii_lowercase()),
        }
    }
    normal
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.written)
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Name) -> bool {
        self.normal() == other.normal()
    }
}

impl Eq for Name {}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Name) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Name) -> std::cmp::Ordering {
        self.normal().cmp(other.normal())
    }
}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.normal().hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name_are_equal() {
        let name = Name::new("Aether_Flow..core").unwrap();
        assert_eq!(name, Name::new("aether-flow-core").unwrap());
        assert_eq!(name.to_string(), "Aether_Flow..core");
        assert_eq!(name.in_file_name(), "aether_flow_core");
        for same in ["aether-flow--core", "AETHER.flow-core", "aether-flow-core"] {
            assert_eq!(Name::new(same).unwrap().normal(), "aether-flow-core", "{same}");
        }
    }

    #[test]
    fn pep_508_refuses_names_with_odd_edges() {
        for bad in ["", "-a", "a-", ".a", "a b", "ä"] {
            assert!(Name::new(bad).is_none(), "{bad:?}");
        }
    }
}
