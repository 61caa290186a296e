//! Environment variables that children must not get: those that redirect pip, twine or Python
//! unnoticed, and secrets.

/// The pip settings that say how to reach the default index. All others are dropped.
pub const PIP_KEPT: [&str; 11] = [
    "index-url",
    "cert",
    "client-cert",
    "proxy",
    "trusted-host",
    "timeout",
    "default-timeout",
    "retries",
    "cache-dir",
    "keyring-provider",
    "disable-pip-version-check",
];

/// Variables with which git answers for another repository, another index, other attributes or
/// other paths than those that it was started in, and hooks, `!` aliases and `rebase --exec` set
/// some of them: nothing that this tool starts sees one.
///
/// The first lines are what `git rev-parse --local-env-vars` prints, without `GIT_CONFIG_COUNT` and
/// `GIT_CONFIG_PARAMETERS`: a job hands over the right to push in these, and no setting in them can
/// lead to another repository.
pub const REDIRECTS_GIT: [&str; 23] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
    "GIT_ATTR_SOURCE",
    "GIT_DEFAULT_HASH",
    "GIT_DEFAULT_REF_FORMAT",
    "GIT_EXTERNAL_DIFF",
    "GIT_GLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
    "GIT_LITERAL_PATHSPECS",
    "GIT_NAMESPACE",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_TEMPLATE_DIR",
];

/// Variables that foreign code (build back ends, the packages they install, smoke tests) gets, by
/// name or, with `*`, by prefix: the way to programs, the network and compilers.
const ADMITTED: [&str; 97] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "LC_*",
    "TZ",
    "TERM",
    "PWD",
    "TMPDIR",
    "TMP",
    "TEMP",
    "COLUMNS",
    "NO_COLOR",
    "CI",
    "SOURCE_DATE_EPOCH",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "FTP_PROXY",
    "SSL_CERT_*",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "PIP_*",
    "PYTHONUTF8",
    "PYTHONHASHSEED",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONWARNINGS",
    "PYTHONIOENCODING",
    "PYTHONPYCACHEPREFIX",
    "_PYTHON_HOST_PLATFORM",
    "PYENV_*",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "CC",
    "CXX",
    "CPP",
    "LD",
    "AR",
    "AS",
    "NM",
    "RANLIB",
    "STRIP",
    "FC",
    "F77",
    "F90",
    "LDSHARED",
    "CFLAGS",
    "CXXFLAGS",
    "CPPFLAGS",
    "LDFLAGS",
    "FFLAGS",
    "FCFLAGS",
    "MAKEFLAGS",
    "ARCHFLAGS",
    "CPATH",
    "C_INCLUDE_PATH",
    "CPLUS_INCLUDE_PATH",
    "LIBRARY_PATH",
    "LD_LIBRARY_PATH",
    "DYLD_*",
    "MACOSX_DEPLOYMENT_TARGET",
    "SDKROOT",
    "DEVELOPER_DIR",
    "PKG_CONFIG*",
    "CMAKE_*",
    "SKBUILD_*",
    "SETUPTOOLS_*",
    "DISTUTILS_*",
    "CCACHE_DIR",
    "CARGO",
    "CARGO_*",
    "RUSTC*",
    "RUSTFLAGS",
    "RUSTUP_*",
    "MATURIN_PEP517_ARGS",
    "JAVA_HOME",
    "GOROOT",
    "GOPATH",
    "NIX_*",
    "INCLUDE",
    "LIB",
    "LIBPATH",
    "VS*",
    "WINDIR",
    "SYSTEM*",
    "COMSPEC",
    "PATHEXT",
    "APPDATA",
    "LOCALAPPDATA",
    "PROGRAM*",
    "USERPROFILE",
    "PROCESSOR_*",
];

/// Whether foreign code gets a variable. `more` are the names and prefixes (`NAME`, `PREFIX_*`) that
/// the repository lets in; a name among them is let in even where it looks like that of a secret.
pub fn is_admitted(name: &str, more: &[String]) -> bool {
    let upper = name.to_ascii_uppercase();
    let fits = |pattern: &str| match pattern.strip_suffix('*') {
        Some(prefix) => upper.starts_with(&prefix.to_ascii_uppercase()),
        None => upper == pattern.to_ascii_uppercase(),
    };
    if more.iter().any(|name| !name.ends_with('*') && fits(name)) {
        return true;
    }
    let is_listed = ADMITTED.into_iter().chain(more.iter().map(String::as_str)).any(fits);
    is_listed && !redirects(name) && !is_secret(name)
}

/// Whether a variable is hidden from this tool's own Python scripts and twine, which may need what
/// foreign code does not get (a keyring's variables).
pub fn is_hidden_from_children(name: &str) -> bool {
    redirects(name) || is_secret(name)
}

