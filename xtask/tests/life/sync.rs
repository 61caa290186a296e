//! `sync`: only the shared keys are touched, and `--check` touches nothing.

use crate::support::Repo;

const SHARED: &str = "[project]\nrequires-python = \">=3.10\"\nclassifiers = [\"A\", \"B\"]\n\n\
                      [tool.pytest.ini_options]\ntestpaths = [\"tests\"]\n";

fn repository() -> Repo {
    Repo::of::<&str>(&[
        ("pyproject-templates/shared.toml", SHARED),
        ("pyproject-templates/shared/LICENSE", "text\n"),
        (
            "a/pyproject.toml",
            "# mine\r\n[project]\r\nname = \"a\" # name\r\nversion = '1'\r\nrequires-python = '>=3.9' # old\r\n\
             classifiers = [\r\n    \"X\", # own\r\n    \"A\"\r\n]\r\n",
        ),
        (
            "b/pyproject.toml",
            "[project]\nname = \"b\"\nversion = '1'\nrequires-python = '>=3.12'\nclassifiers = ['B', 'A']\n\
             [tool.pytest.ini_options]\ntestpaths = [ 'tests' ]\n\
             [tool.xtask]\ndiffers = { \"project.requires-python\" = \"needs 3.12\" }\n",
        ),
        ("b/LICENSE", "text\r\n"),
    ])
}

#[test]
fn check_lists_every_difference_and_writes_nothing() {
    let repository = repository();
    let before = repository.tree();
    let said = repository.xtask("sync --check").exits(1);
    assert!(!said.stderr.contains("b/"), "{said}");
    assert_eq!(said.stderr.matches("error: ").count(), 4, "{said}");
    said.shows("four differences");
    assert_eq!(repository.tree(), before);
}

#[test]
fn sync_changes_only_the_shared_keys() {
    let repository = repository();
    repository.xtask("sync").exits(0);
    assert_eq!(
        repository.read("a/pyproject.toml"),
        "# mine\r\n[project]\r\nname = \"a\" # name\r\nversion = '1'\r\nrequires-python = \">=3.10\" # old\r\n\
         classifiers = [\r\n    \"X\", # own\r\n    \"A\",\r\n    \"B\"\r\n]\r\n\
         \r\n[tool.pytest.ini_options]\r\ntestpaths = [\"tests\"]\r\n"
    );
    assert_eq!(repository.read("a/LICENSE"), "text\n");
    let after = repository.tree();
    repository.xtask("sync --check").exits(0);
    repository.xtask("sync").exits(0);
    assert_eq!(repository.tree(), after);
}

#[test]
fn an_exemption_needs_a_reason_and_a_difference() {
    let repository = repository();
    let manifest = repository.read("b/pyproject.toml");
    repository.write("b/pyproject.toml", &manifest.replace("'>=3.12'", "'>=3.10'"));
    let said = repository.xtask("sync --check");
    said.shows("an exemption that exempts nothing");
    repository.write("b/pyproject.toml", &manifest.replace("needs 3.12", ""));
    let said = repository.xtask("sync --check").exits(1);
    said.shows("an exemption without a reason");
}

#[test]
fn a_repository_that_shares_nothing_says_so() {
    let repository =
        Repo::of::<&str>(&[("pyproject.toml", "[project]\nname = \"a\"\nversion = '1'\n")]);
    let said = repository.xtask("sync").exits(1);
    said.shows("a repository that shares nothing");
    // As `embed` leaves it where distributions have nothing in common.
    repository.write("pyproject-templates/shared.toml", "# Nothing yet.\n");
    let said = repository.xtask("sync --check").exits(0);
    crate::support::snapshot::section("a shared table that is empty", &said.stdout);
}

#[test]
fn this_repository_is_in_line() {
    let here = Repo::here();
    here.xtask("sync --check").exits(0);
}
