//! setup.py read without running it: the name, the version and the requirements it states.
//!
//! Must not know pyproject.toml, nor which requirements name siblings.

pub(crate) mod version;

use formats::python::{self, Expr, PythonSource, Text};

use crate::manifest::requirement::RequirementTable;

/// A setup.py that calls `setup`.
pub(crate) struct SetupPy {
    source: PythonSource,
    call: Expr,
    /// The byte its call of `setup` starts at.
    offset: usize,
}

impl SetupPy {
    /// Reads the text; `None` where nothing in it calls `setup`.
    pub(crate) fn read(text: &str) -> Option<SetupPy> {
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

    /// The value of a name that is assigned one value; `None` and `""` are placeholders.
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
    pub(crate) fn name(&self) -> Option<&Text> {
        self.literal("name")
    }

    /// The value of a keyword, where it is one string.
    pub(crate) fn literal(&self, keyword: &str) -> Option<&Text> {
        let mut value = self.keyword(keyword)?;
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
    pub(crate) fn requirements(&self) -> Vec<(RequirementTable, Text)> {
        let mut found = Vec::new();
        for (keyword, table) in [
            ("install_requires", RequirementTable::Dependencies),
            ("requires", RequirementTable::Dependencies),
            ("setup_requires", RequirementTable::Build),
            ("tests_require", RequirementTable::Group("tests".into())),
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
    pub(crate) fn texts(&self) -> &[Text] {
        &self.source.texts
    }

    fn extras(&self, value: &Expr, found: &mut Vec<(RequirementTable, Text)>) {
        match value {
            Expr::Dict(entries) => {
                for (key, value) in entries {
                    let extra = python::texts(key).first().map(|text| text.raw.clone());
                    self.collect(
                        value,
                        &RequirementTable::Extra(extra.unwrap_or_default()),
                        found,
                        0,
                    );
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
            other => self.collect(other, &RequirementTable::Extra(String::new()), found, 0),
        }
    }

    fn collect(
        &self,
        value: &Expr,
        table: &RequirementTable,
        found: &mut Vec<(RequirementTable, Text)>,
        depth: usize,
    ) {
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
