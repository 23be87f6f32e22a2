//! `backport COMMIT BRANCH…`: the change of one commit on other branches, on all of them or on none.

use std::ffi::OsStr;

use super::aside::{Aside, Made};
use super::error::ToolError;
use super::work_tree::{Move, WorkTree};

/// Gives a line for each branch: its name, and its tip.
///
/// # Errors
/// One of the branches is not there, or the change does not fit it. No branch has moved then.
pub fn run(commit: &str, branches: &[&str]) -> Result<Vec<String>, ToolError> {
    let tree = WorkTree::open()?;
    let commit = tree.commit(OsStr::new(commit))?;
    if tree.parents(&commit)?.len() > 1 {
        return Err(ToolError::usage("a merge is not one change: name the commits that it brought"));
    }
    let tips = branches.iter().map(|name| tree.branch(name)).collect::<Result<Vec<_>, _>>()?;
    let aside = Aside::at(&tree, &commit)?;
    let mut moves: Vec<Move> = Vec::new();
    let mut lines = Vec::new();
    for (branch, tip) in tips {
        let reference = branch.reference().into_bytes();
        // A branch that is named twice has the change already the second time.
        let known = moves.iter().find(|one| one.reference == reference).map(|one| one.new.clone());
        let new = if let Some(new) = known {
            new
        } else {
            aside.reset(&tip)?;
            let new = match aside.make("cherry-pick", &["-x", commit.as_str()]) {
                Ok(Made::Commit(new)) => new,
                Ok(Made::Nothing) => tip.clone(),
                Err(ToolError::Refused(why)) => {
                    return Err(ToolError::refused(format!("{}: {why}", branch.as_str())));
                }
                Err(error) => return Err(error),
            };
            moves.push(Move { reference, old: tip, new: new.clone() });
            new
        };
        lines.push(format!("{} {new}", branch.as_str()));
    }
    moves.retain(|one| one.old != one.new);
    tree.advance(&moves)?;
    Ok(lines)
}
