//! How this machine's pip reaches its default index, and nothing else of its configuration.

use anyhow::Result;
use domain::release::environment::PIP_KEPT;
use xshell::{Shell, cmd};

use crate::effects::process::shell;
use crate::effects::python::interpreter::Python;

/// The environment for every pip that this tool runs: the settings that say how to reach the
/// default index (a mirror stays the default index), and no configuration file beside them, so
/// that no second index and no folder of wheels gets a say. A Python without pip has no settings.
pub(crate) fn settings(python: &Python) -> Vec<(String, String)> {
    let mut settings = kept(&listed(python).unwrap_or_default());
    settings
        .push(("PIP_CONFIG_FILE".into(), if cfg!(windows) { "nul" } else { "/dev/null" }.into()));
    settings.push(("PIP_DISABLE_PIP_VERSION_CHECK".into(), "1".into()));
    settings.push(("PIP_NO_INPUT".into(), "1".into()));
    settings
}

fn listed(python: &Python) -> Result<String> {
    let shell = Shell::new()?;
    let python = &python.executable;
    let ask = cmd!(shell, "{python} -I -m pip config list");
    shell::read(shell::without_secrets(ask))
}

/// The kept keys of `pip config list`, whose lines read `global.index-url='…'`; a later line (the
/// environment's come last) wins.
fn kept(listing: &str) -> Vec<(String, String)> {
    listing
        .lines()
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
