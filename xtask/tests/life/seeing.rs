//! What a person is shown: a table that fits the page, three states for each index, and a graph
//! in the README that is the one there is.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::support::{Repo, snapshot};

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
    let repository = Repo::of::<&str>(&[]);
    names.iter().for_each(|name| {
        repository.write(&format!("{name}/pyproject.toml"), &manifest(name, &[]));
    });
    repository.write("all/pyproject.toml", &manifest("all", &names));
    repository.record("state");
    let said = repository.xtask("status").exits(0);
    assert!(said.stdout.lines().all(|line| line.chars().count() <= 80), "{}", said.stdout);
    assert!(names.iter().all(|name| said.stdout.contains(name.as_str())), "{}", said.stdout);
}

#[test]
fn json_is_one_object_also_when_refused() {
    let repository = Repo::of_a_namespace();
    let empty = Repo::of::<&str>(&[("pyproject.toml", "[project\n")]);
    for (repository, command, code, rule) in [
        (&repository, "bump nope minor --json", 2, "target"),
        (&repository, "release nope --json", 2, "target"),
        (&repository, "bump --json --nope", 2, "usage"),
        (&empty, "status --json", 1, "toml-syntax"),
        (&empty, "graph --format json", 1, "toml-syntax"),
        (&empty, "bump --json", 1, "toml-syntax"),
    ] {
        let said = repository.xtask(command).exits(code);
        let json: Value = serde_json::from_str(&said.stdout).unwrap_or_else(|why| {
            panic!("`{command}` prints no JSON: {why}\n{}", said.stdout);
        });
        assert_eq!(json["findings"][0]["rule"], rule, "{command}: {json}");
    }
}

/// Files over HTTP until the test is over.
struct Server(Child, String);

impl Server {
    fn start(dir: &Repo) -> Server {
        let mut server = Command::new("python3");
        server.args(["-u", "-m", "http.server", "--bind", "127.0.0.1", "0", "-d"]).arg(dir.root());
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
fn status_online_tells_published_absent_and_unknown_apart() {
    let repository = Repo::of_a_namespace();
    let index = Repo::of::<&str>(&[(
        "simple/ns-core/index.html",
        "<a href=\"../../ns_core-1.2.0-py3-none-any.whl\">x</a> <a href=\"ns_core-1.0.tar.gz\">y</a>",
    )]);
    let server = Server::start(&index);
    let pypirc = format!(
        "[distutils]\nindex-servers =\n  testpypi\n  pypi\n\
         [testpypi]\nrepository = http://127.0.0.1:9/legacy/\n[pypi]\nrepository = {}/legacy/\n",
        server.1
    );
    fs::write(repository.home().join(".pypirc"), pypirc).unwrap();
    let json = repository.xtask("status --online --json").ok().json();
    let online: Vec<_> =
        json["packages"].as_array().unwrap().iter().map(|p| &p["online"]).collect();
    assert_eq!(online[0], &serde_json::json!({ "testpypi": "unknown", "pypi": "published" }));
    assert_eq!(online[1], &serde_json::json!({ "testpypi": "unknown", "pypi": "absent" }));
    let run = repository.xtask("status --online").ok().shows("an index that cannot be reached");
    snapshot::section("the state of each index", &run.stdout);

    // A name that is taken, and one that cannot be told to be free.
    fs::create_dir_all(index.path("simple/ns-taken")).unwrap();
    fs::copy(index.path("simple/ns-core/index.html"), index.path("simple/ns-taken/index.html"))
        .unwrap();
    repository.xtask("new ns-taken --online").exits(1).shows("a name that is taken");
    repository.xtask("new ns-free --online").exits(1).shows("a name that may be free");
    assert!(!repository.path("packages/ns-taken").exists());
}

#[test]
fn the_graph_in_the_readme_is_current() {
    let here = Repo::here();
    let Ok(readme) = fs::read_to_string(here.path("README.md")) else { return };
    let block = readme.split("```mermaid\n").nth(1).and_then(|rest| rest.split("```").next());
    let graph = here.xtask("graph --format mermaid").exits(0).stdout;
    assert_eq!(block, Some(graph.as_str()), "cargo xtask graph --format mermaid");
}

/// What goes on and for how long, on a terminal; elsewhere one plain line for each finished stage.
#[cfg(unix)]
#[test]
fn a_terminal_shows_what_is_running_and_for_how_long() {
    let repository = Repo::of::<&str>(&[
        (
            "pyproject.toml",
            "[build-system]\nrequires = [\"hatchling>=1.27\"]\nbuild-backend = \"hatchling.build\"\n\
             [project]\nname = \"seen\"\nversion = \"1.0\"\nreadme = \"GONE.md\"\n",
        ),
        ("seen.py", ""),
    ]);
    repository.record("state");
    let plain = repository.xtask("release all --rehearse").exits(1).stderr;
    assert!(!plain.contains('\x1b') && !plain.contains('\r'), "{plain}");

    let in_a_terminal = "import os, pty, sys; sys.exit(pty.spawn(sys.argv[1:]) != 256)";
    let mut command = Command::new("python3");
    command
        .args(["-c", in_a_terminal, env!("CARGO_BIN_EXE_xtask"), "--root"])
        .arg(repository.root());
    command.args(["release", "all", "--rehearse"]).stdin(Stdio::null());
    command.env_remove("GITHUB_ACTIONS").env_remove("NO_COLOR");
    let output = command.output().unwrap();
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{shown}");
    let live = shown.split("\r\x1b[2K").any(|line| line.contains("… seen 1.0: build 0 s"));
    assert!(live, "{shown}");
    assert!(shown.contains("seen 1.0                       build"), "{shown}");
}
