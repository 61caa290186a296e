//! Attestations (PEP 740) that lie beside files go with them to the index, those of collected wheels
//! too. Who signs them, and with what identity, is the workflow's business.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::indexes::Stubs;
use crate::support::Repo;

fn sign(file: &Path) {
    fs::write(format!("{}.publish.attestation", file.display()), "{\"version\": 1}").unwrap();
}

/// A copy of a wheel for Windows.
fn retagged(wheel: &Path, to: &Path) {
    const SCRIPT: &str = r#"
import base64, hashlib, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as old, zipfile.ZipFile(sys.argv[2], "w") as new:
    files = {info.filename: old.read(info) for info in old.infolist()}
    tag = next(name for name in files if name.endswith("/WHEEL"))
    record = next(name for name in files if name.endswith("/RECORD"))
    files[tag] = files[tag].replace(b"none-any", b"none-win_amd64")
    digest = lambda content: base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
    rows = [f"{name},sha256={digest(content)},{len(content)}" for name, content in files.items() if name != record]
    files[record] = "\n".join([*rows, record + ",,", ""]).encode()
    for name, content in files.items():
        new.writestr(name, content)
"#;
    let python = Command::new("python3").args(["-I", "-c", SCRIPT]).args([wheel, to]).status();
    assert!(python.unwrap().success());
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
    retagged(&built[0], &wheels.join(elsewhere));
    sign(&wheels.join(elsewhere));

    repo.xtask("release all --yes --wheels ../wheels").ok();
    for stub in [&stubs.staging, &stubs.index] {
        assert_eq!(stub.attested(), [here[0], elsewhere, here[1]], "{}", stub.log().join("\n"));
    }
}
