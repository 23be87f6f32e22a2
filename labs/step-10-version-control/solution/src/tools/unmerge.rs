//! `unmerge MERGE`: a commit that takes out what a merge has brought. History stays, so that nobody has to do anything.

use std::ffi::OsStr;

use super::aside::{Aside, Made};
use super::error::ToolError;
use super::work_tree::{Move, WorkTree};

/// Gives the name of the commit.
///
/// # Errors
/// It is no merge, or not in our history, or what came later builds upon it.
pub fn run(merge: &str) -> Result<Vec<String>, ToolError> {
    let tree = WorkTree::open()?;
    let merge = tree.commit(OsStr::new(merge))?;
    let head = tree.head()?;
    if tree.parents(&merge)?.len() < 2 {
        return Err(ToolError::usage(format!("{merge} is no merge")));
    }
    if !tree.is_ancestor(&merge, &head)? {
        return Err(ToolError::usage(format!("{merge} is not in the history of this branch")));
    }
    let aside = Aside::at(&tree, &head)?;
    // The first parent is the branch that was merged into: what it had is kept.
    let Made::Commit(new) = aside.make("revert", &["--no-edit", "-m", "1", merge.as_str()])? else {
        return Err(ToolError::refused("nothing of this merge is left to be taken out"));
    };
    tree.advance(&[Move { reference: tree.head_reference()?.into_bytes(), old: head, new: new.clone() }])?;
    Ok(vec![new.to_string()])
}
