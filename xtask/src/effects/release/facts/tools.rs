//! The Python tools, and the credentials that twine has for the indexes.

use domain::finding::Rule;
use domain::release::index_address::token_variable;
use domain::release::preflight::{self, Check, CredentialFacts};

use crate::effects::index::twine::{self, Repository};
use crate::effects::python::tools::Tools;
use crate::effects::release::target::ReleaseTarget;

/// The checks of the tools, and of the credentials for the indexes that the plan uploads to.
pub(crate) fn checks(target: &ReleaseTarget, tools: &Tools, uploads: Uploads) -> Vec<Check> {
    let mut checks = vec![Check::passed(Rule::Tools, versions(tools))];
    if uploads.to_staging {
        checks.push(credentials(&target.staging));
    }
    if uploads.to_index {
        checks.push(credentials(&target.index));
    }
    if uploads.to_staging && uploads.to_index {
        let shared = twine::shared_secret(&target.staging, &target.index);
        checks.push(preflight::separate_secrets(shared));
    }
    checks
}

/// The indexes that a release uploads to.
#[derive(Clone, Copy)]
pub(crate) struct Uploads {
    pub(crate) to_staging: bool,
    pub(crate) to_index: bool,
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
