//! Addresses and token variables of an index, derived from its twine repository.

/// The address of the simple API that belongs to an upload address: `…/legacy/` → `…/simple/`,
/// else `simple/` below it. `defaults` are twine's default upload address and pip's default simple
/// address, which belong together although their hosts differ.
pub fn simple_address(upload: &str, defaults: (&str, &str)) -> String {
    let upload = upload.trim_end_matches('/');
    if upload == defaults.0.trim_end_matches('/') {
        return format!("{}/", defaults.1.trim_end_matches('/'));
    }
    let base = upload.strip_suffix("/legacy").unwrap_or(upload);
    format!("{base}/simple/")
}

/// The host of an address; every way to name this machine is `localhost`.
pub fn host(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    if host.starts_with("127.") || host == "::1" { "localhost" } else { host }
}

/// The variable that holds the API token for a twine repository: `testpypi` → `TESTPYPI_TOKEN`.
pub fn token_variable(repository: &str) -> String {
    let upper = repository.to_ascii_uppercase();
    let name: String =
        upper.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    format!("{name}_TOKEN")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let defaults = ("https://up.example/legacy/", "https://example/simple");
        assert_eq!(
            simple_address("https://up.example/legacy/", defaults),
            "https://example/simple/"
        );
        assert_eq!(
            simple_address("https://test.example/legacy/", defaults),
            "https://test.example/simple/"
        );
        assert_eq!(
            simple_address("http://127.0.0.1:8080", defaults),
            "http://127.0.0.1:8080/simple/"
        );
    }

    #[test]
    fn hosts() {
        for (address, expected) in [
            ("https://up.example/legacy/", "up.example"),
            ("http://user:secret@a.example:8080", "a.example"),
            ("http://127.0.0.1:1/", "localhost"),
            ("http://[::1]:1/", "localhost"),
            ("http://localhost", "localhost"),
        ] {
            assert_eq!(host(address), expected);
        }
    }

    #[test]
    fn variables() {
        assert_eq!(token_variable("testpypi"), "TESTPYPI_TOKEN");
        assert_eq!(token_variable("my-index"), "MY_INDEX_TOKEN");
    }
}
