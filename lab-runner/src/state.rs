//! What is kept from one run to the next: the last lab, scores, and how long checks take.
//!
//! All of it may be lost without harm, so that nothing here fails.

pub mod place;

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::report::{Check, Report, SubmissionKind};
use crate::whole;
use crate::workspace::Workspace;
use lab_protocol::{CheckInfo, Verdict};

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
    /// The lab's version that was graded last.
    pub version: Option<u32>,
    /// The working tree's points, and out of how many, as far as its runs have told.
    pub score: Option<(u32, u32)>,
    /// The first check that has not passed yet.
    pub next_check: Option<String>,
    /// The task that it belongs to, and its title.
    pub next: Option<(u32, String)>,
    /// What became of each check when it was asked of the working tree last.
    pub checks: BTreeMap<String, CheckProgress>,
    /// How long each check took, in milliseconds.
    pub expected_ms: BTreeMap<String, u64>,
}

/// How far the learner has come with one check.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CheckProgress {
    /// Whether it passed, or could not be asked here.
    pub passed: bool,
    /// Whether its points count on this machine.
    pub counted: bool,
    /// How often it has failed since it passed last.
    pub failures: u32,
    /// How many hints the learner has asked for since then.
    pub hints: u32,
    /// The hint of its own that the case has which failed last, and which comes before the check's hints.
    pub case_hint: Option<String>,
}

impl CheckProgress {
    /// How many of `all` hints are shown: one at first, another after every third failure, and those asked for.
    pub fn hints_shown(&self, all: usize) -> usize {
        let earned = 1 + self.failures.saturating_sub(1) / 3;
        usize::try_from(earned.max(self.hints)).unwrap_or(usize::MAX).min(all)
    }

    /// What is known when `check`, a result of this check, has come. Hints begin anew for a case with another hint of its own.
    pub(crate) fn after(&self, check: &Check) -> Self {
        if check.is_fine() {
            return Self { passed: true, counted: check.counted, ..Self::default() };
        }
        if !matches!(check.verdict, Verdict::Failed | Verdict::TimedOut) {
            return Self { passed: false, counted: true, ..self.clone() };
        }
        let (failures, hints) = if self.is_same_case(check) { (self.failures, self.hints) } else { (0, 0) };
        let failures = failures.saturating_add(1);
        Self { passed: false, counted: true, failures, hints, case_hint: check.case_hint.clone() }
    }

    /// Records that `shown` hints of `check`, which is on the screen and not yet taken in, were asked for.
    pub(crate) fn asked_for(&mut self, shown: u32, check: &Check) {
        if !self.is_same_case(check) {
            *self = Self { case_hint: check.case_hint.clone(), ..Self::default() };
        }
        self.hints = shown;
    }

    fn is_same_case(&self, check: &Check) -> bool {
        self.case_hint == check.case_hint
    }
}

impl LabProgress {
    /// Takes in what `report` tells, of a suite that declares `declared`. Checks that it no longer has are forgotten, and
    /// a fault of ours changes nothing.
    fn take_in(&mut self, report: &Report, declared: &[CheckInfo]) {
        for check in report.checks.iter().filter(|check| check.verdict != Verdict::Error) {
            let known = self.checks.entry(check.id.clone()).or_default();
            *known = known.after(check);
        }
        self.version = report.lab_version.or(self.version);
        self.checks.retain(|id, _| declared.iter().any(|check| check.id == *id));
        let known = |check: &CheckInfo| self.checks.get(&check.id).cloned().unwrap_or_default();
        let counted = |check: &&CheckInfo| !known(check).passed || known(check).counted;
        let max = declared.iter().filter(counted).map(|check| check.points).sum();
        let got = declared.iter().filter(counted).filter(|check| known(check).passed).map(|check| check.points).sum();
        self.score = Some((got, max));
        let mut open: Vec<&CheckInfo> = declared.iter().filter(|check| !known(check).passed).collect();
        open.sort_by_key(|check| check.task);
        self.next_check = open.first().map(|check| check.id.clone());
        self.next = open.first().map(|check| (check.task, check.title.clone()));
    }
}

impl State {
    /// The state of `workspace`.
    pub fn of(workspace: &Workspace) -> Self {
        Self(workspace.state.folder.clone())
    }

    /// The lab that was graded last.
    pub fn last_lab(&self) -> Option<String> {
        read::<Global>(&self.0.join("global.json")).last_lab
    }

    /// How far the learner has come in the lab `id`.
    pub fn lab(&self, id: &str) -> LabProgress {
        read(&self.lab_path(id))
    }

