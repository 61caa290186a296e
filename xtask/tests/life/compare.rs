//! `tools/api.py`: what code uses of a sibling, held against two versions of that sibling.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::{Scratch, machine};

/// Answers a list of questions.
const ASK: &str = "import sys, json; sys.dont_write_bytecode = True; sys.path.insert(0, sys.argv[1]); \
                   import api; print(json.dumps([api.answer(q) for q in json.load(sys.stdin)]))";

fn ask(questions: &[Value]) -> Vec<String> {
    let tools = concat!(env!("CARGO_MANIFEST_DIR"), "/tools");
    let mut command = Command::new(machine::python());
    command.args(["-I", "-c", ASK, tools]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    serde_json::to_writer(child.stdin.take().unwrap(), questions).unwrap();
    let output = child.wait_with_output().unwrap();
    let answers: Vec<Vec<Value>> = serde_json::from_slice(&output.stdout).unwrap();
    let shown = answers.iter().map(|found| {
        let found: Vec<String> = found
            .iter()
            .map(|one| {
                format!("{} {}", one["name"].as_str().unwrap(), one["why"].as_str().unwrap())
            })
            .collect();
        found.join("; ")
    });
    shown.collect()
}

/// A module `core`, or its files behind lines `# PATH`.
fn write(dir: &Path, package: &str, text: &str) -> String {
    for part in format!("# {package}/__init__.py\n{text}").split("# ").skip(1) {
        let (path, source) = part.split_once('\n').unwrap();
        fs::create_dir_all(dir.join(path).parent().unwrap()).unwrap();
        fs::write(dir.join(path), source).unwrap();
    }
    dir.to_string_lossy().into_owned()
}

#[track_caller]
fn uses(cases: &[(&str, &str, &str, &str)]) {
    let scratch = Scratch::new();
    let questions: Vec<Value> = cases
        .iter()
        .enumerate()
        .map(|(at, (old, new, user, _))| {
            let dir = |name: &str| scratch.path().join(format!("{at}/{name}"));
            json!({
                "user": write(&dir("user"), "app", user),
                "good": [write(&dir("old"), "core", old)],
                "bad": [write(&dir("new"), "core", new)],
            })
        })
        .collect();
    for ((old, new, user, expected), found) in cases.iter().zip(ask(&questions)) {
        assert_eq!(found, *expected, "\n--- {old}\n--- {new}\n--- {user}");
    }
}

#[test]
fn names_that_are_gone() {
    let f = "def old(): pass";
    uses(&[
        (f, "def new(): pass", "from core import old", "core.old is missing"),
        (f, "", "def f():\n  import core as c\n  return c.old()", "core.old is missing"),
        (f, "def _old(): pass", "from core import *\nold()", "core.old is missing"),
        ("# core/a.py\nx = 1", "", "import core.a", "core.a is missing"),
        (
            "# core/a.py\nx = 1",
            "",
            "import importlib\nimportlib.import_module('core.a')",
            "core.a is missing",
        ),
        ("from .a import x\n# core/a.py\nx = 1", "", "from core import x", "core.x is missing"),
        ("# b/__init__.py\nx = 1", "", "from b import x", "b is missing"),
        ("def _h(): pass", "", "from core import _h", "core._h is missing"),
        (
            "class E(Exception): pass",
            "",
            "import core\ntry:\n  f()\nexcept core.E: pass",
            "core.E is missing",
        ),
    ]);
}

#[test]
fn names_that_are_still_there() {
    let f = "def old(): pass";
    uses(&[
        (f, "from .a import old\n# core/a.py\ndef old(): pass", "from core import old", ""),
        (
            "# core/a.py\nx = 1",
            "# core/a.py\nfrom core.b import *\n# core/b.py\nx = 1",
            "from core.a import x",
            "",
        ),
        (f, "def __getattr__(name): return 1", "from core import old", ""),
        (f, "from json import loads as old", "from core import old", ""),
        ("def _h(): pass", "", "import core", ""),
        (
            "import sys\nif sys.version_info > (3, 8):\n  def f(a): pass\nelse:\n  def f(a, b): pass",
            "def f(a): pass",
            "import core\ncore.f(1)",
            "",
        ),
    ]);
}

#[test]
fn code_that_is_prepared() {
    let f = "def old(): pass";
    uses(&[
        (
            f,
            "",
            "try:\n  from core import old\nexcept ImportError:\n  old = None\ndef f(): old()",
            "",
        ),
        (f, "", "import core\nif hasattr(core, 'old'):\n  core.old()", ""),
        (f, "", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n  from core import old", ""),
        (f, "", "import core\nif core.__version__ < '2':\n  core.old()", ""),
        (f, "", "import core\ndef f(core):\n  core.old()", ""),
    ]);
}

#[test]
fn calls() {
    let call = |call: &str| format!("import core\ncore.{call}");
    uses(&[
        (
            "def f(a, b=1): pass",
            "def f(a, c=1): pass",
            &call("f(1, b=2)"),
            "core.f() has no argument `b`",
        ),
        ("def f(a, b=1): pass", "def f(a, c=1): pass", &call("f(1, 2)"), ""),
        (
            "def f(a): pass",
            "def f(a, b): pass",
            &call("f(1)"),
            "core.f() requires the argument `b`",
        ),
        ("def f(a): pass", "def f(a, b=1, *c): pass", &call("f(1)"), ""),
        (
            "def f(a, b=1): pass",
            "def f(a, *, b=1): pass",
            &call("f(1, 2)"),
            "core.f() takes 1 positional arguments, not 2",
        ),
        ("def f(a): pass", "def f(a, b): pass", &call("f(*x)"), ""),
        ("@d\ndef f(a): pass", "@d\ndef f(a, b): pass", &call("f(1)"), ""),
        (
            "class C:\n  def __init__(self, a): pass",
            "class C:\n  def __init__(self, a, b): pass",
            &call("C(1)"),
            "core.C() requires the argument `b`",
        ),
        (
            "from dataclasses import dataclass\n@dataclass\nclass C:\n  a: int",
            "from dataclasses import dataclass\n@dataclass\nclass C:\n  b: int",
            &call("C(a=1)"),
            "core.C() has no argument `a`",
        ),
    ]);
}

#[test]
fn classes() {
    let with = "class C:\n  def go(self): pass";
    let base = |parameters: &str, call: &str| {
        format!("class C:\n  def go(self, {parameters}): pass\n  def run(self): self.go({call})")
    };
    let own = "from core import C\nclass D(C):\n  def go(self, a): pass";
    let taken = "D.go() takes 1 positional arguments, not 2, and is called so by now";
    uses(&[
        (
            with,
            "class C: pass",
            "import core\ndef f():\n  c = core.C()\n  c.go()",
            "core.C().go is missing",
        ),
        (
            with,
            "class B:\n  def go(self): pass\nclass C(B): pass",
            "from core import C\nC().go()",
            "",
        ),
        (
            with,
            "class C: pass",
            "from core import C\nclass D(C):\n  def x(self): self.go()",
            "app.D().go is missing",
        ),
        (
            &format!("{with}\ndef make() -> C: pass"),
            "class C: pass\ndef make() -> C: pass",
            "import core\ncore.make().go()",
            "core.make().go is missing",
        ),
        (&base("a", "1"), &base("a, b", "1, 2"), own, taken),
        (&base("a", "1"), &base("a, b=1", "1, 2"), own, taken),
        (&base("a", "1"), &base("a, b=1", "1"), own, ""),
        (
            &base("a", "1"),
            &base("a, b", "1, 2"),
            "from core import C\nclass D(C):\n  def go(self, *a): pass",
            "",
        ),
        (
            "from abc import ABC\nclass C(ABC): pass",
            "from abc import ABC, abstractmethod\nclass C(ABC):\n  @abstractmethod\n  def b(self): ...",
            "from core import C\nclass D(C): pass",
            "core.C.b is abstract, and `D` has no such method",
        ),
    ]);
}
