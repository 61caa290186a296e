//! twine: its configuration of indexes, its checks, and its uploads. A secret goes into the
//! environment of the one twine process that needs it, and nowhere else.

use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fmt, fs};

use anyhow::{Context, Result, bail};
use domain::config::IndexConfig;
use domain::finding::{Finding, Rule};
use domain::release::index_address::{host, simple_address, token_variable};
use domain::release::plan::Artifact;
use domain::release::upload_reply::UploadReply;
use jzon::{JsonValue, array, object};
use xshell::{Cmd, Shell};

use crate::effects::fs::temporary::Temporary;
use crate::effects::index::Index;
use crate::effects::process::shell;
use crate::effects::process::worker::Workers;
use crate::effects::python::build::artifact_of;
use crate::effects::python::cache::digest;
use crate::effects::python::tools::Tools;

/// How twine reaches one repository.
#[derive(Debug)]
pub(crate) struct Repository {
    pub(crate) name: String,
    /// The error is twine's, about its configuration.
    pub(crate) index: Result<Index, String>,
    /// Where its credentials come from; `None` when twine would find none.
    pub(crate) credentials: Option<String>,
    upload: String,
    /// A digest, to compare two secrets for equality.
    secret: Option<String>,
}

/// Asks twine about its repositories. `config_file` replaces the user's `.pypirc`.
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
    let variable = token_variable(name);
    let unreadable = [variable.as_str(), "TWINE_PASSWORD", "TWINE_USERNAME"]
        .into_iter()
        .find(|name| std::env::var_os(name).is_some_and(|value| value.to_str().is_none()));
    let error = unreadable.map(|name| format!("the value of `{name}` is not valid UTF-8"));
    let index = match error.or_else(|| described["error"].as_str().map(str::to_owned)) {
        Some(error) => Err(error),
        None => {
            let simple = config.simple.clone().unwrap_or_else(|| {
                let default_upload = text(&answer["default_upload"]);
                let default_simple = text(&answer["default_simple"]);
                simple_address(&text(&described["upload"]), (&default_upload, &default_simple))
            });
            Ok(Index { repository: name.clone(), simple })
        }
    };
    let credentials = if variable_value(&variable).is_some() {
        Some(variable)
    } else if variable_value("TWINE_PASSWORD").is_some() {
        Some("TWINE_PASSWORD".to_owned())
    } else {
        described["credentials"].as_str().map(str::to_owned)
    };
    let from_environment = Credentials::from_environment(name);
    let secret = from_environment
        .map(|credentials| digest(&credentials.password))
        .or_else(|| described["secret"].as_str().map(str::to_owned));
    Repository {
        name: name.clone(),
        index,
        credentials,
        upload: text(&described["upload"]),
        secret,
    }
}

/// The names of two repositories on different hosts that would get the same secret.
pub(crate) fn shared_secret<'a>(
    staging: &'a Repository,
    index: &'a Repository,
) -> Option<[&'a str; 2]> {
    let is_same = staging.secret.is_some() && staging.secret == index.secret;
    let differs_in_host = host(&staging.upload) != host(&index.upload);
    (is_same && differs_in_host).then_some([staging.name.as_str(), index.name.as_str()])
}

/// `twine check` over built files: an error where an index would refuse one of them, a warning where
/// it would not. `--strict` makes no difference between the two.
///
/// # Errors
/// twine cannot be run.
pub(crate) fn check(tools: &Tools, files: &[PathBuf]) -> Result<Option<Finding>> {
    let answer = tools.ask("check", as_strings(files))?;
    if answer["ok"] != true {
        let output = shell::tail(answer["output"].as_str().unwrap_or_default(), 30);
        let message = format!("`twine check` failed:{output}");
        return Ok(Some(Finding::error(Rule::TwineCheck, message)));
    }
    let warnings: Vec<&str> = answer["warnings"].members().filter_map(JsonValue::as_str).collect();
    if warnings.is_empty() {
        return Ok(None);
    }
    let message = format!("`twine check` warns: {}", warnings.join("; "));
    Ok(Some(Finding::warning(Rule::TwineCheck, message)))
}

fn as_strings(files: &[PathBuf]) -> Vec<String> {
    files.iter().map(|file| file.to_string_lossy().into_owned()).collect()
}

/// The attestations (PEP 740) beside the files, as a CI job with an identity makes them. twine wants
/// one for every file, or none.
fn attestations(files: &[PathBuf]) -> Vec<PathBuf> {
    let all: Vec<PathBuf> = files.iter().map(|file| attestation_of(file)).collect();
    if all.iter().all(|attestation| attestation.is_file()) { all } else { Vec::new() }
}

/// The path of the attestation of a file, whether there is one or not.
pub(crate) fn attestation_of(file: &Path) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(".publish.attestation");
    PathBuf::from(path)
}

/// An upload that did not succeed. Only the index can tell whether a file arrived all the same.
#[derive(Debug)]
pub(crate) struct UploadFailed {
    pub(crate) reply: UploadReply,
    /// How long the index asks to wait before another attempt.
    pub(crate) retry_after: Option<Duration>,
    repository: String,
    /// The end of twine's output, without any secret.
    output: String,
}

