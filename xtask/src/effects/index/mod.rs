//! Queries of a package index over its simple API (PEP 503, PEP 691), and downloads from it.

pub(crate) mod local;
pub(crate) mod twine;

use std::fmt;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use domain::release::plan::{Artifact, Lookup, ServedFile, Upload, names_taken, to_upload};
use formats::name::Name;
use jzon::{JsonValue, object};

use crate::effects::python::tools::Tools;

/// One index that can be queried and uploaded to.
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
    /// The tools' environment does not answer. An index that does not answer is a
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
        Ok(normal.iter().map(|name| listing(&answer[*name])).collect())
    }

    /// The files that the index lists for one project.
    ///
    /// # Errors
    /// As those of [`Index::files`].
    pub(crate) fn files_of(&self, tools: &Tools, name: &Name) -> Result<Lookup<Vec<ServedFile>>> {
        Ok(self.files(tools, &[name])?.remove(0))
    }

    /// Waits, for `patience` at most, until the index lists all these files with these bytes.
    ///
    /// # Errors
    /// It lists one with other bytes, or does not list them all in time.
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
            let why = match self.files_of(tools, name)? {
                Lookup::Unknown(why) => why,
                Lookup::Known(files) => match to_upload(built, &files) {
                    Upload::Nothing => return Ok(files),
                    Upload::Conflict(files) => {
                        return Err(OtherBytes::new(&self.repository, &files).into());
                    }
                    Upload::Send(missing) => format!("`{}` is not listed", missing[0].name),
                },
            };
            if start.elapsed() + pause > patience {
                bail!(
                    "`{}` does not list the uploaded files after {} s: {why}",
                    self.repository,
                    patience.as_secs()
                );
            }
            sleep(pause);
            pause = (pause * 2).min(Duration::from_secs(10));
        }
    }
}

/// An index serves other bytes under the name of a file that was built here: running the same command
/// again cannot help.
#[derive(Debug)]
pub(crate) struct OtherBytes(String);

impl OtherBytes {
    pub(crate) fn new(index: &str, files: &[String]) -> OtherBytes {
        OtherBytes(names_taken(index, files))
    }
}

impl fmt::Display for OtherBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for OtherBytes {}

/// Downloads files of an index into a directory, under their own names.
///
/// # Errors
/// A file cannot be downloaded.
pub(crate) fn fetch(tools: &Tools, files: &[ServedFile], dir: &Path) -> Result<()> {
    let files = files.iter().map(|file| {
        let path = dir.join(&file.name);
        object! { "url": file.url.as_str(), "path": path.to_string_lossy().as_ref() }
    });
    let answer = tools.ask("index", object! { "fetch": files.collect::<Vec<_>>() })?;
    match answer.get("unknown").and_then(JsonValue::as_str) {
        Some(why) => bail!("could not download files that the index lists: {why}"),
        None => Ok(()),
    }
}

fn listing(answer: &JsonValue) -> Lookup<Vec<ServedFile>> {
    match answer["files"].as_array() {
        Some(files) => match files.iter().map(served_file).collect() {
            Some(files) => Lookup::Known(files),
            None => Lookup::Unknown("its answer lists a file without a name".to_owned()),
        },
        None => Lookup::Unknown(answer["unknown"].as_str().unwrap_or("no answer").to_owned()),
    }
}

fn served_file(file: &JsonValue) -> Option<ServedFile> {
    let name = file["filename"].as_str().filter(|name| !name.contains(['/', '\\']))?;
    Some(ServedFile {
        name: name.to_owned(),
        url: file["url"].as_str()?.to_owned(),
        sha256: file["sha256"].as_str().map(str::to_owned),
        yanked: file["yanked"] == true,
        age: file["age"].as_u64(),
    })
}
