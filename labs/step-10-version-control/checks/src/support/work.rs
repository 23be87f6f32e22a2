//! A repository with a work tree, in which a tool of the submission is run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use lab_kit::prelude::*;

use super::git::Git;
use super::history::History;
use super::plain_text;
use super::snapshot::Snapshot;

/// What stands in `.git` while git is in the middle of something.
const UNFINISHED: [&str; 9] = [
    "CHERRY_PICK_HEAD",
    "REVERT_HEAD",
    "MERGE_HEAD",
    "sequencer",
    "rebase-merge",
    "rebase-apply",
    "BISECT_LOG",
    "BISECT_START",
    "index.lock",
];

/// A repository with a work tree on the branch `main`.
#[derive(Debug)]
pub struct Work<'a> {
    lab: &'a Lab,
    folder: PathBuf,
    home: PathBuf,
}

/// What a tool must leave as it was where it has done nothing.
#[derive(Debug, PartialEq, Eq)]
pub struct State {
    head: String,
    refs: BTreeMap<String, String>,
    files: String,
}

impl<'a> Work<'a> {
    /// With this history. Tells the hashes of its commits.
    pub async fn new(lab: &'a Lab, history: &History<'_>) -> CheckResult<(Self, Vec<String>)> {
        let folder = lab.folder()?.canonicalize().ours("looking at a folder")?;
        let git = || Git::new(lab, &folder);
        git().args(["init", "--quiet", "--template=", "--initial-branch=main"]).ours().await?;
        let (name, mail) = (lab.word(), lab.email());
        git().args(["config", "user.name", &name]).ours().await?;
        git().args(["config", "user.email", &mail]).ours().await?;
        let hashes = history.write(&folder).await?;
        git().args(["reset", "--quiet", "--hard", "main"]).ours().await?;
        Ok((Self { lab, folder, home: lab.folder()? }, hashes))
    }

    /// Git in it, before any tool has been run there.
    pub fn git(&self) -> Git<'_> {
        Git::new(self.lab, &self.folder)
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A run of the tool that `arguments` begin with.
    pub async fn tool(&self, arguments: &[&str]) -> CheckResult<Finished> {
        self.lab
            .program()
            .args(arguments.iter().copied())
            .folder(&self.folder)
            .env("HOME", &self.home.display().to_string())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .within(Duration::from_secs(30))
            .run()
            .await
    }

    /// The repository as it is now.
    pub fn snapshot(&self) -> CheckResult<Snapshot<'_>> {
        Snapshot::of_work_tree(self.lab, &self.folder)
    }

    /// What must not have changed where a tool has done nothing.
    pub async fn state(&self) -> CheckResult<State> {
        let snapshot = self.snapshot()?;
        let refs = snapshot.git().args(["for-each-ref", "--format=%(refname) %(objectname)"]).our_text().await?;
        let pair = |line: &str| line.split_once(' ').map(|(name, hash)| (name.to_owned(), hash.to_owned()));
        let head = plain_text(snapshot.folder(), ".git/HEAD");
        // never fails alone: without HEAD, git finds no repository in the line above
        let head = head.ok_or_else(|| Failure::learner("the repository has no HEAD any more"))?;
        let status = snapshot.git().args(["status", "--porcelain", "--untracked-files=all"]).our_text().await?;
        Ok(State { head, refs: refs.lines().filter_map(pair).collect(), files: status })
    }

    /// Expects that all is as it was, and that nothing has been left half done.
    pub async fn expect_untouched(&self, before: &State, after: &Finished) -> CheckResult {
        self.expect_finished(after)?;
        let now = self.state().await?;
        if now == *before {
            return Ok(());
        }
        Err(after.failure("the tool has changed the repository").expected(before.told()).actual(now.told()))
    }

    /// Expects that HEAD is where it was, with nothing uncommitted, and nothing left half done.
    pub async fn expect_clean(&self, before: &State, after: &Finished) -> CheckResult {
        self.expect_finished(after)?;
        let now = self.state().await?;
        if now.head != before.head {
            return Err(after.failure("HEAD is elsewhere").expected(before.head.clone()).actual(now.head));
        }
        if !now.files.is_empty() {
            return Err(after.failure("the work tree is not clean").expected("nothing to commit").actual(now.files));
        }
        Ok(())
    }

    fn expect_finished(&self, after: &Finished) -> CheckResult {
        let is_left = |name: &&&str| self.folder.join(".git").join(name).symlink_metadata().is_ok();
        let mut trees = std::fs::read_dir(self.folder.join(".git/worktrees")).into_iter().flatten().flatten();
        if let Some(tree) = trees.next() {
            let name = tree.file_name().display().to_string();
            return Err(after.failure(format!("the tool leaves a linked work tree, {name}")).expected("none is left"));
        }
        match UNFINISHED.iter().find(is_left) {
            Some(name) => Err(after
                .failure(format!("the tool leaves .git/{name}: git is still in the middle of something"))
                .expected("nothing left half done")),
            None => Ok(()),
        }
    }
}

impl State {
    /// Where a branch stands.
    pub fn branch(&self, name: &str) -> CheckResult<&str> {
        let hash = self.refs.get(&format!("refs/heads/{name}")).map(String::as_str);
        hash.ok_or_else(|| Failure::learner(format!("the branch {name} is gone")))
    }

    /// All refs.
    pub fn refs(&self) -> &BTreeMap<String, String> {
        &self.refs
    }

    fn told(&self) -> String {
        let refs: String = self.refs.iter().map(|(name, hash)| format!("{hash} {name}\n")).collect();
        format!("HEAD {}{refs}{}", self.head, self.files)
    }
}

/// The one line that a tool has written to standard output.
pub fn one_line(done: &Finished) -> CheckResult<String> {
    let text = String::from_utf8_lossy(done.output()).into_owned();
    match text.strip_suffix('\n') {
        Some(line) if !line.is_empty() && !line.contains('\n') => Ok(line.to_owned()),
        _ => Err(done.failure("the standard output is not one line").expected("a hash and a line feed").actual(text)),
    }
}
