//! The table of a release in the summary of a GitHub Actions job.

use std::fs::OpenOptions;
use std::io::Write;

use crate::ui::output;

/// One row of the table.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) tag: String,
    /// Each stage with how it ended.
    pub(crate) stages: Vec<(String, String)>,
    pub(crate) files: Vec<String>,
}

/// Why the release stopped, and what helps.
pub(crate) struct Reason {
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

/// Appends the table and the report to the summary of the job; does nothing outside GitHub Actions.
pub(crate) fn release(title: &str, rows: &[Row], reasons: &[Reason], report: &str) {
    let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) else {
        return;
    };
    let text = output::shown(format_args!("{}{report}", markdown(title, rows, reasons)));
    let file = OpenOptions::new().create(true).append(true).open(&path);
    // A release does not fail because its summary cannot be written.
    if let Err(error) = file.and_then(|mut file| file.write_all(text.as_bytes())) {
        eprintln!("note: cannot write the job summary: {error}");
    }
}

fn markdown(title: &str, rows: &[Row], reasons: &[Reason]) -> String {
    let mut text = format!("### {title}\n\n");
    if !rows.is_empty() {
        text += "| distribution | version | tag | stages | files |\n|---|---|---|---|---|\n";
    }
    for row in rows {
        let stages: Vec<String> =
            row.stages.iter().map(|(stage, status)| format!("{stage}: {status}")).collect();
        let files: Vec<String> = row.files.iter().map(|file| format!("`{file}`")).collect();
        text += &format!(
            "| {} | {} | `{}` | {} | {} |\n",
            row.name,
            row.version,
            row.tag,
            stages.join("<br>"),
            files.join("<br>")
        );
    }
    text += "\n";
    for Reason { message, hint } in reasons {
        // Indented, so that nothing in it is Markdown.
        let lines = message.lines().map(|line| format!("    {line}\n"));
        text += &lines.collect::<String>();
        text += &hint.as_ref().map(|hint| format!("\n**hint:** {hint}\n")).unwrap_or_default();
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_and_the_reason() {
        let row = Row {
            name: "core".into(),
            version: "1.0".into(),
            tag: "core-v1.0".into(),
            stages: vec![("build".into(), "done".into()), ("check".into(), "failed".into())],
            files: vec!["core-1.0.tar.gz".into()],
        };
        let reason = Reason { message: "stopped:\n  # no".into(), hint: Some("fix it".into()) };
        assert!(markdown("Released", &[row], &[reason]).ends_with(
            "| core | 1.0 | `core-v1.0` | build: done<br>check: failed | `core-1.0.tar.gz` |\n\n\
             \x20   stopped:\n      # no\n\n**hint:** fix it\n\n"
        ));
    }
}
