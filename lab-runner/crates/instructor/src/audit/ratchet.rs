//! How many expectations each function of a suite has, and how many of them no mutant has failed: kept in the lab's
//! `checks/expectations.toml`, so that one that is deleted, or added without a mutant, is noticed.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use lab_runner::audit::Problem;
use lab_runner::workspace::Lab;
use serde::{Deserialize, Serialize};

use super::source::SuiteCode;

/// The file, as seen from the lab's folder.
pub(super) const FILE: &str = "checks/expectations.toml";
const HEAD: &str = "# How many expectations each function of the suite has, and how many of them no mutant has failed yet. The audit\n\
                    # fails when one of the first is missing, or when there are more of the second than here. `cargo lab audit\n\
                    # LAB --ratchet` raises the first and lowers the second; the other way round they are changed by hand.\n";

/// What a lab has promised.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ratchet {
    /// By file and function.
    #[serde(default)]
    functions: BTreeMap<String, Count>,
}

/// The expectations of one function.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Count {
    /// How many there are.
    expectations: usize,
    /// How many of them were never seen to fail, without a reason beside them.
    #[serde(default)]
    unproven: usize,
}

impl Ratchet {
    /// What `lab` has promised; none if it has no such file.
    ///
    /// # Errors
    /// The file makes no sense.
    pub(super) fn load(lab: &Lab) -> Result<Option<Self>, Problem> {
        let Ok(text) = std::fs::read_to_string(lab.folder.join(FILE)) else { return Ok(None) };
        toml::from_str(&text).map(Some).map_err(|error| Problem::of(FILE, error.message()))
    }

    /// What the suite written as `source` has, of which `unproven` tells whether an expectation was never seen to fail.
    pub(super) fn of(source: &SuiteCode, unproven: impl Fn(&super::source::Expectation) -> bool) -> Self {
        let mut functions: BTreeMap<String, Count> = BTreeMap::new();
        for one in &source.expectations {
            let count = functions.entry(one.place()).or_default();
            count.expectations += 1;
            count.unproven += usize::from(unproven(one));
        }
        Self { functions }
    }

    /// Where `now` breaks the promise. How many are unproven is known only once every mutant was tried: `complete`.
    pub(super) fn broken_by(&self, now: &Self, complete: bool) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (function, promised) in &self.functions {
            let there = now.functions.get(function).copied().unwrap_or_default();
            if there.expectations < promised.expectations {
                let (had, has) = (promised.expectations, there.expectations);
                problems.push(Problem::of(
                    &format!("checks/{function}"),
                    format!("of {had} expectations there, {has} are left; if that is meant, say so in {FILE}"),
                ));
            }
        }
        for (function, there) in now.functions.iter().filter(|_| complete) {
            let promised = self.functions.get(function).copied().unwrap_or_default();
            if there.unproven > promised.unproven {
                let (may, are) = (promised.unproven, there.unproven);
                problems.push(Problem::of(
                    &format!("checks/{function}"),
                    format!("no mutant fails {are} of its expectations, and {FILE} allows {may}"),
                ));
            }
        }
        problems
    }

    /// The promise with what is better `now`: never fewer expectations, never more that are unproven. New functions are
    /// taken over as they are only into a new file; later they come with mutants.
    pub(super) fn tightened(&self, now: &Self) -> Self {
        let tighter = |(function, there): (&String, &Count)| {
            let count = match self.functions.get(function) {
                Some(promised) => Count {
                    expectations: there.expectations.max(promised.expectations),
                    unproven: there.unproven.min(promised.unproven),
                },
                None if self.functions.is_empty() => *there,
                None => Count { unproven: 0, ..*there },
            };
            (function.clone(), count)
        };
        let mut functions = self.functions.clone();
        functions.extend(now.functions.iter().map(tighter));
        Self { functions }
    }

    /// Writes the file of `lab`, a line for each function.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn save(&self, lab: &Lab) -> std::io::Result<()> {
        let mut text = format!("{HEAD}[functions]\n");
        for (function, Count { expectations, unproven }) in &self.functions {
            let unproven = if *unproven == 0 { String::new() } else { format!(", unproven = {unproven}") };
            let _ = writeln!(text, "\"{function}\" = {{ expectations = {expectations}{unproven} }}");
        }
        std::fs::write(lab.folder.join(FILE), text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratchet(counts: &[(&str, usize, usize)]) -> Ratchet {
        let count = |(name, expectations, unproven): &(&str, usize, usize)| {
            ((*name).to_owned(), Count { expectations: *expectations, unproven: *unproven })
        };
        Ratchet { functions: counts.iter().map(count).collect() }
    }

    fn describe(promised: &Ratchet, now: &Ratchet, complete: bool) -> Vec<String> {
        promised.broken_by(now, complete).iter().map(|one| format!("{}: {}", one.place, one.message)).collect()
    }

    #[test]
    fn an_expectation_that_is_gone_is_noticed_and_one_more_is_not() {
        let promised = ratchet(&[("src/a.rs one", 3, 1), ("src/a.rs gone", 1, 0)]);
        let gone = "checks/src/a.rs gone: of 1 expectations there, 0 are left; if that is meant, say so in checks/expectations.toml";
        let fewer = "checks/src/a.rs one: of 3 expectations there, 2 are left; if that is meant, say so in checks/expectations.toml";
        assert_eq!(describe(&promised, &ratchet(&[("src/a.rs one", 2, 1)]), false), [gone, fewer]);
        assert!(describe(&promised, &ratchet(&[("src/a.rs one", 4, 1), ("src/a.rs gone", 1, 0)]), true).is_empty());
    }

    #[test]
    fn more_unproven_ones_are_noticed_once_every_mutant_was_tried() {
        let promised = ratchet(&[("src/a.rs one", 3, 1)]);
        let now = ratchet(&[("src/a.rs one", 4, 2), ("src/b.rs new", 1, 1)]);
        assert!(describe(&promised, &now, false).is_empty());
        let more = "checks/src/a.rs one: no mutant fails 2 of its expectations, and checks/expectations.toml allows 1";
        let new = "checks/src/b.rs new: no mutant fails 1 of its expectations, and checks/expectations.toml allows 0";
        assert_eq!(describe(&promised, &now, true), [more, new]);
    }

    #[test]
    fn a_promise_gets_tighter_only() {
        let now = ratchet(&[("src/a.rs one", 2, 2), ("src/a.rs two", 5, 0), ("src/b.rs new", 1, 1)]);
        assert_eq!(Ratchet::default().tightened(&now), now);
        let promised = ratchet(&[("src/a.rs gone", 1, 0), ("src/a.rs one", 3, 1), ("src/a.rs two", 4, 1)]);
        let tighter =
            ratchet(&[("src/a.rs gone", 1, 0), ("src/a.rs one", 3, 1), ("src/a.rs two", 5, 0), ("src/b.rs new", 1, 0)]);
        assert_eq!(promised.tightened(&now), tighter);
    }
}
