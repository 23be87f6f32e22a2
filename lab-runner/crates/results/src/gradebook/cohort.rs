//! What a lab is like for all learners together: how the points are spread, and what stopped them.

use std::collections::BTreeMap;

use super::attempts::Failure;
use super::book::Book;

/// How many classes the points are sorted into.
const CLASSES: usize = 10;

/// A lab, as all learners together did in it.
#[derive(Debug, Clone)]
pub(super) struct Cohort {
    /// How many have a grade.
    pub(super) graded: usize,
    /// The middle one's share of the points, from 0 to 1.
    pub(super) median: f64,
    /// How many have how much: each class is a tenth of the points, and the last has those who have all.
    pub(super) spread: [usize; CLASSES + 1],
    /// The checks that failed, those that stopped the most learners first.
    pub(super) obstacles: Vec<Obstacle>,
}

/// A check that some learners failed.
#[derive(Debug, Clone)]
pub(super) struct Obstacle {
    /// The check's id.
    pub(super) id: String,
    /// The behaviour it asks for.
    pub(super) title: String,
    /// How many failed it before any other check.
    pub(super) first: usize,
    /// How many failed it.
    pub(super) failed: usize,
    /// What was wrong most often, and in how many of these.
    pub(super) commonest: (String, usize),
}

/// The cohort of the lab in column `place`.
pub(super) fn of(book: &Book, place: usize) -> Cohort {
    let cells: Vec<_> = book.learners.iter().map(|row| &row.cells[place]).collect();
    let mut shares: Vec<f64> = cells
        .iter()
        .filter_map(|cell| cell.score.filter(|_| cell.points.is_some()))
        .map(|(score, max)| f64::from(score) / f64::from(max))
        .collect();
    shares.sort_by(f64::total_cmp);
    let mut spread = [0; CLASSES + 1];
    for share in &shares {
        spread[class(*share)] += 1;
    }
    let median = shares.get(shares.len() / 2).copied().unwrap_or_default();
    let obstacles = obstacles(cells.iter().map(|cell| cell.failures.as_slice()));
    Cohort { graded: shares.len(), median, spread, obstacles }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share lies between 0 and 1")]
fn class(share: f64) -> usize {
    ((share * 10.0).floor().clamp(0.0, 10.0)) as usize
}

/// What is counted of a check.
#[derive(Default)]
struct Tally<'a> {
    title: &'a str,
    first: usize,
    failed: usize,
    /// What was wrong, by kind: how often, and once as it was told.
    said: BTreeMap<String, (usize, &'a str)>,
}

fn obstacles<'a>(learners: impl Iterator<Item = &'a [Failure]>) -> Vec<Obstacle> {
    let mut found: BTreeMap<&str, Tally<'a>> = BTreeMap::new();
    for failures in learners {
        for (place, failure) in failures.iter().enumerate() {
            let tally = found.entry(&failure.id).or_default();
            tally.title = &failure.title;
            tally.first += usize::from(place == 0);
            tally.failed += 1;
            tally.said.entry(kind(&failure.message)).or_insert((0, &failure.message)).0 += 1;
        }
    }
    let mut obstacles: Vec<Obstacle> = found.into_iter().map(|(id, tally)| obstacle(id, tally)).collect();
    obstacles.sort_by(|one, other| (other.first, other.failed, &one.id).cmp(&(one.first, one.failed, &other.id)));
    obstacles
}

fn obstacle(id: &str, tally: Tally<'_>) -> Obstacle {
    // Of equals, the one that sorts first: the page is the same whenever it is made.
    let (count, message) = tally.said.into_values().rev().max_by_key(|(count, _)| *count).unwrap_or_default();
    Obstacle {
        id: id.to_owned(),
        title: tally.title.to_owned(),
        first: tally.first,
        failed: tally.failed,
        commonest: (message.to_owned(), count),
    }
}

/// A message without what is different in every run: what it quotes, and its numbers but for those that may be a status.
fn kind(message: &str) -> String {
    let outside = message.split('`').enumerate().filter(|(place, _)| place % 2 == 0).map(|(_, text)| text);
    let is_status = |word: &str| word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_digit());
    let words = outside.flat_map(|text| text.split(|letter: char| !letter.is_alphanumeric()));
    let kept = words.filter(|word| is_status(word) || !word.contains(|letter: char| letter.is_ascii_digit()));
    kept.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::{class, kind, obstacles};
    use crate::gradebook::attempts::Failure;

    fn failed(id: &str, message: &str) -> Failure {
        Failure { id: id.into(), title: format!("it {id}"), message: message.into() }
    }

    #[test]
    fn what_stopped_most_learners_comes_first_with_its_commonest_message() {
        let ada = [failed("greets", "expected 200, got 404"), failed("echoes", "expected `lab-1`")];
        let bob = [failed("echoes", "expected `lab-2`")];
        let cyd = [failed("echoes", "no answer"), failed("greets", "expected 200, got 500")];
        let found = obstacles([&ada[..], &bob, &cyd, &[]].into_iter());
        let told: Vec<_> = found.iter().map(|one| (one.id.as_str(), one.first, one.failed, one.commonest.1)).collect();
        assert_eq!(told, [("echoes", 2, 3, 2), ("greets", 1, 2, 1)]);
        assert!(found[0].commonest.0.starts_with("expected `lab-"));
        assert_eq!(kind("expected `a` after 3 s"), kind("expected `b` after 12 s"));
        assert_ne!(kind("expected 200, got 404"), kind("expected 200, got 500"));
    }

    #[test]
    fn only_those_with_all_points_are_in_the_last_class() {
        assert_eq!([class(0.0), class(0.099), class(0.1), class(0.999), class(1.0)], [0, 0, 1, 9, 10]);
    }
}
