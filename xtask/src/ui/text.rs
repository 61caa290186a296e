//! Text for people: wrapping and tables.

use crate::ui::say;

/// The words of a text in lines of at most `width` characters, at least one line.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let length = word.chars().count();
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + length <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// The width of a table whose last column can be wrapped.
const TABLE_WIDTH: usize = 80;

/// Prints a table on standard output: columns as wide as their widest cell, two spaces between
/// them; the last column is wrapped where the table would be wider than 80 characters.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>]) {
    say!("{}", table_lines(header, rows).join("\n"));
}

fn table_lines(header: &[&str], rows: &[Vec<String>]) -> Vec<String> {
    let header: Vec<String> = header.iter().map(|cell| (*cell).to_owned()).collect();
    let all: Vec<&Vec<String>> = std::iter::once(&header).chain(rows).collect();
    let widths: Vec<usize> = (0..header.len())
        .map(|column| {
            let cells = all.iter().filter_map(|row| row.get(column));
            // A cell wider than the table stands out of its column.
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0).min(TABLE_WIDTH)
        })
        .collect();
    let left: usize = widths.iter().rev().skip(1).map(|width| width + 2).sum();
    // A longer name is not cut in pieces: its line is wider than the table.
    let room = TABLE_WIDTH.saturating_sub(left).max(20);
    let mut lines = Vec::new();
    for row in all {
        let Some((last, first)) = row.split_last() else { continue };
        let mut margin: String =
            first.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}  ")).collect();
        for part in wrapped(last, room) {
            lines.push(format!("{margin}{part}").trim_end().to_owned());
            margin = " ".repeat(left);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_no_longer_than_asked() {
        assert_eq!(wrapped("", 3), [""]);
        assert_eq!(wrapped("a bc  def ghij", 4), ["a bc", "def", "ghij"]);
    }

    #[test]
    fn a_table_fits_the_page() {
        let needs = (0..12).map(|n| format!("sibling-{n}")).collect::<Vec<_>>().join(", ");
        let rows = [
            vec!["a".to_owned(), "1.0".to_owned(), needs],
            vec!["b".into(), "2".into(), String::new()],
        ];
        let lines = table_lines(&["distribution", "version", "needs"], &rows);
        assert_eq!(lines[0], "distribution  version  needs");
        assert!(lines.iter().all(|line| line.chars().count() <= TABLE_WIDTH), "{lines:#?}");
        assert!(lines[2].starts_with("                       sibling-"), "{lines:#?}");
        assert_eq!(lines.last().unwrap(), "b             2");
    }
}
