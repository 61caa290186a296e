//! `graph`: who needs whom, in four formats.

use serde_json::json;

use crate::support::Repo;

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
    assert_eq!(
        drawn("graph --format mermaid"),
        "graph LR\n  d0[\"core\"]\n  d1[\"sched\"]\n  d2[\"app\"]\n  d1 --> d0\n  d2 --> d0\n  d2 --> d1\n"
    );
    assert_eq!(
        drawn("graph --format dot"),
        "digraph distributions {\n  \"core\";\n  \"sched\";\n  \"app\";\n  \"sched\" -> \"core\";\n  \
         \"app\" -> \"core\";\n  \"app\" -> \"sched\";\n}\n"
    );
    assert_eq!(
        repo.xtask("graph --format json").ok().json(),
        json!({ "packages": [
            { "name": "core", "level": 0, "depends_on": [] },
            { "name": "sched", "level": 1, "depends_on": ["core"] },
            { "name": "app", "level": 2, "depends_on": ["core", "sched"] },
        ]})
    );
    repo.xtask("graph --format svg").refused(2).says("tree or mermaid or dot or json");
}
