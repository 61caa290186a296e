//! Every rule with its explanation, for `check --list` and for the tests that ask for a fixture
//! of each.

/// One rule.
pub struct Rule {
    pub name: &'static str,
    /// What is wrong, and why it matters.
    pub why: &'static str,
    /// Whether `--fix` can mend it.
    pub fixable: bool,
}

const fn rule(name: &'static str, fixable: bool, why: &'static str) -> Rule {
    Rule { name, why, fixable }
}

/// All rules, by name.
pub const RULES: [Rule; 20] = [
    rule(
        "ambiguous-tag",
        false,
        "A tag of one distribution could be read as a tag of another, so that nothing can tell \
         which of them was released.",
    ),
    rule(
        "config",
        false,
        "A key of this tool's configuration is not known, or holds something else than it should.",
    ),
    rule(
        "cycle",
        false,
        "Distributions need each other: no order of release puts every dependency first.",
    ),
    rule(
        "dependencies-table",
        true,
        "[project.dependencies] is a table; build backends want the array of PEP 621.",
    ),
    rule(
        "direct-reference",
        false,
        "What is published requires something from a path or an address; an index refuses that.",
    ),
    rule("duplicate-name", false, "Two distributions have one name (PEP 503); an index has one."),
    rule(
        "license",
        false,
        "A license file that is named is not there (the build fails), or nothing says under which \
         license the distribution is.",
    ),
    rule("name", false, "The distribution's name is not one that PEP 508 allows."),
    rule(
        "namespace-init",
        true,
        "A distribution ships the __init__.py of a namespace that others live in too (PEP 420): \
         it hides their modules. An empty one can be removed.",
    ),
    rule(
        "no-range",
        false,
        "A requirement on a sibling has no range: it admits versions that cannot work.",
    ),
    rule(
        "no-smoke",
        false,
        "A command that the distribution installs is not run by its smoke test, or the smoke test \
         of a distribution without modules tests nothing.",
    ),
    rule(
        "py-typed",
        true,
        "`Typing :: Typed` is promised without a py.typed (PEP 561), or the siblings are typed \
         and this one is not.",
    ),
    rule("readme", false, "The README that is named is not there, or there is none for the index."),
    rule("requirement-syntax", false, "A requirement is not one (PEP 508)."),
    rule(
        "requires-python",
        false,
        "`requires-python` admits a Python that a sibling it needs does not: there it cannot be \
         installed.",
    ),
    rule(
        "stale-lock",
        true,
        "uv.lock or poetry.lock has another version of a distribution than the repository.",
    ),
    rule(
        "stale-range",
        true,
        "A range on a sibling excludes the version in this repository; --fix moves it as a bump of \
         that sibling would.",
    ),
    rule("toml-syntax", false, "A file that should be TOML is not."),
    rule("version", false, "The version is computed, or nothing says where it stands."),
    rule(
        "version-copy",
        true,
        "A second copy of the version differs from the one that counts, or a file listed in \
         `version-files` does not have it.",
    ),
];
