//! Repositories: which names they may have, where they are, and what their branches point at.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::str::FromStr;

use crate::configuration::Folder;
use crate::git::{self, Ended as _, GitError};
use crate::object::ObjectId;

/// A name that a repository may have. Nothing else ever becomes part of a path: no dot, no slash, no empty name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RepositoryName(String);

/// A name that no repository has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a repository's name has lower-case letters, digits and hyphens")]
pub struct NoName;

impl FromStr for RepositoryName {
    type Err = NoName;

    fn from_str(text: &str) -> Result<Self, NoName> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if !text.is_empty() && text.bytes().all(plain) { Ok(Self(text.to_owned())) } else { Err(NoName) }
    }
}

/// A repository that is there.
#[derive(Debug, Clone)]
pub struct Repository {
    name: RepositoryName,
    path: PathBuf,
}

impl Repository {
    /// The repository called `name` in `folder`, if it is there.
    pub fn open(folder: &Folder, name: RepositoryName) -> Option<Self> {
        let path = folder.path().join(format!("{}.git", name.0));
        path.join("HEAD").is_file().then_some(Self { name, path })
    }

    /// What it is called.
    pub fn name(&self) -> &RepositoryName {
        &self.name
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A command of git's for this repository.
    pub fn git(&self) -> Command {
        let mut command = git::command(&self.path);
        // The operator has named the folder: it does not matter whose it is.
        command.env("GIT_DIR", &self.path).args(["-c", "safe.directory=*"]);
        command
    }

    /// The commit that a branch points at, if there is such a branch. The name is taken as it is: `main~1` is no branch.
    ///
    /// # Errors
    /// Git cannot tell.
    pub async fn branch(&self, name: &BranchName) -> Result<Option<ObjectId>, GitError> {
        let mut command = self.git();
        command.args(["show-ref", "--verify", "--hash", "--", &name.reference()]);
        let output = git::output(command).await?;
        if !output.status.success() {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(&output.stdout);
        text.trim_end().parse().map(Some).map_err(|_| GitError::Unexpected("show-ref"))
    }

    /// Whether all of `ancestor`'s history is in `descendant`'s.
    ///
    /// # Errors
    /// Git cannot tell.
    pub async fn is_ancestor(&self, ancestor: &ObjectId, descendant: &ObjectId) -> Result<bool, GitError> {
        let mut command = self.git();
        command.args(["merge-base", "--is-ancestor", ancestor.as_str(), descendant.as_str()]);
        git::output(command).await?.answer("merge-base")
    }
}

/// What may be asked for as a branch. Git decides whether it is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchName(String);

impl BranchName {
    /// The branch that everybody builds on.
    pub fn main() -> Self {
        Self("main".to_owned())
    }

    /// The name alone.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of its reference.
    pub fn reference(&self) -> String {
        format!("refs/heads/{}", self.0)
    }
}

impl FromStr for BranchName {
    type Err = NoBranch;

    fn from_str(text: &str) -> Result<Self, NoBranch> {
        // An argument cannot hold a NUL, and git allows no control character in a name (git-check-ref-format(1)).
        let plain = !text.is_empty() && !text.bytes().any(|byte| byte.is_ascii_control());
        if plain { Ok(Self(text.to_owned())) } else { Err(NoBranch) }
    }
}

/// A name that no branch has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no branch can have this name")]
pub struct NoBranch;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_never_leads_elsewhere() {
        for name in ["tickets", "box-office-2", "-", "7"] {
            assert!(name.parse::<RepositoryName>().is_ok(), "{name}");
        }
        for name in ["", ".", "..", "a/b", "../a", "a.git", "A", "é", "a b", "$(id)", "a\0b", "a\n"] {
            assert_eq!(name.parse::<RepositoryName>(), Err(NoName), "{name:?}");
        }
    }

    #[test]
    fn what_could_never_be_an_argument_is_no_branch() {
        assert!("$(touch canary)".parse::<BranchName>().is_ok());
        for name in ["", "a\0b", "a\nb"] {
            assert_eq!(name.parse::<BranchName>(), Err(NoBranch), "{name:?}");
        }
    }
}
