//! Templates of distributions: the folders of `pyproject-templates/`, with placeholders.
//!
//! Must not know the directory of a new distribution, nor a template by name.

use formats::name::Name;

use crate::finding::{Finding, Refusal, Rule};
use crate::text::insert;
use crate::text::toml::{line_of, nearest};

/// The folder of the templates, relative to the root.
pub const TEMPLATES: &str = "pyproject-templates";

/// A folder of [`TEMPLATES`].
pub struct Template {
    pub name: String,
    /// Paths relative to the template, with their texts.
    pub files: Vec<(String, String)>,
}

/// The values of placeholders.
pub(crate) struct Filler<'a> {
    pub name: &'a Name,
    /// Dotted.
    pub module: &'a str,
    /// With `{version}` in it.
    pub tag: &'a str,
    /// Requirements on siblings, with their ranges.
    pub needs: &'a [String],
}

impl Filler<'_> {
    /// Every file of the template, with placeholders filled in in its path and its text.
    ///
    /// # Errors
    /// Every placeholder that is not known or has no end, with file and line.
    pub(crate) fn files(&self, template: &Template) -> Result<Vec<(String, String)>, Refusal> {
        let mut files = Vec::new();
        let mut findings = Vec::new();
        for (path, text) in &template.files {
            let shown = format!("{TEMPLATES}/{}/{path}", template.name);
            match (self.filled(&shown, path), self.filled(&shown, text)) {
                (Ok(path), Ok(text)) => files.push((path, text)),
                (path, text) => findings.extend(path.err().into_iter().chain(text.err())),
            }
        }
        Refusal::unless_clean(findings)?;
        Ok(files)
    }

    /// A text with every `{{placeholder}}` replaced.
    fn filled(&self, file: &str, text: &str) -> Result<String, Finding> {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once("{{") {
            let line = line_of(text, text.len() - behind.len());
            let Some((word, after)) = behind.split_once("}}") else {
                let message = "a placeholder is not closed";
                return Err(Finding::error(Rule::Template, message)
                    .at(file, line)
                    .hint("close it with }}"));
            };
            filled.push_str(before);
            let known = self.values();
            let value = known.iter().find(|(placeholder, _)| *placeholder == word.trim());
            filled += &value.ok_or_else(|| self.unknown(word.trim(), file, line))?.1;
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled)
    }

    /// Every placeholder that a template can use, with its value.
    fn values(&self) -> [(&'static str, String); 9] {
        let names = self.needs.iter().map(|need| {
            let end = need.find(['>', '<', '=', '~', '!']).unwrap_or(need.len());
            &need[..end]
        });
        let siblings = match self.needs {
            [] => "[]".to_owned(),
            needs => array(needs.iter().map(String::as_str)),
        };
        [
            ("name", self.name.to_string()),
            ("file_name", self.name.in_file_name()),
            ("module", self.module.to_owned()),
            ("module_path", self.module.replace('.', "/")),
            ("top_level", self.module.split('.').next().unwrap_or_default().to_owned()),
            ("tag", self.tag.to_owned()),
            ("dependencies", siblings.clone()),
            ("siblings", siblings),
            ("sibling_names", array(names)),
        ]
    }

    fn unknown(&self, word: &str, file: &str, line: usize) -> Finding {
        let message = format!("`{{{{{word}}}}}` is not a placeholder of this tool");
        let known = self.values().map(|(placeholder, _)| placeholder);
        let hint = match nearest(word, known.into_iter()) {
            Some(meant) => format!("did you mean `{{{{{meant}}}}}`?"),
            None => format!("the placeholders are {}", known.join(", ")),
        };
        Finding::error(Rule::Template, message).at(file, line).hint(hint)
    }
}

/// A TOML array with each item on a line.
fn array<'a>(items: impl Iterator<Item = &'a str>) -> String {
    let lines = items.map(|item| format!("    {},\n", insert::string(item)));
    format!("[\n{}]", lines.collect::<String>())
}
