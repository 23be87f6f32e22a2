//! `land BRANCH`: merges a branch, also one whose merge was taken back.
//!
//! To git, a branch that was merged is merged, whatever a later commit has undone: merging it again brings nothing but its
//! newest commits. So what took its merges back is taken back first (git's howto/revert-a-faulty-merge).

use std::collections::{HashMap, HashSet};

use super::aside::Aside;
use super::error::ToolError;
use super::work_tree::{Move, WorkTree, ids};
use crate::git::GitError;
use crate::object::ObjectId;

/// What `git revert` writes before the commit that it undoes.
const REVERTS: &str = "This reverts commit ";

/// Gives the name of HEAD's commit afterwards.
///
/// # Errors
/// There is no such branch, or it conflicts with what we have.
pub fn run(branch: &str) -> Result<Vec<String>, ToolError> {
    let tree = WorkTree::open()?;
    let (branch, tip) = tree.branch(branch)?;
    let head = tree.head()?;
    let message = format!("Merge branch '{}'", branch.as_str());
    let aside = Aside::at(&tree, &head)?;
    let undone = bring_back(&tree, &aside, &head, &tip)?;
    if !tree.is_ancestor(&tip, &head)? {
        aside.make("merge", &["--no-ff", "--no-edit", "-m", &message, tip.as_str()])?;
    }
    let made = aside.head()?;
    let new = if undone.is_empty() { made } else { as_one_merge(&tree, &made, [&head, &tip], message, &undone)? };
    if new != head {
        tree.advance(&[Move { reference: tree.head_reference()?.into_bytes(), old: head, new: new.clone() }])?;
    }
    Ok(vec![new.to_string()])
}

/// Undoes, beside us, whatever keeps merges of the branch from having an effect, and gives what that was.
fn bring_back(tree: &WorkTree, aside: &Aside, head: &ObjectId, tip: &ObjectId) -> Result<Vec<ObjectId>, ToolError> {
    let merges = merges_of(tree, head, tip)?;
    let mut reverts = Reverts::of(tree, head)?;
    let mut undone = Vec::new();
    while let Some(culprit) = reverts.newest_against(&merges) {
        let mut arguments = vec!["--no-edit"];
        if tree.parents(&culprit)?.len() > 1 {
            arguments.extend(["-m", "1"]);
        }
        arguments.push(culprit.as_str());
        // Where nothing changes, somebody has brought it back by hand.
        aside.make("revert", &arguments)?;
        reverts.without.insert(culprit.clone());
        undone.push(culprit);
    }
    Ok(undone)
}

/// One merge with the files of `made`, that tells what it has undone: to take it back is to take back all of it.
fn as_one_merge(
    tree: &WorkTree,
    made: &ObjectId,
    parents: [&ObjectId; 2],
    mut message: String,
    undone: &[ObjectId],
) -> Result<ObjectId, ToolError> {
    for commit in undone {
        message.push_str(&format!("\n\n{REVERTS}{commit}."));
    }
    let files = format!("{made}^{{tree}}");
    let [head, tip] = parents;
    let made = tree.text("commit-tree", &["-p", head.as_str(), "-p", tip.as_str(), "-m", &message, &files])?;
    Ok(made.parse().map_err(|_| GitError::Unexpected("commit-tree"))?)
}

/// The merges in `head`'s history by which the branch at `tip` came in: those whose other parent is a commit that was once
/// its tip. Merges of other branches that it has built upon are not its own.
fn merges_of(tree: &WorkTree, head: &ObjectId, tip: &ObjectId) -> Result<HashSet<ObjectId>, ToolError> {
    let own = tree.text("rev-list", &["--first-parent", tip.as_str()])?;
    let own: HashSet<ObjectId> = ids(own.lines(), "rev-list")?.into_iter().collect();
    let mut merges = HashSet::new();
    for line in tree.text("rev-list", &["--merges", "--parents", head.as_str()])?.lines() {
        let commits = ids(line.split(' '), "rev-list")?;
        if let [merge, _, others @ ..] = &commits[..]
            && others.iter().any(|other| own.contains(other))
        {
            merges.insert(merge.clone());
        }
    }
    Ok(merges)
}

