//! What is kept from one run to the next: the last lab, scores, and how long checks take.
//!
//! All of it may be lost without harm, so that nothing here fails.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::report::{Outcome, Report, SubmissionKind};
use crate::workspace::Workspace;
use lab_protocol::Verdict;

/// The state folder.
#[derive(Debug, Clone)]
pub struct State(Utf8PathBuf);

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Global {
    last_lab: Option<String>,
}

/// How far the learner has come in a lab.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LabProgress {
    /// The last whole result of the working tree: points, and out of how many.
    pub score: Option<(u32, u32)>,
    /// The first check that did not pass then.
    pub next_check: Option<String>,
    /// How long each check took, in milliseconds.
    pub expected_ms: BTreeMap<String, u64>,
}

impl State {
    /// The state of `workspace`.
    pub fn of(workspace: &Workspace) -> Self {
        Self(workspace.lab_folder().join("state"))
    }

    /// The lab that was graded last.
    pub fn last_lab(&self) -> Option<String> {
        read::<Global>(&self.0.join("global.json")).last_lab
    }

    /// How far the learner has come in the lab `id`.
    pub fn lab(&self, id: &str) -> LabProgress {
        read(&self.lab_path(id))
    }

    /// Records a result.
    pub fn record(&self, report: &Report) {
        let mut progress = self.lab(&report.lab);
        let quick = |verdict: Verdict| matches!(verdict, Verdict::Passed | Verdict::Failed);
        for check in report.checks.iter().filter(|check| quick(check.verdict)) {
            progress.expected_ms.insert(check.id.clone(), check.duration_ms);
        }
        let own = report.submission.kind == SubmissionKind::WorkingTree;
        if own && !report.partial && report.outcome == Outcome::Graded {
            progress.score = Some((report.score, report.max_score));
            progress.next_check = report.checks.iter().find(|check| !check.is_fine()).map(|check| check.id.clone());
        }
        write(&self.lab_path(&report.lab), &progress);
        if own {
            write(&self.0.join("global.json"), &Global { last_lab: Some(report.lab.clone()) });
        }
    }

    /// The folder with the recordings of the last runs.
    pub fn runs(&self) -> Utf8PathBuf {
        self.0.join("runs")
    }

    fn lab_path(&self, id: &str) -> Utf8PathBuf {
        self.0.join(format!("lab-{id}.json"))
    }
}

/// What is written at `path`, or the default where nothing readable is.
pub(crate) fn read<T: DeserializeOwned + Default>(path: &Utf8Path) -> T {
    std::fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

/// Whole or not at all: two runs may write at once.
pub(crate) fn write<T: Serialize>(path: &Utf8Path, value: &T) {
    let save = || -> std::io::Result<()> {
        let parent = path.parent().unwrap_or(path);
        std::fs::create_dir_all(parent)?;
        let file = tempfile::NamedTempFile::new_in(parent)?;
        serde_json::to_writer(&file, value)?;
        file.persist(path)?;
        Ok(())
    };
    let _ = save();
}
