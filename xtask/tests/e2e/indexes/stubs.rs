//! The two indexes of a release as stubs, and what has to hold of them in the end.

use super::index::write_pypirc;
use super::stub::Stub;
use crate::support::{Repo, sha256};

pub(crate) struct Stubs {
    pub staging: Stub,
    pub index: Stub,
}

impl Stubs {
    /// Two that let anybody in, with a password for each in `.pypirc`.
    pub(crate) fn open(repo: &Repo) -> Stubs {
        let stubs = Stubs { staging: Stub::start(), index: Stub::start() };
        let login = |password| format!("username = somebody\npassword = {password}\n");
        stubs.name_them(repo, [login("first-secret"), login("second-secret")]);
        stubs
    }

    /// Writes `.pypirc`, with the rest of both sections.
    pub(crate) fn name_them(&self, repo: &Repo, logins: [String; 2]) {
        write_pypirc(repo, [self.staging.port(), self.index.port()], logins);
    }

    /// Everything that was asked for is on both, each file stored once, with the bytes that the
    /// ledgers vouch for, and tagged on the commit that they name.
    #[track_caller]
    pub(crate) fn have_once(&self, repo: &Repo, versions: &[&str]) {
        let mut expected: Vec<String> = versions.iter().flat_map(|v| files_of(v)).collect();
        expected.sort();
        for stub in [&self.staging, &self.index] {
            let mut accepted = stub.accepted();
            accepted.sort();
            assert_eq!(accepted, expected, "each file once\n{}", stub.log().join("\n"));
        }
        for version in versions {
            let ledger = repo.ledger(version);
            for file in ledger["files"].as_array().unwrap() {
                let bytes = self.index.bytes(file["name"].as_str().unwrap());
                assert_eq!(file["sha256"], sha256(&bytes));
            }
        }
        let tag = |version: &&str| {
            let commit = repo.ledger(version)["commit"].as_str().unwrap().to_owned();
            let (name, number) = version.rsplit_once('-').unwrap();
            (format!("{name}-v{number}"), "tag".to_owned(), commit)
        };
        let mut tags: Vec<_> = versions.iter().map(tag).collect();
        tags.sort();
        assert_eq!(repo.remote_tags(), tags, "tags on the commit that was built");
    }
}

fn files_of(version: &str) -> [String; 2] {
    [format!("{version}-py3-none-any.whl"), format!("{version}.tar.gz")]
}
