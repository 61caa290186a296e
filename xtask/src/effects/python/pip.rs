//! The part of this machine's pip configuration that the tool uses: how to reach the default index.

use anyhow::Result;
use domain::release::environment::PIP_KEPT;
use xshell::{Shell, cmd};

use crate::effects::process::shell;
use crate::effects::python::interpreter::Interpreter;

/// No configuration file, for pip.
const NO_FILE: &str = if cfg!(windows) { "nul" } else { "/dev/null" };

/// The environment variables for every pip that this tool runs: the settings that tell how to reach
/// the default index (a mirror stays the default index), and no configuration file beside them, so
/// that a second index or a folder of wheels has no effect. A Python without pip has no settings.
pub(crate) fn settings(interpreter: &Interpreter) -> Vec<(String, String)> {
    let mut settings = kept(&list(interpreter).unwrap_or_default());
    settings.push(("PIP_CONFIG_FILE".into(), NO_FILE.into()));
    settings.push(("PIP_DISABLE_PIP_VERSION_CHECK".into(), "1".into()));
    settings.push(("PIP_NO_INPUT".into(), "1".into()));
    settings
}

fn list(interpreter: &Interpreter) -> Result<String> {
    let shell = Shell::new()?;
    let python = &interpreter.executable;
    shell::read(shell::without_secrets(cmd!(shell, "{python} -I -m pip config list")))
}

/// The kept keys of `pip config list`, whose lines read `global.index-url='…'`. The last line of a
/// key wins; those of the environment come last.
fn kept(list: &str) -> Vec<(String, String)> {
    list.lines()
        .filter_map(|line| {
            let (key, value) = line.split_once('=')?;
            let key = key.rsplit_once('.')?.1;
            let value = value.trim().trim_matches(['\'', '"']);
            let wanted = PIP_KEPT.contains(&key);
            wanted.then(|| {
                (format!("PIP_{}", key.to_ascii_uppercase().replace('-', "_")), value.to_owned())
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_way_to_the_default_index_is_kept() {
        let listing = "global.cert='/etc/ca.crt'\nglobal.extra-index-url='x'\nglobal.find-links='y'\n\
                       install.no-index='1'\n:env:.index-url='m'\n";
        let kept = kept(listing);
        assert_eq!(
            kept,
            [("PIP_CERT".into(), "/etc/ca.crt".into()), ("PIP_INDEX_URL".into(), "m".into())]
        );
    }
}
