//! The solution as it was: the bases that a patch may have been made for, from the repository's history.

use std::collections::HashMap;

use camino::{Utf8Path, Utf8PathBuf};
use lab_runner::git;
use lab_runner::submission::Tree;
use lab_runner::workspace::Lab;

/// How many commits of the solution are looked at, the newest first.
const MOST_COMMITS: usize = 60;

/// The history of a lab's solution, as far as git knows it. Reading nothing where there is no git: then patches are
/// placed by their context alone.
#[derive(Debug)]
pub struct History {
    lab: Utf8PathBuf,
    /// Commits that changed the solution, the newest first, and HEAD before them.
    commits: Vec<String>,
    /// Files of the solution by commit and path; none where the commit had no such file.
    files: HashMap<(String, Utf8PathBuf), Option<Vec<u8>>>,
}

impl History {
    /// The history of the solution of `lab`.
    pub fn of(lab: &Lab) -> Self {
        let mut history = Self { lab: lab.folder.clone(), commits: Vec::new(), files: HashMap::new() };
        history.commits = history.log("solution", MOST_COMMITS);
        // What is changed and not committed yet has HEAD for its base.
        let head = history.log(".", 1);
        history.commits.splice(0..0, head);
        history
    }

    /// The commits whose solution `patch` may have been made for, the likeliest first.
    pub(super) fn bases(&self, patch: &Utf8Path) -> Vec<String> {
        let mut bases = self.commits.first().cloned().into_iter().collect::<Vec<_>>();
        let relative = patch.strip_prefix(&self.lab).unwrap_or(patch);
        bases.extend(self.log(relative.as_str(), 1));
        bases.extend(self.commits.iter().skip(1).cloned());
        bases
    }

    /// The solution's files `paths` as they were at `commit`.
    pub(super) fn solution_at(&mut self, commit: &str, paths: &[&Utf8Path]) -> Tree {
        let mut tree = Tree::default();
        for path in paths {
            let key = (commit.to_owned(), (*path).to_owned());
            let object = format!("{commit}:./solution/{path}");
            let lab = &self.lab;
            let content = self.files.entry(key).or_insert_with(|| git::output(lab, &["cat-file", "blob", &object]));
            if let Some(content) = content {
                tree.0.insert((*path).to_owned(), content.clone());
            }
        }
        tree
    }

    fn log(&self, path: &str, most: usize) -> Vec<String> {
        let most = format!("--max-count={most}");
        let output = git::output(&self.lab, &["log", "--format=%H", &most, "--", path]).unwrap_or_default();
        String::from_utf8_lossy(&output).lines().map(str::to_owned).collect()
    }
}