impl fmt::Display for UploadFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "twine could not upload to `{}`:{}", self.repository, self.output)
    }
}

impl std::error::Error for UploadFailed {}

/// Uploads the files of one distribution, within `limit`: twine has no time limit of its own, and a
/// server that does not answer would block it indefinitely. Each index has its own twine process
/// among `twines`, which waits for more.
///
/// # Errors
/// twine failed, could not be started, or did not end in time.
pub(crate) fn upload(
    tools: &Tools,
    twines: &Workers,
    repository: &str,
    config_file: Option<&Path>,
    files: &FilesToSend,
    limit: Duration,
) -> Result<(), UploadFailed> {
    let failed = |reply, retry_after, output| {
        let repository = repository.to_owned();
        Err(UploadFailed { reply, retry_after, repository, output })
    };
    let answer = match run(tools, twines, repository, config_file, files, limit) {
        Ok(answer) => answer,
        Err(error) => return failed(UploadReply::Unclear, None, format!(" {error:#}")),
    };
    if answer["ok"] == true {
        return Ok(());
    }
    let output = answer["output"].as_str().unwrap_or_default();
    let reply = UploadReply::read(answer["status"].as_u16(), output);
    let retry_after = answer["retry_after"].as_u64().map(Duration::from_secs);
    failed(reply, retry_after, shell::tail(output, 12))
}

/// Hands the files to a twine process, which masks the secret in its answer.
fn run(
    tools: &Tools,
    twines: &Workers,
    repository: &str,
    config_file: Option<&Path>,
    files: &FilesToSend,
    limit: Duration,
) -> Result<JsonValue> {
    let shell = Shell::new()?;
    let twine = tools
        .script(&shell, "upload.py")
        .args(["--no-color", "upload", "--disable-progress-bar", "--non-interactive"])
        .args(["--repository", repository]);
    let twine = match config_file {
        // The indexes of a rehearsal do not get the user's secrets.
        Some(config_file) => restore_identity(twine.arg("--config-file").arg(config_file)),
        None => match Credentials::from_environment(repository) {
            Some(Credentials { user, password }) => {
                twine.env("TWINE_USERNAME", user).env("TWINE_PASSWORD", password)
            }
            None => restore_identity(twine),
        },
    };
    let attestations = attestations(&files.paths);
    let mut arguments = Vec::new();
    if !attestations.is_empty() {
        arguments.push("--attestations".to_owned());
    }
    let paths = as_strings(&files.paths);
    let mut sha256 = JsonValue::new_object();
    for (path, digest) in paths.iter().zip(&files.sha256) {
        sha256.insert(path, digest.as_str())?;
    }
    arguments.extend(paths);
    arguments.extend(as_strings(&attestations));
    let question = object! { "arguments": arguments, "sha256": sha256 };
    twines.ask(twine, &question, Some(limit))
}

/// Built files on their way to an index: copies in a folder that only this user can reach, compared
/// with the ledger. `upload.py` compares what it sends once more.
pub(crate) struct FilesToSend {
    paths: Vec<PathBuf>,
    sha256: Vec<String>,
    _folder: Temporary,
}

impl FilesToSend {
    /// Reads each file once.
    ///
    /// # Errors
    /// A file is not the one that was built, or cannot be copied.
    pub(crate) fn copy(dir: &Path, files: &[Artifact]) -> Result<FilesToSend> {
        let folder = Temporary::new()?;
        let mut paths = Vec::new();
        for file in files {
            let source = dir.join(&file.name);
            let bytes =
                fs::read(&source).with_context(|| format!("cannot read `{}`", source.display()))?;
            if artifact_of(&file.name, &bytes) != *file {
                bail!(
                    "`{}` has changed since it was built and tested; nothing of it was sent",
                    source.display()
                );
            }
            let path = folder.path().join(&file.name);
            fs::write(&path, bytes).context("cannot write to the temporary folder")?;
            let attestation = attestation_of(&source);
            if attestation.is_file() {
                fs::copy(&attestation, attestation_of(&path))
                    .with_context(|| format!("cannot copy `{}`", attestation.display()))?;
            }
            paths.push(path);
        }
        let sha256 = files.iter().map(|file| file.sha256.clone()).collect();
        Ok(FilesToSend { paths, sha256, _folder: folder })
    }
}

struct Credentials {
    user: String,
    password: String,
}

impl Credentials {
    /// Those in the environment; where there are none, twine looks for itself.
    fn from_environment(repository: &str) -> Option<Credentials> {
        let token_user = || "__token__".to_owned();
        if let Some(password) = variable_value(&token_variable(repository)) {
            return Some(Credentials { user: token_user(), password });
        }
        let password = variable_value("TWINE_PASSWORD")?;
        Some(Credentials {
            user: variable_value("TWINE_USERNAME").unwrap_or_else(token_user),
            password,
        })
    }
}

/// The value of an environment variable that is set and not empty.
fn variable_value(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Trusted publishing asks for the job's identity with a token that every other child is denied.
fn restore_identity(cmd: Cmd<'_>) -> Cmd<'_> {
    const IDENTITY: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";
    match std::env::var_os(IDENTITY) {
        Some(token) => cmd.env(IDENTITY, token),
        None => cmd,
    }
}
