//! A README's tables of checks: each row names a check that exists, gives it the points that the code gives it, and
//! stands where the suite has it.

use lab_protocol::CheckInfo;
use lab_runner::audit::Problem;
use lab_runner::suggest;
use lab_runner::workspace::Lab;

use super::source::SuiteCode;

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
    let rows = rows(&text);
    let misplaced = misplaced(&rows, checks);
    rows.into_iter().filter_map(problem).chain(misplaced).collect()
}

/// The first row that stands elsewhere than the suite has its check: learners read both lists, and work in their order.
fn misplaced(rows: &[Row<'_>], checks: &[CheckInfo]) -> Option<Problem> {
    let written: Vec<&Row<'_>> = rows.iter().filter(|row| checks.iter().any(|check| check.id == row.id)).collect();
    let listed = checks.iter().map(|check| check.id.as_str()).filter(|id| written.iter().any(|row| row.id == *id));
    let (row, id) = written.iter().zip(listed).find(|(row, id)| row.id != *id)?;
    let message = format!(
        "`{}` stands where the suite has `{id}`: both go by task, then by file and line; `file_order!` has files in another \
         order than that of their names",
        row.id
    );
    Some(Problem::of(&format!("README.md:{}", row.line), message))
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
    fn a_row_stands_where_the_suite_has_its_check() {
        let check = |id: &str| -> CheckInfo {
            let info = serde_json::json!({ "id": id, "title": "", "task": 1, "points": 1, "needs": [], "why": "",
                "source": "", "hints": [], "held_out": false, "alone": false });
            serde_json::from_value(info).unwrap()
        };
        let row = |line: usize, id: &'static str| Row { line, id, points: "1" };
        let rows = [row(7, "greets"), row(8, "parts"), row(9, "waves"), row(10, "unknown")];
        assert!(misplaced(&rows, &["greets", "hidden", "parts", "waves"].map(check)).is_none());
        let found = misplaced(&rows, &["greets", "waves", "parts"].map(check)).unwrap();
        assert_eq!(found.place, "README.md:8");
        assert!(found.message.starts_with("`parts` stands where the suite has `waves`"), "{}", found.message);
    }

    #[test]
    fn only_tables_of_checks_have_rows_that_count() {
        let readme = "| path | what |\n|---|---|\n| `src` | 3 |\n\n| check | points | demand |\n|---|---|---|\n\
                      | `greets` | 40 | `GET /` |\ntext\n| `not` | 1 |\n";
        assert_eq!(rows(readme), [Row { line: 7, id: "greets", points: "40" }]);
    }
}
