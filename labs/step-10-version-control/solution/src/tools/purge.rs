//! `purge PATH`: a file that has never been. Every reference gets a history without it, and nothing of the old one is left.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::error::ToolError;
use super::rewrite::Rewriter;
use super::work_tree::{Move, WorkTree, ids};
use crate::git::{Ended as _, GitError};
use crate::object::ObjectId;

/// Names outside of `refs/` by which old commits can still be found.
const LEFTOVERS: [&str; 3] = ["ORIG_HEAD", "FETCH_HEAD", "rr-cache"];

/// Gives nothing to be printed.
///
/// # Errors
/// No commit has the file, or the repository is one of which we see a part only.
pub fn run(path: &OsStr) -> Result<Vec<String>, ToolError> {
    let tree = WorkTree::open()?;
    let path = path.as_bytes();
    if path.split(|&byte| byte == b'/').any(|part| matches!(part, b"" | b"." | b"..")) {
        return Err(ToolError::usage("the path leads from the repository's top to a file"));
    }
    expect_whole(&tree)?;
    let mut rewriter = Rewriter::new(&tree, path)?;
    // Parents come first. What only the logs of references know counts as well: the file is there, too.
    let commits = tree.text("rev-list", &["--topo-order", "--reverse", "--all", "--reflog", "HEAD"])?;
    for commit in ids(commits.lines(), "rev-list")? {
        rewriter.object(&commit)?;
    }
    if !rewriter.found() {
        return Err(ToolError::usage("no commit has this file"));
    }
    let moves = moves(&tree, &mut rewriter)?;
    tree.advance(&moves)?;
    forget(&tree)?;
    expect_gone(&tree, rewriter.replaced())?;
    Ok(Vec::new())
}

/// Refuses repositories in which something would be left that we do not see.
fn expect_whole(tree: &WorkTree) -> Result<(), ToolError> {
    if tree.text("rev-parse", &["--is-shallow-repository"])? == "true" {
        return Err(ToolError::usage("this is a shallow clone: fetch the rest of its history first"));
    }
    if tree.text("worktree", &["list"])?.lines().count() > 1 {
        return Err(ToolError::usage("there are other work trees of this repository: remove them first"));
    }
    if git_path(tree, "objects/info/alternates")?.exists() {
        return Err(ToolError::usage("this repository borrows objects from another one"));
    }
    Ok(())
}

/// Where every reference is to point, and HEAD if it is on none.
fn moves(tree: &WorkTree, rewriter: &mut Rewriter) -> Result<Vec<Move>, ToolError> {
    // References to other references move with them.
    let listed = tree.output("for-each-ref", &["--format=%(objectname) %(symref) %(refname)"])?;
    let mut moves = Vec::new();
    for line in listed.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
        let mut parts = line.splitn(3, |&byte| byte == b' ');
        let (Some(old), Some(b""), Some(reference)) = (parts.next(), parts.next(), parts.next()) else { continue };
        let old = std::str::from_utf8(old).ok().and_then(|text| text.parse().ok());
        let old: ObjectId = old.ok_or(GitError::Unexpected("for-each-ref"))?;
        let new = rewriter.object(&old)?;
        moves.push(Move { reference: reference.to_vec(), old, new });
    }
    if tree.head_reference()? == "HEAD" {
        let old = tree.head()?;
        let new = rewriter.object(&old)?;
        moves.push(Move { reference: b"HEAD".to_vec(), old, new });
    }
    moves.retain(|one| one.old != one.new);
    Ok(moves)
}

/// Has git forget what no reference leads to: what their logs know, what was kept aside, what lies loose or in packs.
fn forget(tree: &WorkTree) -> Result<(), ToolError> {
    for name in LEFTOVERS {
        remove(&git_path(tree, name)?)?;
    }
    let packs = git_path(tree, "objects/pack")?;
    for entry in fs::read_dir(packs)? {
        let path = entry?.path();
        // Such a pack would be kept with all that is in it.
        if path.extension().is_some_and(|ending| ending == "keep") {
            fs::remove_file(path)?;
        }
    }
    tree.output("reflog", &["expire", "--expire=now", "--expire-unreachable=now", "--all"])?;
    tree.output("gc", &["--quiet", "--prune=now"])?;
    Ok(())
}

/// Looks whether it has.
fn expect_gone<'a>(tree: &WorkTree, mut old: impl Iterator<Item = &'a ObjectId>) -> Result<(), ToolError> {
    let listed = tree.text("cat-file", &["--batch-all-objects", "--batch-check=%(objectname)"])?;
    let there: HashSet<&str> = listed.lines().collect();
    match old.find(|id| there.contains(id.as_str())) {
        None => Ok(()),
        Some(id) => Err(ToolError::refused(format!("git still has the commit {id}"))),
    }
}

fn git_path(tree: &WorkTree, name: &str) -> Result<PathBuf, ToolError> {
    let mut output = tree.git().args(["rev-parse", "--git-path", name]).output()?.success("rev-parse")?;
    output.pop_if(|byte| *byte == b'\n');
    Ok(tree.top().join(OsStr::from_bytes(&output)))
}

fn remove(path: &Path) -> io::Result<()> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    removed.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}
