//! Carrying out a release: the facts that it starts from, and one file for each of its stages.
//!
//! `carry_out` runs the plan, `run` holds the state of the packages, `outcome` is the report.

mod adopt;
mod build;
pub(crate) mod build_one;
mod carry_out;
mod check;
pub(crate) mod collect_wheels;
mod evidence;
pub(crate) mod facts;
pub(crate) mod ledger;
pub(crate) mod notes;
mod outcome;
mod publish;
mod published;
pub(crate) mod receipt;
mod report_failure;
mod restage;
mod run;
mod smoke_stage;
mod staging;
mod tag;
pub(crate) mod target;
mod upload;

pub(crate) use outcome::{Interruption, PackageReport, ReleaseOutcome, StageReport, Status};
pub(crate) use run::Release;
