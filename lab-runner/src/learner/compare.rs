//! The model answer beside a learner's own files: what differs, file by file.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

use crate::submission::Tree;

/// How many equal lines are shown around a difference.
const CONTEXT: usize = 3;

/// One file that is not the same on both sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileDifference {
    /// The file, relative to the lab's folder.
    pub path: Utf8PathBuf,
    /// On which sides it is.
    pub side: Side,
    /// What differs, place by place; empty if one side is no text.
    pub places: Vec<Place>,
    /// Whether both sides are text.
    pub text: bool,
}

/// Where a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Only with the learner.
    Own,
    /// Only in the solution.
    Solution,
    /// On both sides.
    Both,
}

/// One place in which two files differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The first line of it in the learner's file, counted from 1; 0 for a file that is empty or absent.
    pub own_line: usize,
    /// The same in the solution's file.
    pub solution_line: usize,
    /// Its lines, without their line ends.
    pub lines: Vec<Line>,
}

/// A line of a difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// On both sides.
    Same(String),
    /// Only in the learner's file.
    Own(String),
    /// Only in the solution's file.
    Solution(String),
}

impl FileDifference {
    /// How many lines the learner has and the solution has not, and the other way round.
    pub fn counts(&self) -> (usize, usize) {
        let lines = || self.places.iter().flat_map(|place| &place.lines);
        let own = lines().filter(|line| matches!(line, Line::Own(_))).count();
        (own, lines().filter(|line| matches!(line, Line::Solution(_))).count())
    }
}

/// The files that differ between `own` and `solution`, by path. Line ends are no difference.
pub fn compare(own: &Tree, solution: &Tree) -> Vec<FileDifference> {
    let paths: BTreeSet<&Utf8PathBuf> = own.0.keys().chain(solution.0.keys()).collect();
    paths.into_iter().filter_map(|path| file(path, own.0.get(path), solution.0.get(path))).collect()
}

fn file(path: &Utf8Path, own: Option<&Vec<u8>>, solution: Option<&Vec<u8>>) -> Option<FileDifference> {
    if own == solution {
        return None;
    }
    let side = match (own, solution) {
        (Some(_), Some(_)) => Side::Both,
        (Some(_), None) => Side::Own,
        _ => Side::Solution,
    };
    let (Some(one), Some(other)) = (text(own), text(solution)) else {
        return Some(FileDifference { path: path.to_owned(), side, places: Vec::new(), text: false });
    };
    if side == Side::Both && one == other {
        return None;
    }
    Some(FileDifference { path: path.to_owned(), side, places: places(&one, &other), text: true })
}

/// The text of a file, with the line ends of Unix; nothing of a file that is absent.
fn text(content: Option<&Vec<u8>>) -> Option<String> {
    let text = std::str::from_utf8(content.map_or(&[], Vec::as_slice)).ok()?;
    (!text.contains('\0')).then(|| text.replace("\r\n", "\n"))
}

fn places(own: &str, solution: &str) -> Vec<Place> {
    let mut options = diffy::DiffOptions::new();
    let patch = options.set_context_len(CONTEXT).create_patch(own, solution);
    let place = |hunk: &diffy::Hunk<'_, str>| Place {
        own_line: hunk.old_range().start(),
        solution_line: hunk.new_range().start(),
        lines: hunk.lines().iter().map(line).collect(),
    };
    patch.hunks().iter().map(place).collect()
}

fn line(line: &diffy::Line<'_, str>) -> Line {
    let plain = |text: &str| text.strip_suffix('\n').unwrap_or(text).to_owned();
    match line {
        diffy::Line::Context(text) => Line::Same(plain(text)),
        diffy::Line::Delete(text) => Line::Own(plain(text)),
        diffy::Line::Insert(text) => Line::Solution(plain(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &[u8])]) -> Tree {
        Tree(files.iter().map(|(path, content)| ((*path).into(), content.to_vec())).collect())
    }

    #[test]
    fn files_that_differ_are_named_with_the_side_they_are_on() {
        let own = tree(&[("a.rs", b"one\r\ntwo\r\n"), ("b.rs", b"x\n"), ("c.rs", b"mine\n"), ("d.bin", &[0, 1])]);
        let solution = tree(&[("a.rs", b"one\ntwo\n"), ("b.rs", b"y\n"), ("d.bin", &[0, 2]), ("e.rs", b"new\n")]);
        let found = compare(&own, &solution);
        let sides: Vec<_> = found.iter().map(|file| (file.path.as_str(), file.side, file.text)).collect();
        let expected = [
            ("b.rs", Side::Both, true),
            ("c.rs", Side::Own, true),
            ("d.bin", Side::Both, false),
            ("e.rs", Side::Solution, true),
        ];
        assert_eq!(sides, expected);
        assert_eq!(found[0].places[0].lines, [Line::Own("x".into()), Line::Solution("y".into())]);
        assert_eq!((found[1].counts(), found[3].counts()), ((1, 0), (0, 1)));
    }
}
