//! Runs foreign code where it sees neither other processes nor the files that hold index logins, and
//! cannot write into what this tool keeps for later runs.
//!
//! Build back ends, the packages they install and smoke tests are anyone's code, and on Linux any
//! process of a user may read the environment of any other through `/proc`: of this tool, of cargo
//! and of the shell, where the tokens are. So they run in a user, mount and process namespace of
//! their own (`unshare` and `setpriv` of util-linux, no privilege needed) where that is possible;
//! where it is not, the preflight says so.
//!
//! Must not know what runs in it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use xshell::{Cmd, Shell};

/// Files of a user that hold logins for package indexes.
const LOGINS: [&str; 5] = [
    ".pypirc",
    ".config/pypoetry/auth.toml",
    ".local/share/python_keyring",
    ".cargo/credentials",
    ".cargo/credentials.toml",
];

/// In front of the program that is shut in.
const MARK: &str = "run:";

/// Ends with this process, in namespaces of its own.
const NAMESPACES: &str = "setpriv --pdeathsig KILL unshare --user --map-current-user --keep-caps \
                          --mount --pid --fork --kill-child --mount-proc -- sh -c";

/// Makes the first folder read-only, except for the folders up to `hide:`; mounts nothing over what
/// follows; gives every capability up, and runs the rest. With no capability left, what runs there
/// cannot take the mounts away again. The working directory is entered anew, since the old one is
/// still that of the mount below.
const ENTER: &str = r#"
kept=$1; shift
while [ "$1" != "hide:" ]; do mount --bind "$1" "$1" || exit 71; shift; done
shift
if [ -d "$kept" ]; then
    mount --rbind "$kept" "$kept" && mount -o remount,bind,ro "$kept" || exit 71
fi
while [ "$1" != "run:" ]; do
    if [ -d "$1" ]; then mount -t tmpfs none "$1"; else mount --bind /dev/null "$1"; fi || exit 71
    shift
done
shift
cd "$PWD" || exit 71
exec setpriv --no-new-privs --inh-caps=-all --ambient-caps=-all --bounding-set=-all "$@""#;

/// Whether foreign code can be shut in on this machine; found out once.
pub(crate) fn is_available(kept: &Path) -> bool {
    static AVAILABLE: OnceLock<bool> = OnceLock::new();
    *AVAILABLE.get_or_init(|| {
        let mut arguments = entering(kept, &[]).into_iter();
        let Some(program) = arguments.next().filter(|_| cfg!(target_os = "linux")) else {
            return false;
        };
        let mut probe = Command::new(program);
        // It needs nothing of the environment but the way to these programs.
        probe.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        probe.args(arguments).arg("true").stdin(Stdio::null());
        probe.stdout(Stdio::null()).stderr(Stdio::null());
        probe.status().is_ok_and(|status| status.success())
    })
}

/// A command of `shell` that runs `program` shut in, or as it is where that is not possible. The
/// folder `kept` is read-only there, except for the `writable` folders. The
/// caller chooses its arguments and its environment.
pub(crate) fn cmd<'a>(
    shell: &'a Shell,
    kept: &Path,
    writable: &[&Path],
    program: impl Into<OsString>,
) -> Cmd<'a> {
    let program = program.into();
    if !is_available(kept) {
        return shell.cmd(program);
    }
    let mut arguments = entering(kept, writable).into_iter();
    let enter = arguments.next().unwrap_or_default();
    shell.cmd(enter).args(arguments).arg(program)
}

/// A command line as it is shown: without what shuts it in.
pub(crate) fn shown(line: &str) -> &str {
    let enters = line.starts_with("setpriv --pdeathsig");
    let rest =
        line.split_once(" hide: ").and_then(|(_, rest)| rest.split_once(&format!("{MARK} ")));
    rest.filter(|_| enters).map_or(line, |(_, rest)| rest)
}

/// The command line in front of a program that is shut in.
fn entering(kept: &Path, writable: &[&Path]) -> Vec<OsString> {
    let mut line: Vec<OsString> = NAMESPACES.split_whitespace().map(OsString::from).collect();
    line.extend([OsString::from(ENTER), "sandbox".into(), kept.into()]);
    line.extend(writable.iter().map(|path| OsString::from(*path)));
    line.push("hide:".into());
    line.extend(hidden().into_iter().map(PathBuf::into_os_string));
    line.push(MARK.into());
    line
}

/// The files that are there to be hidden.
fn hidden() -> Vec<PathBuf> {
    let Some(home) = std::env::var_os("HOME").map(PathBuf::from) else { return Vec::new() };
    LOGINS.iter().map(|login| home.join(login)).filter(|path| path.exists()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_it_was_asked_for() {
        let line = "setpriv --pdeathsig KILL unshare -- sh -c '\nwhile run: ]' x hide: run: python -m build";
        assert!(shown(line).ends_with("python -m build"));
        assert_eq!(shown("python -m x run: y"), "python -m x run: y");
    }
}
