//! flit: `__version__` of the module.

use toml_edit::Item;

use crate::manifest::backends::context::{VersionContext, line};
use crate::manifest::python_attribute::module_attribute;
use crate::manifest::version_source::{DeclaredVersion, unknown};

/// flit: `__version__` of the module, which bears the distribution's name unless configured.
pub(crate) fn version(context: &VersionContext<'_>) -> DeclaredVersion {
    let file = context.file;
    let configured =
        file.get("tool.flit.module.name").or_else(|| file.get("tool.flit.metadata.module"));
    let module = match configured.and_then(Item::as_str) {
        Some(module) => module.to_owned(),
        None => context.name.replace('-', "_"),
    };
    module_attribute(context.files, context.dir, &format!("{module}.__version__"))
        .unwrap_or_else(|reason| unknown(&file.path, line(file, "project.name"), reason))
}
