//! What an index meant when an upload failed, told from what twine printed. twine ends every
//! failure with exit code 1; the difference is in the words, which are PyPI's.

/// The kinds of failure that call for different next steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The file name is taken: by other bytes, or by a file that has been deleted since.
    Taken,
    /// Unknown or insufficient credentials.
    NotAllowed,
    /// The account has registered too many new projects today.
    TooManyProjects,
    /// The index takes nothing for the moment, and has taken nothing.
    Busy,
    /// The index read the file and does not want it; another attempt gets the same answer.
    Refused,
    /// Anything that may be over in a moment, and after which nobody knows whether the file has
    /// arrived: 5xx, a lost connection, no answer in time.
    Unclear,
}

/// Reads twine's output.
pub fn read(said: &str) -> Reply {
    let said: String = said.to_ascii_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
    let has = |words: &str| said.contains(words);
    if has("too many new projects") {
        return Reply::TooManyProjects;
    }
    let taken = [
        "file already exists",
        "filename has already been used",
        "previously used by a file that has since been deleted",
        "409 conflict",
    ];
    if taken.into_iter().any(has) {
        return Reply::Taken;
    }
    match status(&said) {
        Some(401 | 403) => Reply::NotAllowed,
        Some(429) => Reply::Busy,
        Some(408 | 425) | None => Reply::Unclear,
        Some(400..=499) => Reply::Refused,
        Some(_) => Reply::Unclear,
    }
}

/// The seconds in the line `Retry-After: SECONDS` that `upload.py` adds.
pub fn retry_after(said: &str) -> Option<u64> {
    said.lines().find_map(|line| line.strip_prefix("Retry-After: ")?.trim().parse().ok())
}

/// The status in `HTTPError: 403 Forbidden from …`, in lower case.
fn status(said: &str) -> Option<u16> {
    let (_, rest) = said.split_once("httperror: ")?;
    rest.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(said: &str, expected: Reply) {
        assert_eq!(read(said), expected, "{said}");
    }

    #[test]
    fn pauses() {
        assert_eq!(retry_after("HTTPError: 429 from x\nslowly\nRetry-After: 17\n"), Some(17));
        assert_eq!(retry_after("HTTPError: 429 from x\nRetry-After: later\n"), None);
    }

    #[test]
    fn replies() {
        let bad = "ERROR    HTTPError: 400 Bad Request from http://127.0.0.1/legacy/\n";
        check(&format!("{bad}File already exists ('a-1.whl', with blake2…)."), Reply::Taken);
        check(
            &format!("{bad}This filename has already been used, use a different version."),
            Reply::Taken,
        );
        check(
            &format!("{bad}'a-1.whl' was previously used by a file that has since been\n deleted."),
            Reply::Taken,
        );
        check("HTTPError: 409 Conflict from http://x\nPackage exists", Reply::Taken);
        check("HTTPError: 403 Forbidden from http://x\nInvalid API Token", Reply::NotAllowed);
        check(
            "HTTPError: 429 Too Many Requests from http://x\nToo many new projects created",
            Reply::TooManyProjects,
        );
        check("HTTPError: 429 Too Many Requests from http://x", Reply::Busy);
        check("HTTPError: 413 Request Entity Too Large from http://x", Reply::Refused);
        check("HTTPError: 502 Bad Gateway from http://x", Reply::Unclear);
        check("ConnectionResetError: [Errno 104] Connection reset by peer", Reply::Unclear);
    }
}
