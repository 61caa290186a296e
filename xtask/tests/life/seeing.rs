//! What a person is shown: a table that fits the page, three states for each index, and a graph
//! in the README that is the one there is.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::repository::Repository;

#[test]
fn status_fits_80_columns() {
    let manifest = |name: &str, needs: &[String]| {
        let needs: Vec<String> = needs.iter().map(|need| format!("\"{need}>=1\"")).collect();
        format!(
            "[project]\nname = \"{name}\"\nversion = \"1.0.0\"\ndependencies = [{}]\n",
            needs.join(", ")
        )
    };
    let names: Vec<String> = (0..12).map(|number| format!("distribution-{number}")).collect();
    let repository = Repository::new(&[]);
    names.iter().for_each(|name| {
        repository.write(&format!("{name}/pyproject.toml"), &manifest(name, &[]));
    });
    repository.write("all/pyproject.toml", &manifest("all", &names));
    repository.commit();
    let said = repository.xtask("status").ended(0);
    assert!(said.out.lines().all(|line| line.chars().count() <= 80), "{}", said.out);
    assert!(names.iter().all(|name| said.out.contains(name.as_str())), "{}", said.out);
}

/// Files over HTTP until the test is over.
struct Server(Child, String);

impl Server {
    fn start(dir: &Repository) -> Server {
        let mut server = Command::new("python3");
        server.args(["-u", "-m", "http.server", "--bind", "127.0.0.1", "0", "-d"]).arg(&dir.0);
        let mut server = server.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.split("port ").nth(1).unwrap().split(' ').next().unwrap();
        Server(server, format!("http://127.0.0.1:{port}"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn an_index_has_a_version_or_not_or_does_not_say() {
    let repository = Repository::of_a_namespace();
    let index = Repository::new(&[(
        "simple/ns-core/index.html",
        "<a href=\"../../ns_core-1.2.0-py3-none-any.whl\">x</a> <a href=\"ns_core-1.0.tar.gz\">y</a>",
    )]);
    let server = Server::start(&index);
    let home = Repository::new(&[(
        ".pypirc",
        &format!(
            "[distutils]\nindex-servers =\n  testpypi\n  pypi\n\
             [testpypi]\nrepository = http://127.0.0.1:9/legacy/\n[pypi]\nrepository = {}/legacy/\n",
            server.1
        ),
    )]);
    let status = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.arg("--root").arg(&repository.0).args(["status", "--online"]).args(arguments);
        let output = command.env("HOME", &home.0).env("USERPROFILE", &home.0).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let json: Value = serde_json::from_str(&status(&["--json"]).0).unwrap();
    let online: Vec<_> =
        json["packages"].as_array().unwrap().iter().map(|p| &p["online"]).collect();
    assert_eq!(online[0], &serde_json::json!({ "testpypi": "unknown", "pypi": "published" }));
    assert_eq!(online[1], &serde_json::json!({ "testpypi": "unknown", "pypi": "absent" }));
    let (table, notes) = status(&[]);
    assert!(table.contains("ns-core       1.2.0    never tagged  unknown   published"), "{table}");
    assert!(notes.contains("unknown: testpypi: it cannot be reached"), "{notes}");

    // A name that is taken, and one that cannot be told to be free.
    let new = |name: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.arg("--root").arg(&repository.0).args(["new", name, "--online"]);
        let output = command.env("HOME", &home.0).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    fs::create_dir_all(index.path("simple/ns-taken")).unwrap();
    fs::copy(index.path("simple/ns-core/index.html"), index.path("simple/ns-taken/index.html"))
        .unwrap();
    let said = new("ns-taken");
    assert!(said.contains("ns-taken is taken on pypi"), "{said}");
    assert!(said.contains("testpypi was asked for ns-taken: it cannot be reached"), "{said}");
    assert!(!new("ns-free").contains("is taken"));
    assert!(!repository.path("packages/ns-taken").exists());
}

#[test]
fn the_graph_in_the_readme_is_the_one_there_is() {
    let here = Repository::at_home();
    let Ok(readme) = fs::read_to_string(here.path("README.md")) else { return };
    let block = readme.split("```mermaid\n").nth(1).and_then(|rest| rest.split("```").next());
    let graph = here.xtask("graph --format mermaid").ended(0).out;
    assert_eq!(block, Some(graph.as_str()), "cargo xtask graph --format mermaid");
}

/// What goes on and for how long, on a terminal; elsewhere one plain line for each finished stage.
#[cfg(unix)]
#[test]
fn a_terminal_shows_what_is_running_and_for_how_long() {
    let repository = Repository::new(&[
        (
            "pyproject.toml",
            "[build-system]\nrequires = [\"hatchling>=1.27\"]\nbuild-backend = \"hatchling.build\"\n\
             [project]\nname = \"seen\"\nversion = \"1.0\"\nreadme = \"GONE.md\"\n",
        ),
        ("seen.py", ""),
    ]);
    repository.commit();
    let plain = repository.xtask("release all --rehearse").ended(1).err;
    assert!(!plain.contains('\x1b') && !plain.contains('\r'), "{plain}");

    let in_a_terminal = "import os, pty, sys; sys.exit(pty.spawn(sys.argv[1:]) != 256)";
    let mut command = Command::new("python3");
    command.args(["-c", in_a_terminal, env!("CARGO_BIN_EXE_xtask"), "--root"]).arg(&repository.0);
    command.args(["release", "all", "--rehearse"]).stdin(Stdio::null());
    command.env_remove("GITHUB_ACTIONS").env_remove("NO_COLOR");
    let output = command.output().unwrap();
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{shown}");
    let live = shown.split("\r\x1b[2K").any(|line| line.contains("… seen 1.0: build 0 s"));
    assert!(live, "{shown}");
    assert!(shown.contains("seen 1.0                       build"), "{shown}");
}
