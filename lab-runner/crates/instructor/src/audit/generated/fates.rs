//! What became of generated mutants, kept beside the proofs for as long as nothing changes that decides it.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use lab_runner::state;
use lab_runner::workspace::{Lab, Workspace};
use serde::{Deserialize, Serialize};

use super::record;

/// What became of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Fate {
    /// This check failed, or, in words, it did not start.
    Caught(String),
    /// It passed every check.
    Survived,
    /// It does not build.
    Unviable,
}

/// What became of a lab's, by name.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Fates {
    /// The hash of what decides them.
    inputs: String,
    mutants: BTreeMap<String, Fate>,
}

impl Fates {
    /// What is known of the mutants of `lab` as its files are now.
    pub fn load(workspace: &Workspace, lab: &Lab) -> Self {
        let inputs = record::inputs_without_mutants(workspace, lab);
        let known: Self = state::read(&path(workspace, lab));
        if known.inputs == inputs { known } else { Self { inputs, mutants: BTreeMap::new() } }
    }

    /// Keeps them. Losing them costs time and nothing else.
    pub fn save(&self, workspace: &Workspace, lab: &Lab) {
        state::write(&path(workspace, lab), self);
    }

    /// What became of the mutant `name`, if it was tried.
    pub fn of(&self, name: &str) -> Option<&Fate> {
        self.mutants.get(name)
    }

    /// The mutant `name` has come to `fate`.
    pub fn settle(&mut self, name: &str, fate: Fate) {
        self.mutants.insert(name.to_owned(), fate);
    }

    /// The hash of what decides them.
    pub fn inputs(&self) -> &str {
        &self.inputs
    }
}

fn path(workspace: &Workspace, lab: &Lab) -> Utf8PathBuf {
    workspace.lab_folder().join("proofs").join(format!("{}.generated.json", lab.package()))
}
