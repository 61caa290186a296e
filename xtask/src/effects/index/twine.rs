//! twine: what it knows of indexes, and its uploads. A secret goes into the environment of the
//! one twine process that needs it, and nowhere else.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use domain::config::IndexConfig;
use domain::release::index_address::{host, simple_address, token_variable};
use domain::release::upload_reply::{self, Reply};
use jzon::{JsonValue, array};
use xshell::{Cmd, Shell};

use crate::effects::index::Index;
use crate::effects::process::shell;
use crate::effects::process::worker::Workers;
use crate::effects::python::cache::digest;
use crate::effects::python::tools::Tools;

/// How twine reaches one repository.
#[derive(Debug)]
pub(crate) struct Repository {
    pub(crate) name: String,
    pub(crate) index: Result<Index, String>,
    /// Where its credentials come from; `None` when twine would find none.
    pub(crate) credentials: Option<String>,
    upload: String,
    /// A digest by which two secrets can be told equal; it says nothing else about them.
    secret: Option<String>,
}

/// Asks twine about its repositories. `config_file` stands in for the user's `.pypirc`.
///
/// # Errors
/// The tools' environment does not answer.
pub(crate) fn repositories(
    tools: &Tools,
    config_file: Option<&Path>,
    wanted: [&IndexConfig; 2],
) -> Result<[Repository; 2]> {
    let config_file = config_file.map_or("-".into(), Path::to_string_lossy);
    let names = wanted.map(|index| index.repository.as_str());
    let answer = tools.ask("repositories", array![config_file.as_ref(), names[0], names[1]])?;
    Ok(wanted.map(|config| repository(config, &answer)))
}

fn repository(config: &IndexConfig, answer: &JsonValue) -> Repository {
    let name = &config.repository;
    let described = &answer["repositories"][name];
    let text = |value: &JsonValue| value.as_str().unwrap_or_default().to_owned();
    let index = match described["error"].as_str() {
        Some(error) => Err(error.to_owned()),
        None => {
            let defaults = (text(&answer["default_upload"]), text(&answer["default_simple"]));
            let derived =
                || simple_address(&text(&described["upload"]), (&defaults.0, &defaults.1));
            let simple = config.simple.clone().unwrap_or_else(derived);
            Ok(Index { repository: name.clone(), simple })
        }
    };
    let variable = token_variable(name);
    let set = |variable: &str| std::env::var_os(variable).is_some_and(|value| !value.is_empty());
    let credentials = if set(&variable) {
        Some(variable)
    } else if set("TWINE_PASSWORD") {
        Some("TWINE_PASSWORD".to_owned())
    } else {
        described["credentials"].as_str().map(str::to_owned)
    };
    let from_environment = secret(name).map(|(_, secret)| digest(&secret));
    let secret = from_environment.or_else(|| described["secret"].as_str().map(str::to_owned));
    Repository {
        name: name.clone(),
        index,
        credentials,
        upload: text(&described["upload"]),
        secret,
    }
}

/// The names of two repositories on different hosts that would get one and the same secret.
pub(crate) fn shared_secret<'a>(
    staging: &'a Repository,
    index: &'a Repository,
) -> Option<[&'a str; 2]> {
    let same = staging.secret.is_some() && staging.secret == index.secret;
    let apart = host(&staging.upload) != host(&index.upload);
    (same && apart).then_some([staging.name.as_str(), index.name.as_str()])
}

/// `twine check --strict` over built files.
///
/// # Errors
/// twine cannot be run. What it finds wrong is the returned text.
pub(crate) fn check(tools: &Tools, files: &[PathBuf]) -> Result<Option<String>> {
    let answer = tools.ask("check", paths(files))?;
    let said = answer["said"].as_str().unwrap_or_default();
    Ok((answer["ok"] != true).then(|| shell::tail(said, 30)))
}

fn paths(files: &[PathBuf]) -> Vec<String> {
    files.iter().map(|file| file.to_string_lossy().into_owned()).collect()
}

/// The attestations (PEP 740) that lie beside the files, as a job with an identity makes them.
/// twine wants one for every file, or none.
fn attestations(files: &[PathBuf]) -> Vec<PathBuf> {
    let beside = |file: &PathBuf| Some(attestation_of(file)).filter(|path| path.is_file());
    files.iter().map(beside).collect::<Option<_>>().unwrap_or_default()
}

