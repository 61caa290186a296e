//! Runs foreign code where it sees neither other processes nor the files that hold index logins.
//!
//! Build back ends, the packages they install and smoke tests are anyone's code, and on Linux any
//! process of a user may read the environment of any other through `/proc`: of this tool, of cargo
//! and of the shell, where the tokens are. So they run in a user, mount and process namespace of
//! their own (`unshare` and `setpriv` of util-linux, no privilege needed) where that is possible;
//! where it is not, the preflight says so.
//!
//! Must not know what runs in it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use xshell::{Cmd, Shell};

/// Files of a user that hold logins for package indexes.
const LOGINS: [&str; 3] = [".pypirc", ".config/pypoetry/auth.toml", ".local/share/python_keyring"];

/// Mounts nothing over the files before `--`, gives every capability up, and runs the rest. With no
/// capability left, what runs there cannot take the mounts away again.
const ENTER: &str = r#"
while [ "$1" != -- ]; do
    if [ -d "$1" ]; then mount -t tmpfs none "$1"; else mount --bind /dev/null "$1"; fi || exit 71
    shift
done
exec setpriv --no-new-privs --inh-caps=-all --ambient-caps=-all --bounding-set=-all "$@""#;

/// Whether foreign code can be shut in on this machine; found out once.
pub(crate) fn is_available() -> bool {
    static AVAILABLE: OnceLock<bool> = OnceLock::new();
    *AVAILABLE.get_or_init(|| {
        let mut arguments = entering().into_iter();
        let Some(program) = arguments.next().filter(|_| cfg!(target_os = "linux")) else {
            return false;
        };
        let mut probe = Command::new(program);
        probe.args(arguments).arg("true").stdin(Stdio::null());
        probe.stdout(Stdio::null()).stderr(Stdio::null());
        probe.status().is_ok_and(|status| status.success())
    })
}

/// A command of `shell` that runs `program` shut in, or as it is where that is not possible. What
/// it is called with and what it sees of the environment is up to the caller.
pub(crate) fn cmd<'a>(shell: &'a Shell, program: impl Into<OsString>) -> Cmd<'a> {
    let program = program.into();
    if !is_available() {
        return shell.cmd(program);
    }
    let mut arguments = entering().into_iter();
    let enter = arguments.next().unwrap_or_default();
    shell.cmd(enter).args(arguments).arg(program)
}

/// The command line in front of a program that is shut in.
fn entering() -> Vec<OsString> {
    let unshare = "unshare --user --map-current-user --keep-caps --mount --pid --fork --kill-child \
                   --mount-proc -- sh -c";
    let mut line: Vec<OsString> = unshare.split_whitespace().map(OsString::from).collect();
    line.extend([OsString::from(ENTER), OsString::from("sandbox")]);
    line.extend(hidden().into_iter().map(PathBuf::into_os_string));
    line.push("--".into());
    line
}

/// The files that are there to be hidden.
fn hidden() -> Vec<PathBuf> {
    let Some(home) = std::env::var_os("HOME").map(PathBuf::from) else { return Vec::new() };
    LOGINS.iter().map(|login| home.join(login)).filter(|path| path.exists()).collect()
}
