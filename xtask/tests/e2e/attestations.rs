//! Attestations (PEP 740) that lie beside files go with them to the index, those of collected wheels
//! too. Who signs them, and with what identity, is the workflow's business.

use std::fs;
use std::path::Path;

use crate::indexes::Stubs;
use crate::support::Repo;

fn sign(file: &Path) {
    fs::write(format!("{}.publish.attestation", file.display()), "{\"version\": 1}").unwrap();
}

#[test]
fn signed_files_are_uploaded_with_their_attestations() {
    let repo = Repo::new().package("core", "2.3.0").commit();
    let stubs = Stubs::open(&repo);
    repo.xtask("release all --yes --until built").ok();
    let here = ["core-2.3.0-py3-none-any.whl", "core-2.3.0.tar.gz"];
    let built = here.map(|name| repo.path("dist/core-2.3.0").join(name));
    built.iter().for_each(|file| sign(file));
    // As a job for another platform would have handed it over.
    let elsewhere = "core-2.3.0-py3-none-win_amd64.whl";
    let wheels = repo.beside("wheels");
    fs::create_dir_all(&wheels).unwrap();
    fs::copy(&built[0], wheels.join(elsewhere)).unwrap();
    sign(&wheels.join(elsewhere));

    repo.xtask("release all --yes --wheels ../wheels").ok();
    for stub in [&stubs.staging, &stubs.index] {
        assert_eq!(stub.attested(), [here[0], elsewhere, here[1]], "{}", stub.log().join("\n"));
    }
}
