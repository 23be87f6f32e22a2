//! A work tree beside the user's own, in which things may go wrong.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use super::error::ToolError;
use super::work_tree::WorkTree;
use crate::git::{self, Ended as _, GitError};
use crate::object::ObjectId;

/// A linked work tree (git-worktree(1)) on no branch. It goes when this goes.
#[derive(Debug)]
pub struct Aside<'a> {
    of: &'a WorkTree,
    folder: TempDir,
}

/// What has become of something that makes a commit.
#[derive(Debug, PartialEq, Eq)]
pub enum Made {
    /// This commit.
    Commit(ObjectId),
    /// Nothing would change.
    Nothing,
}

impl<'a> Aside<'a> {
    /// One with the files of `commit`.
    ///
    /// # Errors
    /// Git fails.
    pub fn at(of: &'a WorkTree, commit: &ObjectId) -> Result<Self, ToolError> {
        let aside = Self { of, folder: tempfile::Builder::new().prefix("box-office-aside-").tempdir()? };
        let mut add = of.git();
        add.args(["worktree", "add", "--quiet", "--detach"]).arg(aside.path()).arg(commit.as_str());
        add.output()?.success("worktree")?;
        Ok(aside)
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("tree")
    }

    fn git(&self) -> Command {
        git::command(&self.path())
    }

    /// Has the files be those of `commit` again.
    ///
    /// # Errors
    /// Git fails.
    pub fn reset(&self, commit: &ObjectId) -> Result<(), GitError> {
        self.git().args(["reset", "--quiet", "--hard", commit.as_str()]).output()?.success("reset")?;
        Ok(())
    }

    /// Where it is.
    ///
    /// # Errors
    /// Git fails.
    pub fn head(&self) -> Result<ObjectId, GitError> {
        let output = self.git().args(["rev-parse", "--verify", "HEAD"]).output()?.success("rev-parse")?;
        String::from_utf8_lossy(&output).trim_end().parse().map_err(|_| GitError::Unexpected("rev-parse"))
    }

    /// Runs git's command `name`, which makes a commit, or stops half-way.
    ///
    /// # Errors
    /// It stops at a conflict, or fails.
    pub fn make(&self, name: &'static str, arguments: &[&str]) -> Result<Made, ToolError> {
        let output = self.git().arg(name).args(arguments).output()?;
        if output.status.success() {
            return Ok(Made::Commit(self.head()?));
        }
        let unmerged = self.git().args(["diff", "--name-only", "--diff-filter=U"]).output()?.success("diff")?;
        if !unmerged.is_empty() {
            let files = String::from_utf8_lossy(&unmerged).trim_end().replace('\n', ", ");
            return Err(ToolError::refused(format!("conflict in {files}")));
        }
        // Git stops as well where there is nothing to commit.
        let same = self.git().args(["diff", "--quiet", "HEAD"]).output()?.answer("diff")?;
        if output.status.code() == Some(1) && same {
            return Ok(Made::Nothing);
        }
        Err(GitError::from_output(name, &output).into())
    }
}

impl Drop for Aside<'_> {
    fn drop(&mut self) {
        // What cannot be removed here, git prunes when it finds the folder gone.
        let _ = self.of.git().args(["worktree", "remove", "--force"]).arg(self.path()).output();
    }
}