/// Whether a variable would send a release elsewhere, or let foreign code into it.
pub fn redirects(name: &str) -> bool {
    const PYTHON: [&str; 8] = [
        "PYTHONPATH",
        "PYTHONHOME",
        "PYTHONSTARTUP",
        "PYTHONUSERBASE",
        "PYTHONINSPECT",
        "PYTHONPLATLIBDIR",
        "__PYVENV_LAUNCHER__",
        "VIRTUAL_ENV",
    ];
    let pip = name.strip_prefix("PIP_").map(|key| key.to_ascii_lowercase().replace('_', "-"));
    PYTHON.contains(&name)
        || name.starts_with("TWINE_")
        || name.starts_with("SETUPTOOLS_SCM_PRETEND_VERSION")
        || REDIRECTS_GIT.contains(&name)
        || pip.is_some_and(|key| !PIP_KEPT.contains(&key.as_str()))
}

/// Whether a variable holds a secret, judged by its name. git configuration in the environment
/// counts as one: CI jobs pass credentials for pushing that way.
pub fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    name.starts_with("GIT_CONFIG_")
        || ["TOKEN", "PASSWORD", "SECRET", "API_KEY"].iter().any(|end| name.ends_with(end))
}

/// Whether the value of a variable is masked wherever it is printed. More names than those of
/// [`is_secret`], since keyrings of cloud indexes need theirs.
pub fn is_masked(name: &str) -> bool {
    const ENDS: [&str; 8] = [
        "PASSWD",
        "PASSPHRASE",
        "APIKEY",
        "ACCESS_KEY",
        "SECRET_KEY",
        "PRIVATE_KEY",
        "_AUTH",
        "_PAT",
    ];
    let upper = name.to_ascii_uppercase();
    is_secret(name) || ENDS.iter().any(|end| upper.ends_with(end))
}

/// Whether a variable identifies the user to a package index. git may need other secrets to reach
/// its remote, but never these, and its hooks and helpers run code of third parties.
pub fn is_for_an_index(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    name.starts_with("TWINE_")
        || name.starts_with("ACTIONS_ID_TOKEN_")
        || (is_secret(&name) && name.contains("PYPI"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_that_foreign_code_gets() {
        let more = ["DATABASE_URL".to_owned(), "ACME_*".to_owned(), "ACME_TOKEN".to_owned()];
        for name in [
            "PATH",
            "https_proxy",
            "LC_ALL",
            "PIP_INDEX_URL",
            "CARGO_HOME",
            "SystemRoot",
            "DATABASE_URL",
            "ACME_MODE",
            "ACME_TOKEN",
        ] {
            assert!(is_admitted(name, &more), "{name}");
        }
        for name in [
            "AWS_SECRET_ACCESS_KEY",
            "HATCH_INDEX_AUTH",
            "GH_PAT",
            "PIP_EXTRA_INDEX_URL",
            "CARGO_REGISTRY_TOKEN",
            "ACME_PASSWORD",
            "SSH_AUTH_SOCK",
            "PYTHONPATH",
        ] {
            assert!(!is_admitted(name, &more), "{name}");
        }
    }

    #[test]
    fn variables_that_children_do_not_get() {
        for name in [
            "TWINE_REPOSITORY_URL",
            "PIP_EXTRA_INDEX_URL",
            "PIP_FIND_LINKS",
            "PYTHONPATH",
            "PYPI_TOKEN",
            "GIT_CONFIG_KEY_0",
            "GIT_INDEX_FILE",
        ] {
            assert!(is_hidden_from_children(name), "{name}");
        }
        for name in
            ["PATH", "HOME", "PIP_INDEX_URL", "PIP_CERT", "REQUESTS_CA_BUNDLE", "PYTHONUTF8"]
        {
            assert!(!is_hidden_from_children(name), "{name}");
        }
    }

    #[test]
    fn variables_whose_values_are_masked() {
        for name in ["GH_TOKEN", "AWS_SECRET_ACCESS_KEY", "HATCH_INDEX_AUTH", "gh_pat"] {
            assert!(is_masked(name), "{name}");
        }
        for name in ["PATH", "SSH_AUTH_SOCK", "TWINE_USERNAME"] {
            assert!(!is_masked(name), "{name}");
        }
    }

    #[test]
    fn variables_that_git_does_not_get() {
        for name in ["TWINE_PASSWORD", "TWINE_USERNAME", "PYPI_TOKEN", "UV_TESTPYPI_PASSWORD"] {
            assert!(is_for_an_index(name), "{name}");
        }
        for name in ["GITHUB_TOKEN", "GH_TOKEN", "GIT_CONFIG_VALUE_0", "SSH_AUTH_SOCK", "PYPI_URL"]
        {
            assert!(!is_for_an_index(name), "{name}");
        }
    }
}
