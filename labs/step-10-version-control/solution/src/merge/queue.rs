//! The merge queue. In each repository one merge is worked on at a time, so that what is tested is what `main` becomes.
//! Pushes do not wait for it: when one of them was quicker, the merge is made and tested again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Mutex as Turn;

use super::scratch::{Attempt, Scratch};
use super::verification::{Verdict, verify};
use crate::git::{self, GitError};
use crate::object::ObjectId;
use crate::repository::{BranchName, Repository, RepositoryName};

/// How often a merge is begun anew because `main` has moved.
const ATTEMPTS: u32 = 20;

/// What has become of a wish to merge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// This merge is `main` now.
    Merged(ObjectId),
    /// `main`, which is this, had it all already.
    Contained(ObjectId),
}

/// Why there is no merge. `main` is as it was.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// There is no such branch, or no `main`.
    #[error("no such branch")]
    NoBranch,
    /// Both have changed the same lines.
    #[error("conflict in {files:?}")]
    Conflict {
        /// The files in which they are.
        files: Vec<String>,
    },
    /// The test of the result has failed, or took too long.
    #[error("the tests failed")]
    TestsFailed {
        /// The end of what it wrote.
        output: String,
    },
    /// `main` has moved during every attempt.
    #[error("main moves too quickly")]
    Restless,
    /// Something on our side.
    #[error(transparent)]
    Git(#[from] GitError),
}

impl From<std::io::Error> for MergeError {
    fn from(error: std::io::Error) -> Self {
        Self::Git(error.into())
    }
}

/// One queue for each repository. Clones share them.
#[derive(Debug, Clone)]
pub struct Queue {
    test_command: Arc<str>,
    test_timeout: Duration,
    turns: Arc<Mutex<HashMap<RepositoryName, Arc<Turn<()>>>>>,
}

impl Queue {
    /// Nobody waits yet.
    pub fn new(test_command: String, test_timeout: Duration) -> Self {
        Self { test_command: test_command.into(), test_timeout, turns: Arc::default() }
    }

    /// Merges `branch` into `main` for `user`, when those that came before are done. If nobody waits for the answer any
    /// more, it is given up, and the next may begin.
    ///
    /// # Errors
    /// There is no merge.
    #[tracing::instrument(skip_all, fields(branch = branch.as_str()))]
    pub async fn merge(&self, repository: &Repository, branch: &BranchName, user: &str) -> Result<Outcome, MergeError> {
        let turn = self.turn(repository.name());
        // Tokio's mutex is fair: whoever asks first is first.
        let _turn = turn.lock().await;
        for _ in 0..ATTEMPTS {
            let main = repository.branch(&BranchName::main()).await?.ok_or(MergeError::NoBranch)?;
            let tip = repository.branch(branch).await?.ok_or(MergeError::NoBranch)?;
            if repository.is_ancestor(&tip, &main).await? {
                return Ok(Outcome::Contained(main));
            }
            let scratch = Scratch::new(repository).await?;
            let commit = match scratch.merge(&main, &tip, branch, user).await? {
                Attempt::Merged(commit) => commit,
                Attempt::Conflict { files } => return Err(MergeError::Conflict { files }),
            };
            match verify(&self.test_command, scratch.checkout(), self.test_timeout).await? {
                Verdict::Green => {}
                Verdict::Red { output } => return Err(MergeError::TestsFailed { output }),
            }
            scratch.hand_over(repository).await?;
            if move_main(repository, &main, &commit).await? {
                return Ok(Outcome::Merged(commit));
            }
            tracing::info!("main has moved: once more");
        }
        Err(MergeError::Restless)
    }

    fn turn(&self, name: &RepositoryName) -> Arc<Turn<()>> {
        // Nothing panics in between; and if something did, the map would still be whole.
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.entry(name.clone()).or_default().clone()
    }
}

/// Has `main` point at `new`, if it still points at `old`: git compares and changes in one step. Gives whether it did.
async fn move_main(repository: &Repository, old: &ObjectId, new: &ObjectId) -> Result<bool, GitError> {
    let mut command = repository.git();
    let main = BranchName::main().reference();
    command.args(["update-ref", "-m", "merge queue", &main, new.as_str(), old.as_str()]);
    let output = git::output(command).await?;
    if output.status.success() {
        return Ok(true);
    }
    // A push that holds the lock at this moment is about to move it.
    let error = GitError::from_output("update-ref", &output);
    tracing::info!(%error, "main was not moved");
    Ok(false)
}
