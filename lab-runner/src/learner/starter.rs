//! The starter of a lab: what its editable files were before anybody worked on them.
//!
//! A course may carry it in `starter/`, and a learner kit knows what it came with. Else git knows it: learners change only editable files, so
//! that the newest commit which touched the lab's other files is the course's own, and holds the starter of that time.
//! Without git there is only what was there when the lab was first graded, which is kept for that reason.

use camino::Utf8PathBuf;
use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::git;
use crate::learner_kit::LearnerKit;
use crate::state::State;
use crate::submission::{self, SubmissionError, Tree};
use crate::workspace::Lab;

/// The folder in a lab that holds its starter, where the course carries one.
const FOLDER: &str = "starter";
/// What nobody but the course's authors changes in a lab's folder.
const OF_THE_COURSE: [&str; 4] = [crate::manifest::FILE_NAME, "checks", "solution", "mutants"];

/// A lab's starter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Starter {
    /// Its files.
    pub tree: Tree,
    /// How it is known.
    pub origin: Origin,
}

/// How a starter is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Origin {
    /// The course carries it beside the lab.
    Course,
    /// The course's newest commit of this lab.
    Commit {
        /// Its id, shortened.
        id: String,
        /// Its date, as `2026-11-29`.
        date: String,
    },
    /// The learner's own files at the first grading.
    FirstGraded {
        /// When that was.
        at: DateTime<Utc>,
    },
}

impl Starter {
    /// The starter of `lab`; none if nobody knows it.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub fn find(lab: &Lab, state: &State) -> Result<Option<Self>, SubmissionError> {
        let carried = lab.folder.join(FOLDER);
        if carried.is_dir() {
            let tree = submission::tree_in(&carried, lab)?;
            return Ok(Some(Self { tree, origin: Origin::Course }));
        }
        if let Some(kit) = LearnerKit::of(lab) {
            return Ok(kit.starter(lab).map(|tree| Self { tree, origin: Origin::Course }));
        }
        if let Some(starter) = committed(lab) {
            return Ok(Some(starter));
        }
        let kept = state.starter(lab.id());
        let Some(at) = kept.metadata().ok().and_then(|folder| folder.modified().ok()) else { return Ok(None) };
        let tree = submission::tree_in(&kept, lab)?;
        Ok(Some(Self { tree, origin: Origin::FirstGraded { at: at.into() } }))
    }

    /// Keeps the editable files of `lab` as they are, if it was never graded before. It may be lost without harm, so
    /// that nothing here fails.
    pub fn keep_first(lab: &Lab, state: &State) {
        let folder = state.starter(lab.id());
        if folder.exists() || !state.lab(lab.id()).checks.is_empty() {
            return;
        }
        let keep = || -> std::io::Result<()> {
            let tree = submission::working_tree(lab).map_err(std::io::Error::other)?;
            let parent = folder.parent().unwrap_or(&folder);
            std::fs::create_dir_all(parent)?;
            // Whole or not at all: a run may be interrupted.
            let half = tempfile::tempdir_in(parent)?;
            for (path, content) in &tree.0 {
                let path = half.path().join(path);
                std::fs::create_dir_all(path.parent().unwrap_or(half.path()))?;
                std::fs::write(path, content)?;
            }
            std::fs::rename(half.path(), &folder)
        };
        let _ = keep();
    }
}

/// The starter as the course's newest commit of `lab` has it.
fn committed(lab: &Lab) -> Option<Starter> {
    let mut arguments = vec!["log", "--no-merges", "--max-count=1", "--format=%h %cs", "--"];
    arguments.extend(OF_THE_COURSE);
    let told = String::from_utf8(git::output(&lab.folder, &arguments)?).ok()?;
    let (id, date) = told.trim().split_once(' ')?;
    let mut tree = Tree::default();
    for path in listed(lab, id)? {
        // As git would check it out, line ends included.
        let content = git::output(&lab.folder, &["cat-file", "--filters", &format!("{id}:./{path}")])?;
        tree.0.insert(path, content);
    }
    let origin = Origin::Commit { id: id.to_owned(), date: date.to_owned() };
    (!tree.0.is_empty()).then_some(Starter { tree, origin })
}

/// The editable files of `lab` that `commit` holds, without links and modules.
fn listed(lab: &Lab, commit: &str) -> Option<Vec<Utf8PathBuf>> {
    let mut arguments = vec!["ls-tree", "-r", "-z", commit, "--"];
    arguments.extend(lab.manifest.editable.iter().map(|path| path.as_str()));
    let told = String::from_utf8(git::output(&lab.folder, &arguments)?).ok()?;
    let file = |entry: &str| {
        let (meta, path) = entry.split_once('\t')?;
        meta.starts_with("100").then(|| Utf8PathBuf::from(path))
    };
    Some(told.split('\0').filter_map(file).collect())
}
