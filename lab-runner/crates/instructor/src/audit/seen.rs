//! Which expectations have been seen to fail: by each mutant that was ever tried here, kept beside the proofs.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;
use lab_protocol::Verdict;
use lab_runner::report::Check;
use lab_runner::state;
use lab_runner::submission::Mutant;
use lab_runner::workspace::{Lab, Workspace};
use serde::{Deserialize, Serialize};

use super::source::SuiteCode;

/// What each mutant of a lab was seen to fail. An expectation is known by its text, so that it stays seen when lines
/// move, and has to be seen again when it is written in another way.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Seen {
    mutants: BTreeMap<String, BTreeSet<String>>,
    /// Those of which a check that they name did not apply here, so that what it would have failed is not known.
    #[serde(default)]
    in_part: BTreeSet<String>,
}

impl Seen {
    /// What was seen of `lab` by the mutants that it still has.
    pub(super) fn load(workspace: &Workspace, lab: &Lab) -> Self {
        let mut seen: Self = state::read(&path(workspace, lab));
        let names: BTreeSet<String> = Mutant::paths(lab)
            .unwrap_or_default()
            .iter()
            .filter_map(|path| path.file_stem().map(str::to_owned))
            .collect();
        seen.mutants.retain(|name, _| names.contains(name));
        seen.in_part.retain(|name| names.contains(name));
        seen
    }

    /// Keeps the record. Losing it costs time and nothing else.
    pub(super) fn save(&self, workspace: &Workspace, lab: &Lab) {
        state::write(&path(workspace, lab), self);
    }

    /// `mutant` failed `checks` just now, in the suite that is written as `source`. Of these only the ones that it names
    /// count, and what they need: no other is asked without `--all-checks`, and a promise that rests on others would be
    /// broken by the next audit without it.
    pub(super) fn add(&mut self, mutant: &Mutant, checks: &[Check], source: &SuiteCode) {
        let asked = source.with_needs(&mutant.fails);
        let places = checks.iter().filter(|check| asked.contains(check.id.as_str())).flat_map(|check| &check.places);
        let keys = places.filter_map(|place| source.at(place)).map(super::source::Expectation::key).collect();
        let applied = !checks.iter().any(|check| mutant.fails.contains(&check.id) && does_not_apply(check));
        self.record(&mutant.name, keys, applied);
    }

    /// `name` failed `keys`; all that it names has `applied`, or what was seen before stays seen.
    fn record(&mut self, name: &str, keys: BTreeSet<String>, applied: bool) {
        if applied {
            self.in_part.remove(name);
            self.mutants.insert(name.to_owned(), keys);
        } else if let Some(seen) = self.mutants.get_mut(name) {
            seen.extend(keys);
        } else {
            self.in_part.insert(name.to_owned());
            self.mutants.insert(name.to_owned(), keys);
        }
    }

    /// How many mutants were tried on all the checks that they name.
    pub(super) fn mutants(&self) -> usize {
        self.mutants.len() - self.in_part.len()
    }

    /// The keys of all expectations that were seen to fail.
    pub(super) fn keys(&self) -> BTreeSet<&str> {
        self.mutants.values().flatten().map(String::as_str).collect()
    }
}

/// Whether `check` was skipped for want of something that it needs of the machine.
fn does_not_apply(check: &Check) -> bool {
    check.verdict == Verdict::Skipped && check.is_fine()
}

fn path(workspace: &Workspace, lab: &Lab) -> Utf8PathBuf {
    workspace.lab_folder().join("proofs").join(format!("{}.seen.json", lab.package()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mutant_whose_check_did_not_apply_was_not_tried_and_takes_nothing_back() {
        let keys = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        let mut seen = Seen::default();
        seen.record("wrong-image", keys(&[]), false);
        assert_eq!(seen.mutants(), 0);
        seen.record("wrong-image", keys(&["image builds"]), true);
        seen.record("wrong-image", keys(&["dockerfile"]), false);
        assert_eq!(seen.mutants(), 1);
        assert_eq!(seen.keys(), BTreeSet::from(["dockerfile", "image builds"]));
        seen.record("wrong-image", keys(&["dockerfile"]), true);
        assert_eq!(seen.keys(), BTreeSet::from(["dockerfile"]));
    }
}
