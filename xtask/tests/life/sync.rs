//! `sync`: only the shared keys are touched, and `--check` touches nothing.

use crate::repository::Repository;

const SHARED: &str = "[project]\nrequires-python = \">=3.10\"\nclassifiers = [\"A\", \"B\"]\n\n\
                      [tool.pytest.ini_options]\ntestpaths = [\"tests\"]\n";

fn repository() -> Repository {
    Repository::new(&[
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
    let said = repository.xtask("sync --check").ended(1);
    for line in [
        "error: a/pyproject.toml:5: `project.requires-python` is not `\">=3.10\"`",
        "error: a/pyproject.toml:6: `project.classifiers` lacks \"B\"",
        "error: a/pyproject.toml:9: `tool.pytest.ini_options.testpaths` is missing",
        "error: a/LICENSE:1: LICENSE is missing",
    ] {
        assert!(said.err.contains(line), "{line} is not in\n{}", said.err);
    }
    assert!(!said.err.contains("b/"), "{}", said.err);
    assert_eq!(said.out, "4 differences\n");
    assert_eq!(repository.tree(), before);
}

#[test]
fn what_is_brought_in_line_stays_as_it_was_otherwise() {
    let repository = repository();
    repository.xtask("sync").ended(0);
    assert_eq!(
        repository.read("a/pyproject.toml"),
        "# mine\r\n[project]\r\nname = \"a\" # name\r\nversion = '1'\r\nrequires-python = \">=3.10\" # old\r\n\
         classifiers = [\r\n    \"X\", # own\r\n    \"A\",\r\n    \"B\"\r\n]\r\n\
         \r\n[tool.pytest.ini_options]\r\ntestpaths = [\"tests\"]\r\n"
    );
    assert_eq!(repository.read("a/LICENSE"), "text\n");
    let after = repository.tree();
    assert_eq!(repository.xtask("sync --check").ended(0).out, "2 distributions, all in line\n");
    repository.xtask("sync").ended(0);
    assert_eq!(repository.tree(), after);
}

#[test]
fn an_exemption_needs_a_reason_and_a_difference() {
    let repository = repository();
    let manifest = repository.read("b/pyproject.toml");
    repository.write("b/pyproject.toml", &manifest.replace("'>=3.12'", "'>=3.10'"));
    let said = repository.xtask("sync --check");
    assert!(said.err.contains("b/pyproject.toml:9: `tool.xtask.differs`"), "{}", said.err);
    repository.write("b/pyproject.toml", &manifest.replace("needs 3.12", ""));
    let said = repository.xtask("sync --check").ended(1);
    assert!(said.err.contains("each with the reason"), "{}", said.err);
}

#[test]
fn a_repository_that_shares_nothing_says_so() {
    let repository =
        Repository::new(&[("pyproject.toml", "[project]\nname = \"a\"\nversion = '1'\n")]);
    let said = repository.xtask("sync").ended(1);
    assert!(said.err.contains("this repository shares nothing"), "{}", said.err);
    // As `embed` leaves it where distributions have nothing in common.
    repository.write("pyproject-templates/shared.toml", "# Nothing yet.\n");
    let said = repository.xtask("sync --check").ended(0);
    assert!(said.out.contains("names nothing yet"), "{}", said.out);
}

#[test]
fn this_repository_is_in_line() {
    let here = Repository::at_home();
    here.xtask("sync --check").ended(0);
}
