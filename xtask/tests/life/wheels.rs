//! `release --wheels`: what other machines built is released with what was built here.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::Repo;

fn repository() -> Repo {
    let repository = Repo::of::<&str>(&[
        (
            "core/pyproject.toml",
            "[build-system]\nrequires = [\"hatchling>=1.27\"]\nbuild-backend = \"hatchling.build\"\n\
             [project]\nname = \"life-core\"\nversion = \"1.0.0\"\nrequires-python = \">=3.10\"\nreadme = \"README.md\"\n\
             [tool.hatch.build.targets.wheel]\npackages = [\"src/life_core\"]\n",
        ),
        ("core/README.md", "What it is for.\n"),
        ("core/src/life_core/__init__.py", ""),
        (".gitignore", "/target/\n/dist/\n"),
    ]);
    repository.record("state");
    repository
}

/// A wheel of the distribution, as another machine would have built it.
fn wheel(path: &Path) {
    let write = r#"
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as wheel:
    wheel.writestr("life_core/__init__.py", "")
    info = "life_core-1.0.0.dist-info"
    described = "Description-Content-Type: text/markdown\n\nWhat it is for.\n"
    wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: life-core\nVersion: 1.0.0\nRequires-Python: >=3.10\n" + described)
    wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-win_amd64\n")
    wheel.writestr(f"{info}/RECORD", "life_core/__init__.py,,\n" + "".join(f"{info}/{name},,\n" for name in ("METADATA", "WHEEL", "RECORD")))
"#;
    let done = Command::new("python3").args(["-c", write]).arg(path).status().unwrap();
    assert!(done.success());
}

/// The files of the one package in the JSON of a release.
fn files(said: &str) -> Vec<String> {
    let json: Value = serde_json::from_str(said).unwrap();
    let files = json["packages"][0]["files"].as_array().unwrap().clone();
    files.iter().map(|file| file["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn wheels_of_other_platforms_are_published_too() {
    let repository = repository();
    let elsewhere = repository.path("target/wheels/windows");
    fs::create_dir_all(&elsewhere).unwrap();
    let windows = "life_core-1.0.0-py3-none-win_amd64.whl";
    wheel(&elsewhere.join(windows));
    // Of another version: nobody asked for it.
    wheel(&elsewhere.join("life_core-0.9.0-py3-none-any.whl"));

    let wheels = repository.path("target/wheels").display().to_string();
    let said =
        repository.xtask(&format!("release all --rehearse --json --wheels {wheels}")).exits(0);
    assert_eq!(
        files(&said.stdout),
        ["life_core-1.0.0-py3-none-any.whl", windows, "life_core-1.0.0.tar.gz"]
    );

    // The same name with other bytes is not the same file.
    fs::write(elsewhere.join("life_core-1.0.0-py3-none-any.whl"), "other").unwrap();
    let said = repository.xtask(&format!("release all --rehearse --wheels {wheels}")).exits(1);
    said.shows("a collected wheel that differs from the built one");
}
