//! What is graded, and how it becomes a program: in its place, in a stage, or not by us at all.

pub mod mutant;
mod overlay;
mod stage;
mod sync;
mod tree;

use camino::{Utf8Path, Utf8PathBuf};

use crate::disk;
use crate::error::ExpectedError;
use crate::exit::ExitCode;
use crate::report::{self, SubmissionKind};
use crate::workspace::{Lab, Workspace};

pub use mutant::{Mutant, MutantError};
pub(crate) use overlay::link_on_the_way;
pub use stage::Stage;
pub use sync::{sync as write_tree, write as write_anew};
pub use tree::Tree;

/// What is to be graded.
#[derive(Debug, Clone)]
pub enum Source {
    /// The lab's own folder, built where it stands.
    WorkingTree,
    /// The reference submission.
    Solution,
    /// Another folder.
    Folder(Utf8PathBuf),
    /// The reference submission with a known mistake.
    Mutant(Mutant),
    /// A program that is started by this command.
    Command(String),
    /// A server that already runs.
    Url(String),
}

/// Why there is nothing that could be built.
#[derive(Debug, thiserror::Error)]
pub enum SubmissionError {
    /// The folder cannot be read.
    #[error("cannot read {path}")]
    Unreadable {
        /// The file or folder.
        path: Utf8PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The folder has nothing of what the lab lets a learner edit.
    #[error("{path} contains none of the files that this lab takes from a submission")]
    NothingEditable {
        /// The folder.
        path: Utf8PathBuf,
        /// What it could hold.
        editable: Vec<Utf8PathBuf>,
    },
    /// The patch does not fit the solution.
    #[error(transparent)]
    Mutant(#[from] MutantError),
    /// The workspace's own Cargo.toml or Cargo.lock makes no sense.
    #[error("{path}: {message}")]
    Workspace {
        /// The file.
        path: Utf8PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// The stage cannot be written.
    #[error("cannot write {path}")]
    Unwritable {
        /// The file or folder.
        path: Utf8PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

impl ExpectedError for SubmissionError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Unreadable { .. } | Self::NothingEditable { .. } | Self::Mutant(_) => ExitCode::Usage,
            Self::Workspace { .. } => ExitCode::Usage,
            Self::Unwritable { .. } => ExitCode::Infrastructure,
        }
    }

    fn hints(&self) -> Vec<String> {
        match self {
            Self::NothingEditable { editable, .. } => {
                let paths: Vec<_> = editable.iter().map(|path| format!("`{path}`")).collect();
                vec![format!("it takes {}", paths.join(", "))]
            }
            Self::Unwritable { path, source } => disk::remedies(source, path),
            _ => Vec::new(),
        }
    }
}

/// The files of the reference submission of `lab`.
///
/// # Errors
/// They cannot be read.
pub fn solution(lab: &Lab) -> Result<Tree, SubmissionError> {
    Ok(overlay::read(&lab.solution(), &lab.manifest.editable)?.tree)
}

/// The SHA-256 of what `lab` takes from the submission in `folder`.
///
/// # Errors
/// It cannot be read, or holds nothing to grade.
pub fn hash_of(folder: &Utf8Path, lab: &Lab) -> Result<String, SubmissionError> {
    Ok(overlay::read(folder, &lab.manifest.editable)?.tree.sha256())
}

/// The editable files of `lab` as the learner has them.
///
/// # Errors
/// They cannot be read.
pub fn working_tree(lab: &Lab) -> Result<Tree, SubmissionError> {
    tree_in(&lab.folder, lab)
}

/// The editable files of `lab` that `folder` holds.
///
/// # Errors
/// They cannot be read.
pub fn tree_in(folder: &Utf8Path, lab: &Lab) -> Result<Tree, SubmissionError> {
    Ok(overlay::read(folder, &lab.manifest.editable)?.tree)
}

/// A submission that is ready to be built, or needs no building.
#[derive(Debug)]
pub struct Prepared {
    /// How the report names it.
    pub named: report::Submission,
    /// Where its program comes from.
    pub program: ProgramSource,
}

/// Where a submission's program comes from.
#[derive(Debug)]
pub enum ProgramSource {
    /// Cargo builds it in the workspace itself.
    InPlace,
    /// Cargo builds it in a stage.
    Staged(Box<Stage>),
    /// The shell starts it.
    Command(String),
    /// It runs.
    Running(String),
}

impl Source {
    /// Reads the submission, and writes its stage if it needs one.
    ///
    /// # Errors
    /// It cannot be read, holds nothing to grade, or cannot be staged.
    pub fn prepare(&self, workspace: &Workspace, lab: &Lab) -> Result<Prepared, SubmissionError> {
        let path = self.path(workspace, lab);
        let kind = self.kind();
        let plain = |program| {
            let named =
                report::Submission { kind, path: path.clone(), commit: None, sha256: None, left_out: Vec::new() };
            Prepared { named, program }
        };
        let (tree, left_out) = match self {
            Self::Command(command) => return Ok(plain(ProgramSource::Command(command.clone()))),
            Self::Url(url) => return Ok(plain(ProgramSource::Running(url.clone()))),
            Self::WorkingTree => {
                let tree = overlay::read(&lab.folder, &lab.manifest.editable)?.tree;
                let mut prepared = plain(ProgramSource::InPlace);
                prepared.named.sha256 = Some(tree.sha256());
                return Ok(prepared);
            }
            Self::Solution => (solution(lab)?, Vec::new()),
            Self::Mutant(mutant) => (mutant.apply(solution(lab)?, &lab.manifest.editable)?, Vec::new()),
            Self::Folder(folder) => {
                let overlay = overlay::read_foreign(folder, lab)?;
                (overlay.tree, overlay.left_out)
            }
        };
        let named = report::Submission { kind, path, commit: None, sha256: Some(tree.sha256()), left_out };
        // A mutant is built once, and a tenth faster so.
        let debug_info = !matches!(self, Self::Mutant(_));
        let stage = Stage::write(workspace, lab, &self.stage_name(), tree, debug_info)?;
        Ok(Prepared { named, program: ProgramSource::Staged(Box::new(stage)) })
    }

    /// How a report names where it came from.
    pub(crate) fn kind(&self) -> SubmissionKind {
        match self {
            Self::WorkingTree => SubmissionKind::WorkingTree,
            Self::Solution => SubmissionKind::Solution,
            Self::Folder(_) => SubmissionKind::Folder,
            Self::Mutant(_) => SubmissionKind::Mutant,
            Self::Command(_) => SubmissionKind::Command,
            Self::Url(_) => SubmissionKind::Url,
        }
    }

    fn path(&self, workspace: &Workspace, lab: &Lab) -> String {
        let relative = |path: &Utf8Path| workspace.relative(path).to_string();
        match self {
            Self::WorkingTree => relative(&lab.folder),
            Self::Solution => relative(&lab.solution()),
            Self::Folder(folder) => relative(folder),
            Self::Mutant(mutant) => relative(&mutant.path),
            Self::Command(text) | Self::Url(text) => text.clone(),
        }
    }

    /// Stages are kept for the next build. Mutants share one, as they differ in a few lines; folders share a handful,
    /// so that a course's worth of submissions does not fill the disk.
    fn stage_name(&self) -> String {
        match self {
            Self::Mutant(_) => "mutant".to_owned(),
            Self::Folder(folder) => format!(
                "folder-{}",
                folder.as_str().bytes().fold(0, |sum: u8, byte| { sum.wrapping_mul(31).wrapping_add(byte) }) % 4
            ),
            _ => "solution".to_owned(),
        }
    }
}
