//! Asks `api.py` what code offers and uses.

use std::path::{Path, PathBuf};

use anyhow::Result;
use domain::release::evidence::{Break, Details, Miss, TooNew};
use jzon::{JsonValue, object};

use crate::effects::python::tools::Tools;

/// The uses of a wheel that the good ones meet and the bad ones do not.
///
/// # Errors
/// The tools' environment does not answer.
pub(super) fn misses(
    tools: &Tools,
    user: &Path,
    good: &[PathBuf],
    bad: &[PathBuf],
) -> Result<Vec<Miss>> {
    let question = object! { "user": text(user), "good": texts(good), "bad": texts(bad) };
    Ok(tools.ask("api", question)?.members().map(miss).collect())
}

/// The breaks in the public names of a wheel, where those of the siblings `beside` it count as well.
///
/// # Errors
/// The tools' environment does not answer.
pub(super) fn breaks(
    tools: &Tools,
    old: &Path,
    new: &Path,
    beside: &[PathBuf],
) -> Result<Vec<Break>> {
    let question = object! { "old": text(old), "new": text(new), "beside": texts(beside) };
    let answer = tools.ask("api", question)?;
    let word = |value: &JsonValue| value.as_str().unwrap_or_default().to_owned();
    let read = |one: &JsonValue| Break { name: word(&one["name"]), why: word(&one["why"]) };
    Ok(answer.members().map(read).collect())
}

/// The names that a wheel imports and registers, and the files that this Python, such as
/// `3.8`, cannot read.
///
/// # Errors
/// The tools' environment does not answer.
pub(super) fn details(tools: &Tools, wheel: &Path, python: Option<&str>) -> Result<Details> {
    let question = object! { "wheel": text(wheel), "python": python.unwrap_or_default() };
    let answer = tools.ask("api", question)?;
    let word = |value: &JsonValue| value.as_str().unwrap_or_default().to_owned();
    let place = |one: &JsonValue| {
        format!("{}:{}", word(&one["file"]), one["line"].as_u64().unwrap_or_default())
    };
    let imports = answer["imports"].members().map(|one| (word(&one["name"]), place(one)));
    let points = answer["entry_points"].members();
    let syntax = answer["syntax"].members().map(|one| TooNew {
        place: place(one),
        why: word(&one["why"]),
        since: word(&one["since"]),
    });
    Ok(Details {
        imports: imports.collect(),
        entry_points: points.map(|one| (word(&one["group"]), word(&one["name"]))).collect(),
        syntax: syntax.collect(),
    })
}

fn miss(value: &JsonValue) -> Miss {
    let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
    Miss {
        file: text("file"),
        line: value["line"].as_u64().unwrap_or_default(),
        name: text("name"),
        why: text("why"),
    }
}

fn texts(paths: &[PathBuf]) -> Vec<String> {
    paths.iter().map(|path| text(path)).collect()
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
