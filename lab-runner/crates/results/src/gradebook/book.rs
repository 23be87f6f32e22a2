//! The gradebook: which attempt of each learner counts for each lab, and for how many points.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use lab_runner::grade::Roster;
use serde::Serialize;

use super::attempts::{Attempt, Attempts, Failure};
use super::late;
use super::policy::{Policy, Which};
use crate::ResultsError;

/// The name and version of the format.
const SCHEMA: &str = "backend-labs/gradebook/v1";

/// A gradebook: what `gradebook.json` holds.
#[derive(Debug, Clone, Serialize)]
pub struct Book {
    /// `backend-labs/gradebook/v1`.
    pub schema: &'static str,
    /// The labs, a column each.
    pub labs: Vec<Column>,
    /// The learners: those of the roster in its order; without one, all there are, by name.
    pub learners: Vec<Row>,
    /// Submissions of nobody in the roster.
    pub unknown: Vec<String>,
    /// What an instructor should look at, a sentence each.
    pub notes: Vec<String>,
    /// Who the learners are.
    #[serde(skip)]
    pub(super) roster: Option<Roster>,
    /// What decided.
    #[serde(skip)]
    pub(super) policy: Policy,
}

/// A lab in a gradebook.
#[derive(Debug, Clone, Serialize)]
pub struct Column {
    /// The lab's id.
    pub lab: String,
    /// The column's title.
    pub title: String,
    /// The points it counts for.
    pub points: f64,
    /// When it is due.
    pub due: Option<DateTime<Utc>>,
}

/// A learner in a gradebook.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// What the learner's submissions are called.
    pub learner: String,
    /// The learner's name. Empty without a roster that has it.
    pub name: String,
    /// A cell for each lab.
    pub cells: Vec<Cell>,
}

/// What a learner has for a lab.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Cell {
    /// The points. Null where there is no grade: nothing was handed in, or grading failed.
    pub points: Option<f64>,
    /// The points that the suite gave, and out of how many.
    pub score: Option<(u32, u32)>,
    /// How many attempts there are.
    pub attempts: usize,
    /// When the attempt that counts was handed in, if that is known.
    pub submitted_at: Option<DateTime<Utc>>,
    /// How many days it is late.
    pub late_days: u32,
    /// How many of these cost nothing.
    pub free_days: u32,
    /// Its result.
    pub result: Option<String>,
    /// What explains the points, a sentence each.
    pub notes: Vec<String>,
    /// What failed in it, in the suite's order.
    #[serde(skip)]
    pub(super) failures: Vec<Failure>,
}

/// An attempt that has a grade, and what it is worth.
struct Worth<'a> {
    attempt: &'a Attempt,
    points: f64,
    late: u32,
    free: u32,
}

/// Makes the gradebook.
///
/// # Errors
/// The policy names a lab or a learner that nobody knows.
pub(super) fn make(attempts: Attempts, roster: Option<Roster>, policy: Policy) -> Result<Book, ResultsError> {
    let seen: BTreeSet<&str> = attempts.by.keys().map(|(_, learner)| learner.as_str()).collect();
    let listed: Vec<(String, String)> = match &roster {
        Some(roster) => {
            roster.learners().map(|learner| (learner.key().to_owned(), learner.name().to_owned())).collect()
        }
        None => seen.iter().map(|name| ((*name).to_owned(), String::new())).collect(),
    };
    let known: BTreeSet<&str> = listed.iter().map(|(learner, _)| learner.as_str()).collect();
    policy.names_only(&|lab| attempts.labs.contains_key(lab), &|name| known.contains(name) || seen.contains(name))?;
    let labs = columns(&attempts, &policy);
    let learners: Vec<Row> = listed
        .iter()
        .map(|(learner, name)| Row {
            learner: learner.clone(),
            name: name.clone(),
            cells: cells(learner, &labs, &attempts, &policy),
        })
        .collect();
    let unknown: Vec<String> = seen.difference(&known).map(|name| (*name).to_owned()).collect();
    let notes = notes(&labs, &learners, &unknown, &attempts, &policy);
    Ok(Book { schema: SCHEMA, labs, learners, unknown, notes, roster, policy })
}

fn columns(attempts: &Attempts, policy: &Policy) -> Vec<Column> {
    let column = |(id, lab): (&String, &super::attempts::Lab)| {
        let terms = policy.labs.get(id);
        Column {
            lab: id.clone(),
            title: terms.and_then(|terms| terms.title.clone()).unwrap_or_else(|| lab.title.clone()),
            points: terms.and_then(|terms| terms.points).unwrap_or_else(|| lab.points.into()),
            due: terms.and_then(|terms| terms.due),
        }
    };
    attempts.labs.iter().map(column).collect()
}

/// A learner's cells. Days that cost nothing are spent on the lab that is due first.
fn cells(learner: &str, labs: &[Column], attempts: &Attempts, policy: &Policy) -> Vec<Cell> {
    let mut order: Vec<usize> = (0..labs.len()).collect();
    order.sort_by_key(|place| (labs[*place].due.is_none(), labs[*place].due, *place));
    let mut left = policy.late.free_days;
    let mut cells = BTreeMap::new();
    for place in order {
        let none = Vec::new();
        let lab = &labs[place];
        let own = attempts.by.get(&(lab.lab.clone(), learner.to_owned())).unwrap_or(&none);
        let cell = cell(learner, lab, own, left, policy);
        left -= cell.free_days;
        cells.insert(place, cell);
    }
    cells.into_values().collect()
}

