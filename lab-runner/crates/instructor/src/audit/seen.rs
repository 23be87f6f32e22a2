//! Which expectations have been seen to fail: by each mutant that was ever tried here, kept beside the proofs.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;
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
        self.mutants.insert(mutant.name.clone(), keys);
    }

    /// How many mutants were tried.
    pub(super) fn mutants(&self) -> usize {
        self.mutants.len()
    }

    /// The keys of all expectations that were seen to fail.
    pub(super) fn keys(&self) -> BTreeSet<&str> {
        self.mutants.values().flatten().map(String::as_str).collect()
    }
}

fn path(workspace: &Workspace, lab: &Lab) -> Utf8PathBuf {
    workspace.lab_folder().join("proofs").join(format!("{}.seen.json", lab.package()))
}