/// Where the attestation of a file lies, if it has one.
pub(crate) fn attestation_of(file: &Path) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(".publish.attestation");
    PathBuf::from(path)
}

/// An upload that did not succeed. Whether a file arrived all the same, only the index can tell.
#[derive(Debug)]
pub(crate) struct UploadFailed {
    pub(crate) reply: Reply,
    /// How long the index asks to wait before another attempt.
    pub(crate) retry_after: Option<Duration>,
    repository: String,
    /// The end of what twine said, without any secret.
    said: String,
}

impl fmt::Display for UploadFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "twine could not upload to {}:{}", self.repository, self.said)
    }
}

impl std::error::Error for UploadFailed {}

/// Uploads the files of one distribution, within `limit`: twine has no time limit of its own, and a
/// server that says nothing would hold it for ever. Each index has a twine of its own, which waits
/// among `twines` for more.
///
/// # Errors
/// twine failed, could not be started, or did not end in time.
pub(crate) fn upload(
    tools: &Tools,
    twines: &Workers,
    repository: &str,
    config_file: Option<&Path>,
    files: &[PathBuf],
    limit: Duration,
) -> Result<(), UploadFailed> {
    let failed = |reply, retry_after, said| UploadFailed {
        reply,
        retry_after,
        repository: repository.to_owned(),
        said,
    };
    // A configuration of our own (the rehearsal's) goes with no secret of the user's.
    let secret = if config_file.is_none() { secret(repository) } else { None };
    let run = || -> Result<JsonValue> {
        let shell = Shell::new()?;
        let mut upload = tools
            .script(&shell, "upload.py")
            .args(["--no-color", "upload", "--disable-progress-bar", "--non-interactive"])
            .args(["--repository", repository]);
        if let Some(config_file) = config_file {
            upload = upload.arg("--config-file").arg(config_file);
        }
        let mut arguments = Vec::new();
        let attestations = attestations(files);
        if !attestations.is_empty() {
            arguments.push("--attestations".to_owned());
        }
        arguments.extend(paths(files).into_iter().chain(paths(&attestations)));
        let upload = with_credentials(upload, secret.as_ref());
        twines.ask(upload, &arguments.into(), Some(limit))
    };
    let answer = run().map_err(|error| failed(Reply::Unclear, None, format!(" {error:#}")))?;
    if answer["ok"] == true {
        return Ok(());
    }
    let said = answer["said"].as_str().unwrap_or_default().to_owned();
    let said = masked(tools, repository, config_file, secret.as_ref(), said);
    let wait = upload_reply::retry_after(&said).map(Duration::from_secs);
    Err(failed(upload_reply::read(&said), wait, shell::tail(&said, 12)))
}

/// What twine said, without a secret that an index may have echoed.
fn masked(
    tools: &Tools,
    repository: &str,
    config_file: Option<&Path>,
    secret: Option<&(String, String)>,
    said: String,
) -> String {
    if let Some((_, password)) = secret {
        return said.replace(password, "***");
    }
    let mask = || -> Result<String> {
        let shell = Shell::new()?;
        let config_file = config_file.map_or("-".into(), Path::to_string_lossy);
        let mask = tools.script(&shell, "mask.py").arg(config_file.as_ref()).arg(repository);
        shell::read(mask.stdin(&said))
    };
    mask().unwrap_or_else(|_| "it said something that may hold a secret".to_owned())
}

/// User and password from the environment, if any; else twine looks for itself.
fn secret(repository: &str) -> Option<(String, String)> {
    let read = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    if let Some(token) = read(&token_variable(repository)) {
        return Some(("__token__".to_owned(), token));
    }
    let user = read("TWINE_USERNAME").unwrap_or_else(|| "__token__".to_owned());
    Some((user, read("TWINE_PASSWORD")?))
}

fn with_credentials<'a>(cmd: Cmd<'a>, secret: Option<&(String, String)>) -> Cmd<'a> {
    match secret {
        Some((user, password)) => cmd.env("TWINE_USERNAME", user).env("TWINE_PASSWORD", password),
        None => restore_identity(cmd),
    }
}

/// Trusted publishing asks for the job's identity with a token that every other child is denied.
fn restore_identity(cmd: Cmd<'_>) -> Cmd<'_> {
    const IDENTITY: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";
    match std::env::var_os(IDENTITY) {
        Some(token) => cmd.env(IDENTITY, token),
        None => cmd,
    }
}
