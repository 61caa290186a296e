//! The Python tools, and the credentials that twine has for the indexes.

use domain::finding::Rule;
use domain::release::index_address::token_variable;
use domain::release::preflight::{self, Check, CredentialFacts};

use crate::effects::index::twine::{self, Repository};
use crate::effects::python::tools::Tools;
use crate::effects::release::target::ReleaseTarget;

/// The checks of the tools and of the credentials for both indexes.
pub(crate) fn checks(target: &ReleaseTarget, tools: &Tools) -> Vec<Check> {
    vec![
        credentials(&target.staging),
        credentials(&target.index),
        preflight::separate_secrets(twine::shared_secret(&target.staging, &target.index)),
        Check::passed(Rule::Tools, versions(tools)),
    ]
}

fn credentials(repository: &Repository) -> Check {
    let source = match &repository.index {
        Ok(_) => Ok(repository.credentials.clone()),
        Err(why) => Err(why.clone()),
    };
    preflight::credentials(&CredentialFacts {
        repository: &repository.name,
        variable: &token_variable(&repository.name),
        source,
    })
}

fn versions(tools: &Tools) -> String {
    let mut versions = vec![format!("Python {}", tools.interpreter.version)];
    for name in ["build", "twine", "pip"] {
        versions.extend(Tools::version_of(name).map(|version| format!("{name} {version}")));
    }
    versions.join(", ")
}
