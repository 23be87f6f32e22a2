//! The learners of a course, from a CSV file with a header: one's own, or what a learning platform exports.

use std::collections::BTreeSet;

use camino::Utf8Path;

/// Columns that submissions may be called by, where nobody says which: the first of these that there is.
const KEYS: [&str; 7] = ["learner", "submission", "SIS Login ID", "Username", "username", "login", "id"];
/// Columns with a name, the first of these that there is.
const NAMES: [&str; 4] = ["name", "Name", "Student", "Full name"];
/// What Canvas calls the second row of what it exports.
const POINTS_POSSIBLE: &str = "Points Possible";

/// A roster that nothing can be made of.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RosterError(String);

/// The learners.
#[derive(Debug, Clone)]
pub struct Roster {
    header: Vec<String>,
    key: usize,
    learners: Vec<Vec<String>>,
}

/// One learner of a roster.
#[derive(Debug, Clone, Copy)]
pub struct Learner<'a> {
    roster: &'a Roster,
    row: &'a [String],
}

impl Roster {
    /// Reads the roster at `path`, whose column `key` has the names of submissions.
    ///
    /// # Errors
    /// It cannot be read, has no such column, or has a learner twice.
    pub fn read(path: &Utf8Path, key: Option<&str>) -> Result<Self, RosterError> {
        let failed = |error: csv::Error| RosterError(format!("cannot read {path}: {error}"));
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(path).map_err(failed)?;
        // Platforms export with a byte order mark.
        let clean = |cell: &str| cell.trim_start_matches('\u{feff}').trim().to_owned();
        let header: Vec<String> = reader.headers().map_err(failed)?.iter().map(clean).collect();
        let key = key_column(path, &header, key)?;
        let mut learners = Vec::new();
        let mut seen = BTreeSet::new();
        for record in reader.records() {
            let row: Vec<String> = record.map_err(failed)?.iter().map(clean).collect();
            let Some(name) = row.get(key).filter(|name| !name.is_empty()) else { continue };
            if row.iter().any(|cell| cell == POINTS_POSSIBLE) {
                continue;
            }
            if !seen.insert(name.clone()) {
                return refuse(format!("{path} has `{name}` twice in its column `{}`", header[key]));
            }
            learners.push(row);
        }
        Ok(Self { header, key, learners })
    }

    /// The learners, in the file's order.
    pub fn learners(&self) -> impl Iterator<Item = Learner<'_>> {
        self.learners.iter().map(|row| Learner { roster: self, row })
    }

    /// Whether there is a column `name`.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.header.iter().any(|column| column == name)
    }
}

impl<'a> Learner<'a> {
    /// What the learner's submissions are called.
    #[must_use]
    pub fn key(self) -> &'a str {
        self.row.get(self.roster.key).map_or("", String::as_str)
    }

    /// The learner's name, if the roster has one.
    #[must_use]
    pub fn name(self) -> &'a str {
        NAMES.iter().map(|column| self.get(column)).find(|name| !name.is_empty()).unwrap_or_default()
    }

    /// What stands in the column `name`. Empty, if nothing does.
    #[must_use]
    pub fn get(self, name: &str) -> &'a str {
        let column = self.roster.header.iter().position(|column| column == name);
        column.and_then(|column| self.row.get(column)).map_or("", String::as_str)
    }
}

fn key_column(path: &Utf8Path, header: &[String], wanted: Option<&str>) -> Result<usize, RosterError> {
    let position = |name: &str| header.iter().position(|column| column == name);
    let found = match wanted {
        Some(name) => position(name),
        None => KEYS.iter().find_map(|name| position(name)),
    };
    let columns = || header.iter().map(|column| format!("`{column}`")).collect::<Vec<_>>().join(", ");
    match (found, wanted) {
        (Some(column), _) => Ok(column),
        (None, Some(name)) => refuse(format!("{path} has no column `{name}`; it has {}", columns())),
        (None, None) => {
            refuse(format!("{path}: no column is known to name submissions; --key says which of {} does", columns()))
        }
    }
}

fn refuse<T>(why: String) -> Result<T, RosterError> {
    Err(RosterError(why))
}
