//! A README's tables of checks: each row names a check that exists, and gives it the points that the code gives it.

use lab_protocol::CheckInfo;

use super::Problem;
use super::source::SuiteCode;
use crate::suggest;
use crate::workspace::Lab;

/// What the first line of such a table holds in its first cells.
const HEADER: [&str; 2] = ["check", "points"];

/// A row of a table of checks.
#[derive(Debug, PartialEq, Eq)]
struct Row<'a> {
    /// The line, counted from 1.
    line: usize,
    /// The check it names.
    id: &'a str,
    /// What it is worth, as it is written.
    points: &'a str,
}

/// Compares the tables in the README of `lab` with `checks`, which `source` declares.
pub(super) fn examine(lab: &Lab, checks: &[CheckInfo], source: &SuiteCode) -> Vec<Problem> {
    let text = std::fs::read_to_string(lab.folder.join("README.md")).unwrap_or_default();
    let problem = |row: Row<'_>| {
        let place = format!("README.md:{}", row.line);
        let Some(check) = checks.iter().find(|check| check.id == row.id) else {
            let nearest = suggest::did_you_mean(row.id, checks.iter().map(|check| check.id.as_str()));
            let hint = nearest.map(|hint| format!("; {hint}")).unwrap_or_default();
            return Some(Problem::of(&place, format!("`{}` is not a check of this lab{hint}", row.id)));
        };
        if row.points.parse() == Ok(check.points) {
            return None;
        }
        let declared = source.checks.get(&check.id);
        let at = declared.map(|declared| format!(" in {}:{}", declared.file, declared.points_line));
        let (at, points) = (at.unwrap_or_default(), row.points);
        Some(Problem::of(&place, format!("`{}` has the points `{points}` here and {}{at}", check.id, check.points)))
    };
    rows(&text).into_iter().filter_map(problem).collect()
}

/// The rows of all tables of checks in `readme`.
fn rows(readme: &str) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    let mut inside = false;
    for (text, line) in readme.lines().zip(1..) {
        let Some(table) = text.strip_prefix('|') else {
            inside = false;
            continue;
        };
        let mut cells = table.split('|').map(str::trim);
        let (first, second) = (cells.next().unwrap_or_default(), cells.next().unwrap_or_default());
        if [first, second] == HEADER {
            inside = true;
        } else if inside && let Some(id) = first.strip_prefix('`').and_then(|rest| rest.strip_suffix('`')) {
            rows.push(Row { line, id, points: second });
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tables_of_checks_have_rows_that_count() {
        let readme = "| path | what |\n|---|---|\n| `src` | 3 |\n\n| check | points | demand |\n|---|---|---|\n\
                      | `greets` | 40 | `GET /` |\ntext\n| `not` | 1 |\n";
        assert_eq!(rows(readme), [Row { line: 7, id: "greets", points: "40" }]);
    }
}
