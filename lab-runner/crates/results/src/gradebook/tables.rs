//! The gradebook as CSV (RFC 4180): for people, and as learning platforms import it.

use super::book::{Book, Cell, Column, number};
use super::refuse;
use crate::ResultsError;
use lab_runner::grade::{Learner, cell as inert};

/// The columns by which Canvas knows its learners ("How do I import grades in the Gradebook?").
const CANVAS: [&str; 5] = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"];

/// The table for people: each lab has its points and what explains them.
pub(super) fn plain(book: &Book) -> Result<Vec<u8>, ResultsError> {
    let mut rows = Vec::new();
    let labs = book.labs.iter().flat_map(|lab| [lab.lab.clone(), format!("{} notes", lab.lab)]);
    rows.push(["learner".to_owned(), "name".to_owned()].into_iter().chain(labs).chain(["total".to_owned()]).collect());
    for row in &book.learners {
        let cells = row.cells.iter().flat_map(|cell| [points(cell), inert(&cell.notes.join("; "))]);
        let total: f64 = row.cells.iter().filter_map(|cell| cell.points).sum();
        let start = [inert(&row.learner), inert(&row.name)];
        rows.push(start.into_iter().chain(cells).chain([number(total)]).collect());
    }
    written(rows)
}

/// The table as Canvas imports it, where the roster is one that Canvas exported. An empty cell leaves a grade as it is.
pub(super) fn canvas(book: &Book) -> Result<Option<Vec<u8>>, ResultsError> {
    let Some(roster) = book.roster.as_ref().filter(|roster| CANVAS.iter().all(|column| roster.has(column))) else {
        return Ok(None);
    };
    let title = |lab: &Column| match book.policy.labs.get(&lab.lab).and_then(|terms| terms.canvas_id) {
        Some(id) => format!("{} ({id})", lab.title),
        None => lab.title.clone(),
    };
    let mut rows = Vec::new();
    rows.push(CANVAS.into_iter().map(str::to_owned).chain(book.labs.iter().map(title)).collect());
    let possible = ["    Points Possible", "", "", "", ""].into_iter().map(str::to_owned);
    rows.push(possible.chain(book.labs.iter().map(|lab| number(lab.points))).collect());
    for (learner, row) in roster.learners().zip(&book.learners) {
        rows.push(
            CANVAS.iter().map(|column| learner.get(column).to_owned()).chain(row.cells.iter().map(points)).collect(),
        );
    }
    written(rows).map(Some)
}

/// The table as Moodle imports it, where the policy says by which column of the roster it finds its users. A learner
/// without a value there is left out.
pub(super) fn moodle(book: &Book) -> Result<Option<Vec<u8>>, ResultsError> {
    let (Some(key), Some(roster)) = (&book.policy.moodle_key, &book.roster) else {
        return match &book.policy.moodle_key {
            Some(_) => refuse("the policy has `moodle_key`, a column of the roster, and there is no --roster"),
            None => Ok(None),
        };
    };
    if !roster.has(key) {
        return refuse(format!("the roster has no column `{key}`, which the policy's `moodle_key` names"));
    }
    let mut rows = vec![std::iter::once(key.clone()).chain(book.labs.iter().map(|lab| lab.title.clone())).collect()];
    let known = |(learner, _): &(Learner<'_>, _)| !learner.get(key).is_empty();
    for (learner, row) in roster.learners().zip(&book.learners).filter(known) {
        // A dash is how Moodle itself writes that there is no grade.
        let cells = row.cells.iter().map(|cell| if cell.points.is_some() { points(cell) } else { "-".to_owned() });
        rows.push(std::iter::once(learner.get(key).to_owned()).chain(cells).collect());
    }
    written(rows).map(Some)
}

fn points(cell: &Cell) -> String {
    cell.points.map(number).unwrap_or_default()
}

fn written(rows: Vec<Vec<String>>) -> Result<Vec<u8>, ResultsError> {
    let mut table = csv::Writer::from_writer(Vec::new());
    for row in rows {
        table.write_record(row).map_err(|error| ResultsError::Write(error.to_string()))?;
    }
    table.into_inner().map_err(|error| ResultsError::Write(error.error().to_string()))
}