fn cell(learner: &str, lab: &Column, attempts: &[Attempt], left: u32, policy: &Policy) -> Cell {
    let due = policy.due(&lab.lab, learner);
    let worth = attempts.iter().filter_map(|attempt| worth(attempt, lab, due, left, policy));
    let mut cell = match chosen(worth, policy.attempt) {
        Some(worth) => graded(&worth, policy),
        None => Cell::default(),
    };
    cell.attempts = attempts.len();
    if let Some(why) = attempts.iter().rev().find_map(Attempt::obstacle) {
        cell.notes.push(format!("an attempt has no grade: {why}"));
    }
    if let Some(given) = policy.adjustment(&lab.lab, learner) {
        let before = cell.points.map_or_else(|| "none".to_owned(), number);
        cell.notes.push(format!("adjusted from {before} to {}: {}", number(given.points), given.reason.trim()));
        cell.points = Some(given.points);
    }
    cell
}

fn worth<'a>(
    attempt: &'a Attempt,
    lab: &Column,
    due: Option<DateTime<Utc>>,
    left: u32,
    policy: &Policy,
) -> Option<Worth<'a>> {
    let (score, max) = attempt.grading()?.score?;
    let full = lab.points * f64::from(score) / f64::from(max);
    let late = attempt.submitted.zip(due).map_or(0, |(submitted, due)| late::days(submitted, due, &policy.late));
    // What nobody would gain by is not spent.
    let free = if full > 0.0 { late.min(left) } else { 0 };
    let points = late::rest(full, lab.points, late - free, late, &policy.late);
    Some(Worth { attempt, points: (points * 100.0).round() / 100.0, late, free })
}

/// The attempt that counts. Of the best, that which spends the least and came first.
fn chosen<'a>(worth: impl Iterator<Item = Worth<'a>>, which: Which) -> Option<Worth<'a>> {
    match which {
        Which::Last => worth.last(),
        Which::Best => worth.reduce(|best, next| {
            let better = next.points > best.points || (next.points == best.points && next.free < best.free);
            if better { next } else { best }
        }),
    }
}

fn graded(worth: &Worth<'_>, policy: &Policy) -> Cell {
    let grading = worth.attempt.grading();
    let mut notes = Vec::new();
    notes.extend(worth.attempt.regraded());
    notes.extend(grading.and_then(|grading| grading.message.clone()));
    if worth.late > 0 {
        notes.push(lateness(worth, policy));
    }
    Cell {
        points: Some(worth.points),
        score: grading.and_then(|grading| grading.score),
        attempts: 0,
        submitted_at: worth.attempt.submitted,
        late_days: worth.late,
        free_days: worth.free,
        result: grading.and_then(|grading| grading.result.as_ref()).map(ToString::to_string),
        notes,
        failures: grading.map(|grading| grading.failures.clone()).unwrap_or_default(),
    }
}

fn lateness(worth: &Worth<'_>, policy: &Policy) -> String {
    let days = |count: u32| format!("{count} {}", if count == 1 { "day" } else { "days" });
    let (late, paid) = (days(worth.late), worth.late - worth.free);
    if paid == 0 {
        return format!("{late} late, free of cost");
    }
    if policy.late.last_day.is_some_and(|last| worth.late > last) {
        return format!("{late} late: too late for points");
    }
    let cost = number(policy.late.percent_per_day * f64::from(paid));
    let free = if worth.free > 0 { format!(", {} of them free", worth.free) } else { String::new() };
    format!("{late} late{free}: minus {cost} % of the lab's points")
}

/// What an instructor should look at before anybody's grade is told.
fn notes(labs: &[Column], learners: &[Row], unknown: &[String], attempts: &Attempts, policy: &Policy) -> Vec<String> {
    let mut notes = Vec::new();
    if !unknown.is_empty() {
        let who: Vec<&str> = unknown.iter().map(String::as_str).collect();
        notes.push(format!("not in the roster, and in no platform's table: {}", names(&who)));
    }
    for id in policy.labs.keys().filter(|id| !attempts.labs.contains_key(*id)) {
        notes.push(format!("the policy has [labs.{id}], and there is no report of it"));
    }
    for (place, lab) in labs.iter().enumerate() {
        let here = |wanted: &dyn Fn(&Cell) -> bool| -> Vec<&str> {
            learners.iter().filter(|row| wanted(&row.cells[place])).map(|row| row.learner.as_str()).collect()
        };
        let failed = here(&|cell| cell.points.is_none() && cell.attempts > 0);
        if !failed.is_empty() {
            notes.push(format!("{}: handed in, and without a grade: {}", lab.lab, names(&failed)));
        }
        let timeless = here(&|cell| cell.score.is_some() && cell.submitted_at.is_none());
        if lab.due.is_some() && !timeless.is_empty() {
            let who = names(&timeless);
            notes.push(format!("{}: when these handed in is not known, and counts as in time: {who}", lab.lab));
        }
    }
    notes
}

/// The first names of a list, and how many more there are.
fn names(all: &[&str]) -> String {
    const SHOWN: usize = 10;
    match all.len().checked_sub(SHOWN) {
        Some(more @ 1..) => format!("{} and {more} more", all[..SHOWN].join(", ")),
        _ => all.join(", "),
    }
}

/// A number of points as people write it: with two digits at most, and none that say nothing.
pub(super) fn number(points: f64) -> String {
    // The sum of nothing is a negative zero.
    let text = format!("{:.2}", points + 0.0);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn points_have_no_digits_that_say_nothing() {
        assert_eq!([number(80.0), number(66.67), number(0.5), number(-0.0)], ["80", "66.67", "0.5", "0"]);
    }
}
