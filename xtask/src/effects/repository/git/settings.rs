//! The configuration of git that is forced, whatever the user's says: with another value git would
//! answer otherwise, and something else would be released. The only file that names a setting.
//!
//! Not forced in the user's repository, because they are the user's: hooks, signing, ignored files,
//! credentials, proxies, `safe.directory`, filters such as those of LFS.

/// `nul` is the empty file of Windows.
const NOTHING: &str = if cfg!(windows) { "nul" } else { "/dev/null" };

/// For the history, in any repository.
const LOG: [&str; 4] = [
    // In another encoding, a message with an umlaut is not UTF-8.
    "i18n.logOutputEncoding=UTF-8",
    // Signatures would be printed between the records.
    "log.showSignature=false",
    // Without it the root commit lists no files, as if it changed nothing.
    "log.showRoot=true",
    // A merge lists no files: its sides do.
    "log.diffMerges=off",
];

/// For our own repositories, on every command and in their own configuration: build back ends run
/// git there as well.
const SCRATCH: [&str; 8] = [
    // The files are those of the commit, byte for byte: the two settings put CRLF into them.
    "core.autocrlf=false",
    "core.eol=lf",
    // git daemons would outlive the folder, and a program of the user's would run for it.
    "core.fsmonitor=false",
    // The commit's own files, all of them.
    "core.sparseCheckout=false",
    // A checkout fetches nothing.
    "submodule.recurse=false",
    // Pointers of Git LFS without a file stay pointers, and are told where they get into an archive.
    "lfs.skipDownloadErrors=true",
    // Nobody looks after them, and what git does in the background would outlive them.
    "gc.auto=0",
    "maintenance.auto=false",
];

/// For our own repositories while they are made and pushed to.
const MAKING: [&str; 5] = [
    // It is a clone of a path, and pushes to a path.
    "protocol.file.allow=always",
    "clone.defaultRemoteName=origin",
    // The checkout of a CI job is shallow.
    "clone.rejectShallow=false",
    "init.defaultRefFormat=files",
    // Our bare repository has no certificates.
    "push.gpgSign=false",
];

/// Sections that decide whether and how a tag is made, and how Git LFS puts files in place of its
/// pointers; our repositories take them over from the user's, which may set them for itself alone.
const TAKEN_OVER: [&str; 7] =
    ["author.", "committer.", "filter.lfs.", "gpg.", "lfs.storage", "tag.", "user."];

/// The settings for a subcommand in any repository, each `KEY=VALUE`.
pub(super) fn of_command(subcommand: &str) -> impl Iterator<Item = String> {
    let settings: &[&str] = if subcommand == "log" { &LOG } else { &[] };
    settings.iter().map(|setting| (*setting).to_owned())
}

/// The settings for each command in a repository of ours.
pub(super) fn of_ours() -> Vec<String> {
    MAKING.map(str::to_owned).into_iter().chain(written()).collect()
}

/// The settings that are written into a repository of ours. The commit's `.gitattributes` stay in
/// force; hooks and attributes of the user do not.
pub(super) fn written() -> Vec<String> {
    let nothing = ["core.attributesFile", "core.hooksPath"];
    let nothing = nothing.map(|key| format!("{key}={NOTHING}"));
    SCRATCH.iter().map(|setting| (*setting).to_owned()).chain(nothing).collect()
}

/// Those of the settings that `git config --list -z` prints which our repositories take over.
pub(super) fn taken_over(list: &str) -> Vec<String> {
    let entries = list.split_terminator('\0');
    let entries =
        entries.filter(|entry| TAKEN_OVER.iter().any(|section| entry.starts_with(section)));
    // A key without a value means `true`.
    let settings = entries.map(|entry| entry.split_once('\n').unwrap_or((entry, "true")));
    settings.map(|(key, value)| format!("{key}={value}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_over() {
        let list = "core.bare\nfalse\0user.name\nA B\0tag.gpgsign\0gpg.ssh.program\nx=y\nz\0alias.tag\nx\0";
        assert_eq!(
            taken_over(list),
            ["user.name=A B", "tag.gpgsign=true", "gpg.ssh.program=x=y\nz"]
        );
    }
}
