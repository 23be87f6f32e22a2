//! Which checks are likely to catch a change: those that the lab's own mutants of the lines around it name.

use std::ops::Range;

use camino::Utf8PathBuf;
use lab_runner::submission::Mutant;

use super::list::Made;

/// How many checks are asked before all others, and how many after them: what runs side by side finds a failure sooner
/// than one after the other.
const GROUPS: [usize; 2] = [4, 8];

/// What the lab's own mutants change, and the checks that catch it.
#[derive(Debug, Default)]
pub(super) struct Related(Vec<(Utf8PathBuf, Range<usize>, Vec<String>)>);

impl Related {
    /// What is known of `mutants`, which change what lies in `editable`.
    pub fn new(mutants: impl Iterator<Item = Mutant>, editable: &[Utf8PathBuf]) -> Self {
        let places = mutants.flat_map(|mutant| {
            let fails = mutant.fails.clone();
            mutant.touches(editable).into_iter().map(move |(file, lines)| (file, lines, fails.clone()))
        });
        Self(places.collect())
    }

    /// The checks to ask first of `made`, in groups: the nearest first.
    pub fn to(&self, made: &Made) -> Vec<Vec<String>> {
        let distance = |lines: &Range<usize>| match made.line {
            line if line < lines.start => lines.start - line,
            line => (line + 1).saturating_sub(lines.end),
        };
        let mut near: Vec<(usize, &Vec<String>)> = self
            .0
            .iter()
            .filter(|(file, _, _)| *file == made.file)
            .map(|(_, lines, fails)| (distance(lines), fails))
            .collect();
        near.sort_by_key(|(distance, _)| *distance);
        let mut checks: Vec<String> = Vec::new();
        for check in near.into_iter().flat_map(|(_, fails)| fails) {
            if !checks.contains(check) {
                checks.push(check.clone());
            }
        }
        let mut rest = checks.into_iter();
        GROUPS
            .iter()
            .map(|size| rest.by_ref().take(*size).collect())
            .filter(|group: &Vec<_>| !group.is_empty())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checks_of_the_nearest_mutants_come_first() {
        let mutant = |fails: &str, lines: &str| {
            let text = format!(
                "Breaks: it\nFails: {fails}\n\n--- a/src/a.rs\n+++ b/src/a.rs\n@@ -{lines} @@\n one\n-two\n+three\n"
            );
            Mutant::parse("x.patch".into(), text).unwrap()
        };
        let mutants =
            [mutant("far, both", "90,2 +90,2"), mutant("near, both", "20,2 +20,2"), mutant("at", "11,2 +11,2")];
        let related = Related::new(mutants.into_iter(), &["src".into()]);
        let made = |file: &str, line| Made { file: file.into(), line, ..Made::default() };
        assert_eq!(related.to(&made("src/a.rs", 12)), [["at", "near", "both", "far"]]);
        assert_eq!(related.to(&made("src/a.rs", 95)), [["far", "both", "near", "at"]]);
        assert!(related.to(&made("src/b.rs", 12)).is_empty());
    }
}
