//! The repository that a tool is run in, with its work tree.

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::error::ToolError;
use crate::git::{self, Ended as _, GitError};
use crate::object::ObjectId;
use crate::repository::BranchName;

/// A repository in whose work tree nothing is waiting to be committed.
#[derive(Debug)]
pub struct WorkTree {
    top: PathBuf,
}

/// A reference that is to point elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// Its whole name.
    pub reference: Vec<u8>,
    /// What it points at: if it does not any more, nothing moves.
    pub old: ObjectId,
    /// What it is to point at.
    pub new: ObjectId,
}

impl WorkTree {
    /// The one that we are in.
    ///
    /// # Errors
    /// We are in none, or it has changes that are not committed: they could get lost.
    pub fn open() -> Result<Self, ToolError> {
        let output = git::command(Path::new(".")).args(["rev-parse", "--show-toplevel"]).output()?;
        let Ok(mut top) = output.success("rev-parse") else {
            return Err(ToolError::usage("this is no repository with a work tree"));
        };
        top.pop_if(|byte| *byte == b'\n');
        let tree = Self { top: PathBuf::from(OsString::from_vec(top)) };
        let changes = tree.output("status", &["--porcelain", "--untracked-files=no"])?;
        if changes.is_empty() { Ok(tree) } else { Err(ToolError::usage("there are changes that are not committed")) }
    }

    /// Its highest folder.
    pub fn top(&self) -> &Path {
        &self.top
    }

    /// A command of git's here.
    pub fn git(&self) -> Command {
        git::command(&self.top)
    }

    /// What git's command `name` writes.
    ///
    /// # Errors
    /// It fails.
    pub fn output(&self, name: &'static str, arguments: &[&str]) -> Result<Vec<u8>, GitError> {
        self.git().arg(name).args(arguments).output()?.success(name)
    }

    /// The same as text, without its last line feed.
    ///
    /// # Errors
    /// It fails.
    pub fn text(&self, name: &'static str, arguments: &[&str]) -> Result<String, GitError> {
        let output = self.output(name, arguments)?;
        Ok(String::from_utf8_lossy(&output).trim_end_matches('\n').to_owned())
    }

    /// The commit that somebody means by `text`.
    ///
    /// # Errors
    /// Nobody knows it.
    pub fn commit(&self, text: &OsStr) -> Result<ObjectId, ToolError> {
        let mut meant = text.to_owned();
        meant.push("^{commit}");
        let mut command = self.git();
        command.args(["rev-parse", "--verify", "--quiet", "--end-of-options"]).arg(meant);
        let output = command.output()?;
        let found = String::from_utf8_lossy(&output.stdout).trim_end().parse();
        found.map_err(|_| ToolError::usage(format!("there is no commit {}", text.display())))
    }

    /// The tip of the branch `name`.
    ///
    /// # Errors
    /// There is none.
    pub fn branch(&self, name: &str) -> Result<(BranchName, ObjectId), ToolError> {
        let unknown = || ToolError::usage(format!("there is no branch {name}"));
        let branch: BranchName = name.parse().map_err(|_| unknown())?;
        let reference = branch.reference();
        let output = self.git().args(["show-ref", "--verify", "--hash", "--", &reference]).output()?;
        let tip = String::from_utf8_lossy(&output.stdout).trim_end().parse().map_err(|_| unknown())?;
        Ok((branch, tip))
    }

    /// The reference that HEAD is on: a branch, or HEAD itself where it is detached.
    ///
    /// # Errors
    /// Git fails.
    pub fn head_reference(&self) -> Result<String, GitError> {
        let output = self.git().args(["symbolic-ref", "--quiet", "HEAD"]).output()?;
        match output.status.code() {
            Some(1) => Ok("HEAD".to_owned()),
            _ => Ok(String::from_utf8_lossy(&output.success("symbolic-ref")?).trim_end().to_owned()),
        }
    }

    /// The commit that HEAD is at.
    ///
    /// # Errors
    /// There is none yet.
    pub fn head(&self) -> Result<ObjectId, ToolError> {
        self.commit(OsStr::new("HEAD"))
    }

    /// The parents of `commit`.
    ///
    /// # Errors
    /// Git fails.
    pub fn parents(&self, commit: &ObjectId) -> Result<Vec<ObjectId>, GitError> {
        let line = self.text("rev-list", &["--no-walk", "--parents", commit.as_str()])?;
        ids(line.split(' ').skip(1), "rev-list")
    }

    /// Whether all of `ancestor`'s history is in `descendant`'s.
    ///
    /// # Errors
    /// Git fails.
    pub fn is_ancestor(&self, ancestor: &ObjectId, descendant: &ObjectId) -> Result<bool, GitError> {
        let arguments = ["merge-base", "--is-ancestor", ancestor.as_str(), descendant.as_str()];
        self.git().args(arguments).output()?.answer("merge-base")
    }

    /// Makes all of `moves`, or none. If HEAD's branch is among them, its files follow.
    ///
    /// # Errors
    /// A reference has moved meanwhile, or a file that git does not know is in the way.
    pub fn advance(&self, moves: &[Move]) -> Result<(), ToolError> {
        let head = self.head_reference()?.into_bytes();
        let ours = moves.iter().find(|one| one.reference == head && one.old != one.new);
        if let Some(one) = ours {
            self.switch_files(&one.old, &one.new)?;
        }
        let moved = self.transaction(moves);
        if let (Err(_), Some(one)) = (&moved, ours) {
            self.switch_files(&one.new, &one.old)?;
        }
        Ok(moved?)
    }

    /// Has index and files go from `old` to `new`. Git looks first, and touches nothing if it cannot touch everything.
    fn switch_files(&self, old: &ObjectId, new: &ObjectId) -> Result<(), ToolError> {
        let output = self.git().args(["read-tree", "-m", "-u", old.as_str(), new.as_str()]).output()?;
        output.success("read-tree").map_err(|error| ToolError::refused(format!("a file is in the way: {error}")))?;
        Ok(())
    }

    fn transaction(&self, moves: &[Move]) -> Result<(), GitError> {
        let mut child = self
            .git()
            .args(["update-ref", "--no-deref", "--stdin", "-z"])
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        if let Some(mut input) = child.stdin.take() {
            for Move { reference, old, new } in moves {
                input.write_all(&[b"update ", &reference[..], b"\0"].concat())?;
                write!(input, "{new}\0{old}\0")?;
            }
        }
        child.wait_with_output()?.success("update-ref")?;
        Ok(())
    }
}

/// Names of objects, as git's command `name` wrote them.
///
/// # Errors
/// One of them is none.
pub fn ids<'a>(texts: impl Iterator<Item = &'a str>, name: &'static str) -> Result<Vec<ObjectId>, GitError> {
    texts.map(|text| text.parse().map_err(|_| GitError::Unexpected(name))).collect()
}
