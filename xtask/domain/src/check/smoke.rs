//! Smoke tests that do not test what a user does first.

use toml_edit::Item;

use crate::check::subject::Subject;
use crate::finding::{Finding, Rule};
use crate::text::toml::start;

/// A command that no smoke test runs, or a distribution of which nothing is tested at all.
pub(super) fn smoke(subject: &Subject) -> Option<Finding> {
    let file = subject.toml.as_ref()?;
    let manifest = &subject.distribution.manifest;
    let smoke = &manifest.config.smoke;
    let scripts = file.get("project.scripts").or_else(|| file.get("tool.poetry.scripts"));
    let names: Vec<&str> = scripts
        .and_then(Item::as_table_like)
        .into_iter()
        .flat_map(|table| table.iter().map(|(name, _)| name))
        .filter(|name| !smoke.commands.iter().any(|command| command[0] == *name))
        .collect();
    if let (Some(first), Some(item)) = (names.first(), scripts) {
        let message = format!("no smoke test runs `{}`", names.join("`, `"));
        return Some(
            Finding::new(Rule::NoSmoke, message).at(&manifest.path, file.line(start(item))).hint(
                format!("add `commands = [[\"{first}\", \"--help\"]]` to `[tool.xtask.smoke]`"),
            ),
        );
    }
    let imports = smoke.imports.as_ref().is_some_and(|imports| !imports.is_empty());
    let tested = imports || !smoke.commands.is_empty() || !subject.modules.files.is_empty();
    let name = file.get("project.name")?;
    // A native module is not a Python file; the wheel still offers it for import.
    let native = file.get("tool.maturin").is_some() || file.get("tool.scikit-build").is_some();
    (!tested && !native).then(|| {
        let message =
            format!("`{}` has no modules, and its smoke test tests nothing", manifest.name);
        Finding::new(Rule::NoSmoke, message)
            .at(&manifest.path, file.line(start(name)))
            .hint("list a module that it installs as `imports` in `[tool.xtask.smoke]`")
    })
}