/// Which commits of a history undo which others.
#[derive(Debug, Default)]
struct Reverts {
    /// From the newest to the oldest: what undoes, and what is undone.
    pairs: Vec<(ObjectId, ObjectId)>,
    /// For each commit, the pairs in which it is undone.
    against: HashMap<ObjectId, Vec<ObjectId>>,
    /// What does not count any more.
    without: HashSet<ObjectId>,
}

impl Reverts {
    fn of(tree: &WorkTree, head: &ObjectId) -> Result<Self, ToolError> {
        let grep = format!("--grep={REVERTS}");
        let log = tree.text("log", &["-z", "--fixed-strings", &grep, "--format=%H%n%B", head.as_str()])?;
        let mut reverts = Self::default();
        for entry in log.split('\0') {
            let (commit, message) = entry.split_once('\n').unwrap_or_default();
            let Ok(commit) = commit.parse::<ObjectId>() else { continue };
            for undone in undone_by(message) {
                reverts.against.entry(undone.clone()).or_default().push(commit.clone());
                reverts.pairs.push((commit.clone(), undone));
            }
        }
        Ok(reverts)
    }

    /// Whether `commit` still has an effect: nothing undoes it, or what does was undone itself.
    fn has_effect(&self, commit: &ObjectId) -> bool {
        // A commit can only name older ones, so that this ends.
        !self.without.contains(commit)
            && !self.against.get(commit).is_some_and(|by| by.iter().any(|one| self.has_effect(one)))
    }

    /// The newest commit that keeps one of `merges` from having an effect.
    fn newest_against(&self, merges: &HashSet<ObjectId>) -> Option<ObjectId> {
        let keeps = |(by, undone): &&(ObjectId, ObjectId)| merges.contains(undone) && self.has_effect(by);
        self.pairs.iter().find(keeps).map(|(by, _)| by.clone())
    }
}

/// The commits that a message says are undone.
fn undone_by(message: &str) -> impl Iterator<Item = ObjectId> {
    message.split(REVERTS).skip(1).filter_map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(rest.len());
        rest[..end].parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(digit: char) -> ObjectId {
        digit.to_string().repeat(40).parse().unwrap()
    }

    fn reverts(pairs: &[(char, char)]) -> Reverts {
        let mut reverts = Reverts::default();
        for &(by, undone) in pairs {
            reverts.against.entry(id(undone)).or_default().push(id(by));
            reverts.pairs.push((id(by), id(undone)));
        }
        reverts
    }

    #[test]
    fn a_message_names_what_it_undoes() {
        let message = format!("Revert \"x\"\n\n{REVERTS}{}, reversing\nchanges made to {}.\n", id('a'), id('b'));
        assert_eq!(undone_by(&message).collect::<Vec<_>>(), [id('a')]);
        assert_eq!(undone_by("This reverts commit abc.").count(), 0);
    }

    #[test]
    fn what_was_undone_and_brought_back_needs_nothing() {
        let merges = HashSet::from([id('1')]);
        assert_eq!(reverts(&[]).newest_against(&merges), None);
        assert_eq!(reverts(&[('2', '1')]).newest_against(&merges), Some(id('2')));
        assert_eq!(reverts(&[('3', '2'), ('2', '1')]).newest_against(&merges), None);
        // Taken back, brought back, taken back again: the last one counts.
        assert_eq!(reverts(&[('4', '1'), ('3', '2'), ('2', '1')]).newest_against(&merges), Some(id('4')));
        assert_eq!(reverts(&[('4', '3'), ('3', '2'), ('2', '1')]).newest_against(&merges), Some(id('2')));
    }
}
