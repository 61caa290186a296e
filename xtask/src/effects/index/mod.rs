//! Questions to a package index, over its simple API (PEP 503, PEP 691).

pub(crate) mod local;
pub(crate) mod twine;

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use domain::release::plan::{Artifact, Lookup, ServedFile, Upload, to_upload};
use formats::name::Name;
use jzon::{JsonValue, object};

use crate::effects::python::tools::Tools;

/// One index, with everything needed to ask it and to upload to it.
#[derive(Clone, Debug)]
pub(crate) struct Index {
    /// twine's name for it.
    pub(crate) repository: String,
    /// Address of the simple API.
    pub(crate) simple: String,
}

impl Index {
    /// The files that the index lists for each of these projects.
    ///
    /// # Errors
    /// The question could not even be asked; an index that does not answer is an
    /// [`Lookup::Unknown`].
    pub(crate) fn files(
        &self,
        tools: &Tools,
        names: &[&Name],
    ) -> Result<Vec<Lookup<Vec<ServedFile>>>> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let normal: Vec<&str> = names.iter().map(|name| name.normal()).collect();
        let question = object! { "simple": self.simple.as_str(), "projects": normal.as_slice() };
        let answer = tools.ask("index", question)?;
        Ok(normal.iter().map(|name| served(&answer[*name])).collect())
    }

    /// Waits until the index lists all these files with these bytes.
    ///
    /// # Errors
    /// It lists one with other bytes, or has not shown them when the time is over.
    pub(crate) fn confirm(
        &self,
        tools: &Tools,
        name: &Name,
        built: &[Artifact],
        patience: Duration,
    ) -> Result<Vec<ServedFile>> {
        let start = Instant::now();
        let mut pause = Duration::from_millis(250);
        loop {
            let seen = self.files(tools, &[name])?.remove(0);
            let why = match seen {
                Lookup::Known(files) => match to_upload(built, &files) {
                    Upload::Nothing => return Ok(files),
                    Upload::Conflict(files) => {
                        bail!("{} serves other bytes as {}", self.repository, files.join(", "))
                    }
                    Upload::Send(missing) => format!("{} is not listed", missing[0].name),
                },
                Lookup::Unknown(why) => why,
            };
            if start.elapsed() + pause > patience {
                bail!(
                    "{} does not show what was uploaded after {} s: {why}",
                    self.repository,
                    patience.as_secs()
                );
            }
            sleep(pause);
            pause = (pause * 2).min(Duration::from_secs(10));
        }
    }
}

/// Stores files of an index in a directory, under their own names.
///
/// # Errors
/// One cannot be had.
pub(crate) fn fetch(tools: &Tools, files: &[ServedFile], dir: &Path) -> Result<()> {
    let wanted = |file: &ServedFile| {
        let path = dir.join(&file.name);
        object! { "url": file.url.as_str(), "path": path.to_string_lossy().as_ref() }
    };
    let wanted: Vec<JsonValue> = files.iter().map(wanted).collect();
    let answer = tools.ask("index", object! { "fetch": wanted })?;
    match answer.get("unknown").and_then(JsonValue::as_str) {
        Some(why) => bail!("the index lists the files and does not hand them out: {why}"),
        None => Ok(()),
    }
}

fn served(answer: &JsonValue) -> Lookup<Vec<ServedFile>> {
    let text = |value: &JsonValue| value.as_str().map(str::to_owned);
    let file = |file: &JsonValue| {
        Some(ServedFile {
            name: text(&file["filename"])?,
            url: text(&file["url"])?,
            sha256: text(&file["sha256"]),
            age: file["age"].as_u64(),
        })
    };
    match answer["files"].as_array() {
        Some(files) => Lookup::Known(files.iter().filter_map(file).collect()),
        None => Lookup::Unknown(
            text(&answer["unknown"]).unwrap_or_else(|| "it said nothing".to_owned()),
        ),
    }
}
