//! Writes the receipt of a tested release, and takes over the files that one vouches for.

use std::fs;
use std::path::Path;

use anyhow::{Result, anyhow};
use domain::finding::Rule;
use domain::ids::PackageId;
use domain::release::ledger::Ledger;
use domain::release::preflight::Check;
use domain::release::receipt::{Receipt, TestedPackage};

use crate::effects::clock;
use crate::effects::release::ledger::write_json;
use crate::effects::release::outcome::StageOutcome;
use crate::effects::release::run::Run;

const RECEIPT: &str = "receipt.json";

impl Run<'_> {
    /// Writes the receipt, once every package has passed its smoke test.
    pub(super) fn write_receipt(&self) -> Result<()> {
        let packages = self.states.ids().map(|id| {
            let state = self.state(id);
            let stages = state.stages.iter().map(|report| (report.stage, report.detail.clone()));
            TestedPackage {
                name: self.distribution(id).name().to_string(),
                version: self.package(id).version.to_string(),
                tag: self.package(id).tag.clone(),
                files: state.ledger.as_ref().map(|ledger| ledger.files.clone()).unwrap_or_default(),
                stages: stages.collect(),
            }
        });
        let receipt = Receipt {
            commit: self.release.head.to_owned(),
            at: clock::now(),
            packages: packages.collect(),
        };
        let dist = &self.release.target.git_target.dist;
        // The receipt would make the tree dirty in a repository that does not ignore `dist/`.
        let ignored = dist.join(".gitignore");
        if !ignored.exists() {
            fs::write(&ignored, "*\n")?;
        }
        write_json(dist, RECEIPT, &receipt.to_json())
    }

    /// Takes over the files of a package, which the preflight has found to be the tested ones.
    pub(super) fn take_tested(&self, id: PackageId) -> Result<StageOutcome> {
        let ledger = self.release.ledgers.get(&self.package(id).distribution);
        let ledger = ledger.ok_or_else(|| anyhow!("it has not been built"))?;
        self.state(id).ledger = Some(ledger.clone());
        Ok(StageOutcome::skipped("tested, as dist/receipt.json says"))
    }
}

/// Whether the receipt in `dist` vouches for the files of all packages: each with its name, its version
/// and the ledger of its built files. `head` is the commit that is released.
pub(crate) fn checks<'a>(
    dist: &Path,
    head: &str,
    packages: impl Iterator<Item = (String, String, Option<&'a Ledger>)>,
) -> Vec<Check> {
    let receipt = match load(dist) {
        Ok(receipt) => receipt,
        Err(check) => return vec![check],
    };
    let checks = packages.map(|(name, version, ledger)| {
        match receipt.covers(head, &name, &version, ledger) {
            Ok(()) => {
                Check::passed(Rule::Receipt, format!("{name} {version}: tested {}", receipt.at))
            }
            Err(why) => failed(why.to_string()),
        }
    });
    let mut checks: Vec<Check> = checks.collect();
    // A receipt of another commit fails for every package in the same words.
    checks.dedup();
    checks
}

fn load(dist: &Path) -> Result<Receipt, Check> {
    let path = dist.join(RECEIPT);
    let text = fs::read_to_string(&path)
        .map_err(|error| failed(format!("cannot read `{}`: {error}", path.display())))?;
    let receipt = jzon::parse(&text).ok().and_then(|value| Receipt::from_json(&value));
    receipt.ok_or_else(|| failed(format!("`{}` is not a valid receipt", path.display())))
}

/// A check that fails since the files are not known to be tested.
fn failed(why: impl Into<String>) -> Check {
    let hint = "run the same command with `--until staged` instead of `--tested`, which tests the files and writes the receipt";
    Check::failed(Rule::Receipt, why, hint)
}
