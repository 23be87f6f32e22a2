//! What comes of a batch of submissions, for events, reporters and the programs that read report folders. `lab-instructor`
//! grades it.

mod roster;
mod summary;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use crate::held_out::Disclosure;

pub use roster::{Learner, Roster, RosterError};
pub use summary::{CheckTally, GradeReport, Graded, Part, Standing, cell};

/// What a batch is graded with. Results of other terms cannot be compared with its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The lab's id.
    pub lab: String,
    /// The seed of all random data.
    pub seed: u64,
    /// What the submissions are isolated by.
    pub isolation: String,
    /// The version of the runner.
    pub runner_version: String,
    /// Which part of a batch it is, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Part>,
    /// What results show of held-out checks.
    #[serde(default)]
    pub held_out: Disclosure,
}

/// The folder for the result of the submission `name` in a report folder.
pub fn result_folder(report: &Utf8Path, folder: &str) -> Utf8PathBuf {
    report.join("submissions").join(folder)
}
