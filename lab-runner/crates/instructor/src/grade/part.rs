//! One part of a batch, so that several machines share it. Every machine comes to the same split.

use std::collections::BTreeMap;

use camino::Utf8Path;
use lab_runner::audit::Shard;
use lab_runner::error::Error;
use lab_runner::grade::{GradeReport, Part};

use super::Entry;

/// How long each submission took in an earlier batch, in milliseconds, by the folder of its result.
#[derive(Debug, Clone, Default)]
pub struct Times(BTreeMap<String, u64>);

impl Times {
    /// The times that the report folder `report` has recorded.
    ///
    /// # Errors
    /// It holds none.
    pub fn of(report: &Utf8Path) -> Result<Self, Error> {
        let path = report.join("grades.json");
        let text = std::fs::read(&path).map_err(|error| Error::usage(format!("cannot read {path}: {error}")))?;
        let earlier: GradeReport = serde_json::from_slice(&text)
            .map_err(|error| Error::usage(format!("{path} is no summary of a batch: {error}")))?;
        Ok(Self(earlier.submissions.into_iter().map(|graded| (graded.folder, graded.duration_ms)).collect()))
    }

    /// What `entry` counts: its own time, or the median where there is none.
    fn of_entry(&self, entry: &Entry) -> u64 {
        let median = || {
            let mut all: Vec<u64> = self.0.values().copied().collect();
            all.sort_unstable();
            all.get(all.len() / 2).copied()
        };
        self.0.get(&entry.folder).copied().or_else(median).unwrap_or(1).max(1)
    }
}

/// Those of `entries` that belong to `shard`, which take about as long as those of any other, going by `times`; and what is
/// to be told of the part.
#[must_use]
pub fn keep(entries: Vec<Entry>, shard: Shard, times: &Times) -> (Vec<Entry>, Part) {
    let (k, n) = shard.numbers();
    let submissions = entries.iter().map(|entry| entry.folder.clone()).collect();
    (shard.keep(entries, |entry| times.of_entry(entry)), Part { k, n, submissions })
}

#[cfg(test)]
mod tests {
    use super::super::Handed;
    use super::*;

    fn entries(count: usize) -> Vec<Entry> {
        let named = |number: usize| format!("s{number:02}");
        (0..count)
            .map(|number| Entry {
                name: named(number),
                folder: named(number),
                path: named(number).into(),
                handed: Handed::Folder,
                commit: None,
            })
            .collect()
    }

    #[test]
    fn every_submission_is_in_one_part_and_the_parts_take_about_as_long() {
        let times = Times((0..40).map(|number| (format!("s{number:02}"), 1_000 + 300 * (number % 7))).collect());
        let parts: Vec<(Vec<Entry>, Part)> =
            (1..=4).map(|k| keep(entries(40), format!("{k}/4").parse().unwrap(), &times)).collect();
        assert_eq!(parts.iter().flat_map(|(kept, _)| kept.clone()).collect::<Vec<_>>(), entries(40));
        let took = |kept: &[Entry]| kept.iter().map(|entry| times.of_entry(entry)).sum::<u64>();
        let all: Vec<u64> = parts.iter().map(|(kept, _)| took(kept)).collect();
        assert!(all.iter().max().unwrap() - all.iter().min().unwrap() <= 2 * 2_800, "{all:?}");
        assert!(parts.iter().all(|(_, part)| part.submissions.len() == 40));
    }

    #[test]
    fn a_submission_without_a_time_counts_as_most_do() {
        let times = Times(BTreeMap::from([("s00".into(), 10), ("s01".into(), 20), ("s02".into(), 900)]));
        assert_eq!(times.of_entry(&entries(10)[9]), 20);
        assert_eq!(Times::default().of_entry(&entries(1)[0]), 1);
    }
}
