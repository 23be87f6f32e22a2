//! Where a merge is made: a repository of its own, which borrows the other one's objects and gives none back until it is
//! told to. Whatever goes wrong in it, nobody else has to tidy up.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::folder::Folder;
use crate::git::{self, Ended as _, GitError};
use crate::object::ObjectId;
use crate::repository::{BranchName, Repository};

/// The reference by which the merge is handed over.
const MERGED: &str = "refs/heads/merged";

/// What has become of an attempt to merge.
#[derive(Debug)]
pub enum Attempt {
    /// This commit has both histories.
    Merged(ObjectId),
    /// Both have changed the same lines.
    Conflict {
        /// The files in which they are.
        files: Vec<String>,
    },
}

/// The repository, and beside it a folder with the files of the merge.
#[derive(Debug)]
pub struct Scratch {
    folder: Folder,
}

impl Scratch {
    /// An empty one.
    ///
    /// # Errors
    /// It cannot be made.
    pub async fn new(lender: &Repository) -> Result<Self, GitError> {
        let scratch = Self { folder: Folder::new()? };
        fs::create_dir(scratch.checkout())?;
        let mut init = git::command(scratch.folder.path());
        init.args(["init", "--quiet", "--bare", "--template="]).arg(scratch.repository());
        git::output(init).await?.success("init")?;
        let lent = format!("{}\n", lender.path().join("objects").display());
        fs::write(scratch.repository().join("objects/info/alternates"), lent)?;
        Ok(scratch)
    }

    /// The folder with the files of the merge, and nothing else: whoever tests them finds no way to the repository there.
    pub fn checkout(&self) -> PathBuf {
        self.folder.path().join("checkout")
    }

    fn repository(&self) -> PathBuf {
        self.folder.path().join("repository")
    }

    fn git(&self) -> Command {
        let mut command = git::command(&self.checkout());
        command.env("GIT_DIR", self.repository()).env("GIT_WORK_TREE", self.checkout());
        command.args(["-c", "safe.directory=*", "-c", "gc.auto=0"]);
        command
    }

    /// Merges `tip` into `main`, always by a commit of its own.
    ///
    /// # Errors
    /// Git fails in another way than by a conflict.
    pub async fn merge(
        &self,
        main: &ObjectId,
        tip: &ObjectId,
        branch: &BranchName,
        user: &str,
    ) -> Result<Attempt, GitError> {
        let mut checkout = self.git();
        checkout.args(["checkout", "--quiet", "--detach", main.as_str()]);
        git::output(checkout).await?.success("checkout")?;
        let mut merge = self.git();
        for (role, name) in [("AUTHOR", user), ("COMMITTER", "box office")] {
            merge.env(format!("GIT_{role}_NAME"), name).env(format!("GIT_{role}_EMAIL"), format!("{user}@box-office"));
        }
        let message = format!("Merge branch '{}'", branch.as_str());
        merge.args(["merge", "--quiet", "--no-ff", "--no-edit", "-m", &message, tip.as_str()]);
        let output = git::output(merge).await?;
        if output.status.success() {
            return Ok(Attempt::Merged(self.hold_merge().await?));
        }
        let files = self.unmerged().await?;
        // Histories that share nothing cannot be merged either; there is no file to be named then.
        let unrelated = String::from_utf8_lossy(&output.stderr).contains("unrelated histories");
        if files.is_empty() && !unrelated {
            return Err(GitError::from_output("merge", &output));
        }
        Ok(Attempt::Conflict { files })
    }

    /// Has a reference point at the merge. The test may do what it likes afterwards: what is handed over is this.
    async fn hold_merge(&self) -> Result<ObjectId, GitError> {
        let mut parse = self.git();
        parse.args(["rev-parse", "--verify", "HEAD"]);
        let output = git::output(parse).await?.success("rev-parse")?;
        let commit: ObjectId =
            String::from_utf8_lossy(&output).trim_end().parse().map_err(|_| GitError::Unexpected("rev-parse"))?;
        let mut update = self.git();
        update.args(["update-ref", MERGED, commit.as_str()]);
        git::output(update).await?.success("update-ref")?;
        Ok(commit)
    }

    async fn unmerged(&self) -> Result<Vec<String>, GitError> {
        let mut diff = self.git();
        diff.args(["diff", "--name-only", "--diff-filter=U", "-z"]);
        let output = git::output(diff).await?.success("diff")?;
        let names = output.split(|&byte| byte == 0).filter(|name| !name.is_empty());
        Ok(names.map(|name| String::from_utf8_lossy(name).into_owned()).collect())
    }

    /// Gives `repository` the objects of the merge. No reference of it changes.
    ///
    /// # Errors
    /// Git fails.
    pub async fn hand_over(&self, repository: &Repository) -> Result<(), GitError> {
        let mut fetch = repository.git();
        fetch.args(["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance"]);
        fetch.arg(path_as_url(&self.repository())).arg(MERGED);
        git::output(fetch).await?.success("fetch")?;
        Ok(())
    }
}

/// A path that git takes for a path and nothing else: it is absolute, and so begins with a slash.
fn path_as_url(path: &Path) -> &Path {
    debug_assert!(path.is_absolute());
    path
}
