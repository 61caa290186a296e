//! The meaning of an index's reply to an upload that failed. The status alone is ambiguous, so the
//! words count too; they are PyPI's.

/// The kinds of failure that call for different next steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UploadReply {
    /// The file name is taken: by other contents, or by a file that has been deleted since.
    NameTaken,
    /// Unknown or insufficient credentials.
    NotAllowed,
    /// The account has registered too many new projects today.
    TooManyProjects,
    /// The index accepts nothing for the moment, and has accepted nothing.
    Busy,
    /// The index read the file and rejected it; another attempt gets the same answer.
    Rejected,
    /// A failure that may pass and leaves open whether the file has arrived: 5xx, a lost connection,
    /// no answer in time.
    Unclear,
}

impl UploadReply {
    /// Reads a reply from its HTTP status, `None` where there was no answer, and its words.
    pub fn read(status: Option<u16>, words: &str) -> UploadReply {
        const TAKEN: [&str; 3] = [
            "file already exists",
            "filename has already been used",
            "previously used by a file that has since been deleted",
        ];
        let words = words.to_ascii_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
        if words.contains("too many new projects") {
            return UploadReply::TooManyProjects;
        }
        if TAKEN.iter().any(|taken| words.contains(taken)) {
            return UploadReply::NameTaken;
        }
        match status {
            Some(401 | 403) => UploadReply::NotAllowed,
            Some(408 | 425) => UploadReply::Unclear,
            Some(409) => UploadReply::NameTaken,
            Some(429) => UploadReply::Busy,
            Some(400..=499) => UploadReply::Rejected,
            Some(_) | None => UploadReply::Unclear,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(status: Option<u16>, words: &str, expected: UploadReply) {
        assert_eq!(UploadReply::read(status, words), expected, "{status:?} {words}");
    }

    #[test]
    fn replies() {
        let bad = Some(400);
        check(bad, "File already exists ('a-1.whl', with blake2…).", UploadReply::NameTaken);
        let used = "This filename has already been used, use a different version.";
        check(bad, used, UploadReply::NameTaken);
        let deleted = "'a-1.whl' was previously used by a file that has since been\n deleted.";
        check(bad, deleted, UploadReply::NameTaken);
        check(bad, "Metadata is invalid", UploadReply::Rejected);
        check(Some(409), "Package exists", UploadReply::NameTaken);
        check(Some(403), "Invalid API Token", UploadReply::NotAllowed);
        check(Some(429), "Too many new projects created", UploadReply::TooManyProjects);
        check(Some(429), "", UploadReply::Busy);
        check(Some(413), "", UploadReply::Rejected);
        check(Some(502), "", UploadReply::Unclear);
        check(None, "Connection reset by peer", UploadReply::Unclear);
    }
}
