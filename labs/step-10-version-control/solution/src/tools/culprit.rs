//! `culprit GOOD BAD COMMAND [ARGUMENT]…`: the first commit with which a command fails.
//!
//! Git says which commit divides what is left most evenly (git-rev-list(1), `--bisect-all`); each run of the command then
//! leaves half of it.

use std::collections::{BTreeSet, HashSet};
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use super::error::ToolError;
use super::work_tree::WorkTree;
use crate::git::{Ended as _, GitError};
use crate::object::ObjectId;

/// What the exit code says of a commit that can be called neither good nor bad.
const UNTESTABLE: i32 = 125;

/// Gives the name of the commit.
///
/// # Errors
/// Two of the commits make no sense, the command cannot tell, or what it cannot test stands in the way.
pub fn run(
    good: &OsStr,
    bad: &OsStr,
    program: &OsStr,
    arguments: &[OsString],
    interrupted: &AtomicBool,
) -> Result<Vec<String>, ToolError> {
    let tree = WorkTree::open()?;
    let search =
        Search { good: BTreeSet::from([tree.commit(good)?]), bad: tree.commit(bad)?, untestable: HashSet::new() };
    let detour = Detour::begin(&tree)?;
    let found = search.run(&tree, |commit| {
        detour.visit(commit)?;
        if interrupted.load(Ordering::Relaxed) {
            return Err(ToolError::usage("interrupted"));
        }
        verdict(Command::new(program).args(arguments).current_dir(tree.top()))
    });
    detour.end()?;
    Ok(vec![found?.to_string()])
}

/// What a run of the command says of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Good,
    Bad,
    Untestable,
}

/// Runs the command. What it writes goes to standard error: standard output is for the answer.
fn verdict(command: &mut Command) -> Result<Verdict, ToolError> {
    let output = Stdio::from(io::stderr().as_fd().try_clone_to_owned()?);
    let status = command.stdin(Stdio::null()).stdout(output).status();
    let status = status.map_err(|error| ToolError::usage(format!("the command cannot be run: {error}")))?;
    match status.code() {
        Some(0) => Ok(Verdict::Good),
        Some(UNTESTABLE) => Ok(Verdict::Untestable),
        Some(1..128) => Ok(Verdict::Bad),
        Some(code) => Err(ToolError::usage(format!("the command ended with {code}, which is no verdict"))),
        None => {
            let signal = status.signal().unwrap_or_default();
            Err(ToolError::usage(format!("the command was ended by signal {signal}, which is no verdict")))
        }
    }
}

/// What is known so far.
struct Search {
    good: BTreeSet<ObjectId>,
    bad: ObjectId,
    untestable: HashSet<ObjectId>,
}

impl Search {
    /// Asks `test` about one commit after the other, until one is left.
    fn run(
        mut self,
        tree: &WorkTree,
        mut test: impl FnMut(&ObjectId) -> Result<Verdict, ToolError>,
    ) -> Result<ObjectId, ToolError> {
        loop {
            let left = self.left(tree)?;
            if left.is_empty() {
                return Err(ToolError::usage("the bad commit is in the history of the good one"));
            }
            let next = left.iter().find(|commit| **commit != self.bad && !self.untestable.contains(commit));
            let Some(next) = next else {
                // Whatever cannot be tested may be it, and so may the first that is known to be bad.
                let all: Vec<_> = left.iter().map(ObjectId::to_string).collect();
                return if all.len() == 1 { Ok(self.bad) } else { Err(ToolError::Undecided(all)) };
            };
            match test(next)? {
                Verdict::Good => self.good.insert(next.clone()),
                Verdict::Untestable => self.untestable.insert(next.clone()),
                Verdict::Bad => {
                    self.bad = next.clone();
                    true
                }
            };
        }
    }

    /// The commits of which each may be it: first the one that divides the others most evenly.
    fn left(&self, tree: &WorkTree) -> Result<Vec<ObjectId>, GitError> {
        let mut arguments = vec!["--bisect-all", self.bad.as_str(), "--not"];
        arguments.extend(self.good.iter().map(ObjectId::as_str));
        // Each line has the commit, and then how even it is.
        let lines = tree.text("rev-list", &arguments)?;
        let first = |line: &str| line.split(' ').next()?.parse().ok();
        lines.lines().map(|line| first(line).ok_or(GitError::Unexpected("rev-list"))).collect()
    }
}

/// The way through other commits, and back to where HEAD was.
struct Detour<'a> {
    tree: &'a WorkTree,
    reference: String,
    commit: ObjectId,
    ended: bool,
}

impl<'a> Detour<'a> {
    fn begin(tree: &'a WorkTree) -> Result<Self, ToolError> {
        Ok(Self { tree, reference: tree.head_reference()?, commit: tree.head()?, ended: false })
    }

    /// Has the work tree be that of `commit`. What the command has changed before is undone.
    fn visit(&self, commit: &ObjectId) -> Result<(), ToolError> {
        let git = |arguments: &[&str], name| self.tree.git().args(arguments).output()?.success(name);
        git(&["reset", "--quiet", "--hard"], "reset")?;
        git(&["checkout", "--quiet", "--detach", commit.as_str()], "checkout")?;
        Ok(())
    }

    /// Goes back.
    fn end(mut self) -> Result<(), ToolError> {
        self.go_back()
    }

    fn go_back(&mut self) -> Result<(), ToolError> {
        self.ended = true;
        self.visit(&self.commit)?;
        if self.reference != "HEAD" {
            let arguments = ["symbolic-ref", "-m", "culprit: back", "HEAD", &self.reference];
            self.tree.git().args(arguments).output()?.success("symbolic-ref")?;
        }
        Ok(())
    }
}

impl Drop for Detour<'_> {
    fn drop(&mut self) {
        if !self.ended {
            let _ = self.go_back();
        }
    }
}