    /// Records a result of the suite that declares `declared`; nothing is known of them where nothing was graded.
    pub fn record(&self, report: &Report, declared: &[CheckInfo]) {
        let mut progress = self.lab(&report.lab);
        let quick = |verdict: Verdict| matches!(verdict, Verdict::Passed | Verdict::Failed);
        for check in report.checks.iter().filter(|check| quick(check.verdict)) {
            progress.expected_ms.insert(check.id.clone(), check.duration_ms);
        }
        let own = report.submission.kind == SubmissionKind::WorkingTree;
        if own && !report.checks.is_empty() && !declared.is_empty() {
            progress.take_in(report, declared);
        }
        write(&self.lab_path(&report.lab), &progress);
        if own {
            write(&self.0.join("global.json"), &Global { last_lab: Some(report.lab.clone()) });
        }
    }

    /// Records that `shown` hints of `check` have been shown on request.
    pub fn record_hints(&self, lab: &str, check: &str, shown: u32) {
        let mut progress = self.lab(lab);
        progress.checks.entry(check.to_owned()).or_default().hints = shown;
        write(&self.lab_path(lab), &progress);
    }

    /// Sets aside what nobody can read, such as a file that was written half: under the same name with `.broken` at its
    /// end. Gives the files' new places.
    pub fn set_broken_aside(&self) -> Vec<Utf8PathBuf> {
        let mut aside = Vec::new();
        for entry in self.0.read_dir_utf8().into_iter().flatten().flatten() {
            let path = entry.path();
            let readable = |bytes: Vec<u8>| match path.file_name() {
                Some("global.json") => serde_json::from_slice::<Global>(&bytes).is_ok(),
                _ => serde_json::from_slice::<LabProgress>(&bytes).is_ok(),
            };
            let broken = path.extension() == Some("json") && std::fs::read(path).is_ok_and(|bytes| !readable(bytes));
            let to = Utf8PathBuf::from(format!("{path}.broken"));
            if broken && std::fs::rename(path, &to).is_ok() {
                aside.push(to);
            }
        }
        aside
    }

    /// The folder with the recordings of the last runs.
    pub fn runs(&self) -> Utf8PathBuf {
        self.0.join("runs")
    }

    /// The folder in which the starter of the lab `id` is kept as it was at the first grading.
    pub fn starter(&self, id: &str) -> Utf8PathBuf {
        self.0.join("starters").join(id)
    }

    /// The folder in which what learners throw away of the lab `id` is kept.
    pub fn thrown_away(&self, id: &str) -> Utf8PathBuf {
        self.0.join("thrown-away").join(id)
    }

    fn lab_path(&self, id: &str) -> Utf8PathBuf {
        self.0.join(format!("lab-{id}.json"))
    }
}

/// What is written at `path`, or the default where nothing readable is.
pub fn read<T: DeserializeOwned + Default>(path: &Utf8Path) -> T {
    std::fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

/// Whole or not at all: two runs may write at once.
pub fn write<T: Serialize>(path: &Utf8Path, value: &T) {
    if let Ok(text) = serde_json::to_vec(value) {
        let _ = whole::replace(path, &text, whole::PRIVATE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(case_hint: Option<&str>) -> Check {
        let info = serde_json::json!({ "id": "greets", "title": "", "task": 1, "points": 1, "needs": [], "why": "",
            "source": "", "hints": ["a", "b", "c"], "held_out": false, "alone": false });
        let unreported = Check::unreported(&serde_json::from_value(info).unwrap());
        Check { verdict: Verdict::Failed, case_hint: case_hint.map(str::to_owned), ..unreported }
    }

    #[test]
    fn hints_begin_anew_when_another_case_fails() {
        let first = (0..4).fold(CheckProgress::default(), |known, _| known.after(&failed(None)));
        assert_eq!((first.failures, first.hints_shown(3)), (4, 2));
        let other = first.after(&failed(Some("which?")));
        assert_eq!((other.failures, other.hints_shown(4), other.case_hint.as_deref()), (1, 1, Some("which?")));
        assert_eq!(other.after(&failed(Some("which?"))).failures, 2);
    }

    #[test]
    fn what_was_asked_for_belongs_to_the_case_on_the_screen() {
        let mut known = (0..4).fold(CheckProgress::default(), |known, _| known.after(&failed(None)));
        known.asked_for(2, &failed(Some("which?")));
        assert_eq!(known.after(&failed(Some("which?"))).hints_shown(4), 2);
        assert_eq!(known.after(&failed(None)).hints_shown(3), 1);
    }
}
