//! The submissions of those whom a roster lists: where each is, at which commit, and who has handed in nothing.

use camino::{Utf8Path, Utf8PathBuf};
use lab_runner::grade::{Learner, Roster};

use super::entries::{Entry, Handed, Place, name};

/// Columns that say where a submission is, the first of these that there is.
const PATHS: [&str; 2] = ["path", "folder"];
/// The column that says at which commit.
const REVISION: &str = "rev";

/// What was found for a roster.
#[derive(Debug)]
pub struct Listed {
    /// The submissions of those whom the roster lists, in its order, then those of others.
    pub entries: Vec<Entry>,
    /// The names of submissions of nobody in the roster.
    pub strangers: Vec<String>,
}

/// A submission for each learner of `roster`: where their row says, from the folder `beside` on, or that of `found` which is
/// called as they are. Where a row names no commit, `revision` counts.
#[must_use]
pub fn listed(roster: &Roster, beside: &Utf8Path, found: Vec<Entry>, revision: Option<&str>) -> Listed {
    let mut others: Vec<Entry> = found;
    let mut places = Vec::new();
    for learner in roster.learners() {
        let revision = Some(learner.get(REVISION)).filter(|revision| !revision.is_empty()).or(revision);
        // An empty path leads nowhere.
        let place = match named_path(learner) {
            Some(path) => beside.join(path),
            None => called(&others, learner.key()).unwrap_or_default(),
        };
        let (path, handed) = match place.canonicalize_utf8() {
            Ok(path) => (path.clone(), Handed::at(&path, revision)),
            Err(_) => (place, Handed::Nothing),
        };
        others.retain(|other| other.path != path);
        places.push(Place { name: learner.key().to_owned(), path, handed });
    }
    let strangers = others.iter().map(|other| other.name.clone()).collect();
    places.extend(others.into_iter().map(|Entry { name, path, handed, .. }| Place { name, path, handed }));
    Listed { entries: name(places), strangers }
}

fn named_path(learner: Learner<'_>) -> Option<&str> {
    PATHS.iter().map(|column| learner.get(column)).find(|path| !path.is_empty())
}

/// Where that of `found` is which is called `name`.
fn called(found: &[Entry], name: &str) -> Option<Utf8PathBuf> {
    found.iter().find(|entry| entry.name == name).map(|entry| entry.path.clone())
}
