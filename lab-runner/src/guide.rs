//! What a learner needs beside a result to find the way: the lab's tasks and their titles, where each task's TODO
//! stands in the learner's own files, how often a check has failed before, and what comes after the lab.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use lab_protocol::CheckInfo;
use serde::{Deserialize, Serialize};
use walkdir::WalkDir;

use crate::state::CheckProgress;
use crate::workspace::{Lab, Workspace};

/// A source file longer than this is not searched for TODOs, in bytes.
const LONGEST_FILE: u64 = 1 << 20;
/// No more files than this are searched for TODOs.
const MOST_FILES: usize = 2_000;

/// The way through one lab, as far as it is known before its checks run.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct LabGuide {
    /// All checks that the suite declares, whether they are asked for or not.
    pub checks: Vec<CheckInfo>,
    /// The titles of tasks, by number, as the README's headings have them.
    pub titles: Vec<(u32, String)>,
    /// Where the marks `TODO(LAB.TASK)` stand.
    pub todos: Vec<Todo>,
    /// What is known of each check from earlier runs of the working tree.
    pub known: BTreeMap<String, CheckProgress>,
    /// What a learner knows who has passed everything, as the manifest says.
    pub learned: Option<String>,
    /// The lab that comes next in the course.
    pub next_lab: Option<String>,
    /// Whether checks of later tasks are left out because an earlier task is not done.
    pub later_not_asked: bool,
}

/// A place in which the starter says that something is to be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Todo {
    /// The task it belongs to.
    pub task: u32,
    /// The file, relative to the lab's folder.
    pub path: Utf8PathBuf,
    /// The line, counted from 1.
    pub line: usize,
    /// What the mark says to do.
    #[serde(default)]
    pub text: String,
}

impl LabGuide {
    /// The guide for `lab`, whose suite declares `checks`; `tree` is the folder with the submission's editable files, if
    /// it has one.
    pub fn new(workspace: &Workspace, lab: &Lab, checks: &[CheckInfo], tree: Option<&Utf8Path>) -> Self {
        let following = workspace.labs.iter().skip_while(|one| one.id() != lab.id()).nth(1);
        Self {
            checks: checks.to_vec(),
            titles: titles(&std::fs::read_to_string(lab.folder.join("README.md")).unwrap_or_default()),
            todos: tree.map(|tree| todos(lab, tree)).unwrap_or_default(),
            known: BTreeMap::new(),
            learned: lab.manifest.learned.clone(),
            next_lab: following.map(|lab| lab.id().to_owned()),
            later_not_asked: false,
        }
    }

    /// The title of `task`.
    pub fn title(&self, task: u32) -> Option<&str> {
        self.titles.iter().find(|(number, _)| *number == task).map(|(_, title)| title.as_str())
    }

    /// The first TODO of `task`.
    pub fn todo(&self, task: u32) -> Option<&Todo> {
        self.todos.iter().find(|todo| todo.task == task)
    }
}

/// The titles in headings such as `## Task 3: events`, by the task's number.
fn titles(readme: &str) -> Vec<(u32, String)> {
    let title = |line: &str| {
        let rest = line.strip_prefix('#')?.trim_start_matches('#').trim_start().strip_prefix("Task ")?;
        let (number, title) = rest.split_once(':')?;
        Some((number.trim().parse().ok()?, title.trim().to_owned()))
    };
    readme.lines().filter_map(title).collect()
}

fn todos(lab: &Lab, tree: &Utf8Path) -> Vec<Todo> {
    // Links are not followed, and what is read is bounded: a submission may hold anything.
    let walk = lab.manifest.editable.iter().flat_map(|path| WalkDir::new(tree.join(path)).sort_by_file_name());
    let short =
        |entry: &walkdir::DirEntry| entry.metadata().is_ok_and(|file| file.is_file() && file.len() <= LONGEST_FILE);
    let files = walk.flatten().filter(short).filter_map(|entry| Utf8PathBuf::try_from(entry.into_path()).ok());
    let files = files.take(MOST_FILES);
    let mark = format!("TODO({}.", lab.id());
    let mut found = Vec::new();
    for file in files {
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        for (index, line) in text.lines().enumerate() {
            let Some((_, rest)) = line.split_once(&mark) else { continue };
            let Some((task, text)) = rest.split_once(')') else { continue };
            let Ok(task) = task.parse() else { continue };
            let path = file.strip_prefix(tree).unwrap_or(&file).to_owned();
            let text = text.trim_start_matches(':').trim().to_owned();
            found.push(Todo { task, path, line: index + 1, text });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tasks_title_is_what_its_heading_says() {
        let found = titles("# Lab\n## Task 1: Answer\ntext\n### Task 12: gzip: fast\n## Tasks\nTask 3: no heading\n");
        assert_eq!(found, [(1, "Answer".to_owned()), (12, "gzip: fast".to_owned())]);
    }
}
