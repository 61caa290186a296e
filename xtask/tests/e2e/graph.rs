//! `graph`: who needs whom, in four formats.

use serde_json::json;

use crate::support::Repo;

const MERMAID: &str = r#"graph LR
  d0["core"]
  d1["sched"]
  d2["app"]
  d1 --> d0
  d2 --> d0
  d2 --> d1
"#;

const DOT: &str = r#"digraph distributions {
  "core";
  "sched";
  "app";
  "sched" -> "core";
  "app" -> "core";
  "app" -> "sched";
}
"#;

#[test]
fn the_graph_in_every_format() {
    let repo = Repo::new()
        .package("core", "2.3.0")
        .package("sched", "1.5.0: core")
        .package("app", "2.3.0: core, sched")
        .commit();
    let drawn = |line: &str| repo.xtask(line).ok().stdout;
    let tree = "level 0\n  core\nlevel 1\n  sched  needs core\nlevel 2\n  app  needs core, sched\n";
    assert_eq!(drawn("graph"), tree);
    assert_eq!(drawn("graph --format mermaid"), MERMAID);
    assert_eq!(drawn("graph --format dot"), DOT);
    assert_eq!(
        repo.xtask("graph --format json").ok().json(),
        json!({ "packages": [
            { "name": "core", "level": 0, "depends_on": [] },
            { "name": "sched", "level": 1, "depends_on": ["core"] },
            { "name": "app", "level": 2, "depends_on": ["core", "sched"] },
        ]})
    );
    repo.xtask("graph --format svg").refused(2).shows("an unknown format");
}
