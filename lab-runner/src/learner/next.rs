//! What to do next in a lab: the first task that is not done, where it begins, and which check tells.

use camino::Utf8PathBuf;
use serde::Serialize;

use crate::guide::{LabGuide, Todo};
use crate::state::LabProgress;
use crate::workspace::{Lab, Workspace};

/// A learner's next step.
#[derive(Debug, Clone, Serialize)]
pub struct NextStep {
    /// The lab's id.
    pub lab: String,
    /// Its title.
    pub title: String,
    /// The points so far and out of how many, if the lab was graded before.
    pub score: Option<(u32, u32)>,
    /// The task, unless all are done.
    pub task: Option<NextTask>,
    /// The lab's README, relative to the workspace.
    pub readme: Utf8PathBuf,
    /// The lab to go on with, if this one is done and another is not.
    pub next_lab: Option<String>,
}

/// The first task that is not done.
#[derive(Debug, Clone, Serialize)]
pub struct NextTask {
    /// Its number.
    pub number: u32,
    /// Its title.
    pub title: Option<String>,
    /// The line of the README at which it begins, counted from 1.
    pub readme_line: Option<usize>,
    /// The marks that the starter has for it and that are still there; paths are relative to the workspace.
    pub todos: Vec<Todo>,
    /// Its first check that has not passed: the id and the behaviour it asks for.
    pub check: Option<(String, String)>,
}

impl NextStep {
    /// The next step in `lab`, of which `guide` knows the way and `progress` how much of it is done.
    pub fn new(workspace: &Workspace, lab: &Lab, guide: &LabGuide, progress: &LabProgress) -> Self {
        let folder = workspace.relative(&lab.folder);
        let done = progress.score.is_some_and(|(score, max)| score == max);
        let readme = std::fs::read_to_string(lab.folder.join("README.md")).unwrap_or_default();
        let first = || guide.checks.iter().min_by_key(|check| check.task);
        let number = progress.next.as_ref().map(|(task, _)| *task).or_else(|| first().map(|check| check.task));
        let number = number.or_else(|| guide.titles.iter().map(|(task, _)| *task).min()).unwrap_or(1);
        let check = match (&progress.next_check, &progress.next) {
            (Some(id), Some((_, title))) => Some((id.clone(), title.clone())),
            _ => first().map(|check| (check.id.clone(), check.title.clone())),
        };
        let todo = |todo: &Todo| Todo { path: folder.join(&todo.path), ..todo.clone() };
        let task = NextTask {
            number,
            title: guide.title(number).map(str::to_owned),
            readme_line: heading(&readme, number),
            todos: guide.todos.iter().filter(|todo| todo.task == number).map(todo).collect(),
            check,
        };
        Self {
            lab: lab.id().to_owned(),
            title: lab.manifest.title.clone(),
            score: progress.score,
            task: (!done).then_some(task),
            readme: folder.join("README.md"),
            next_lab: None,
        }
    }
}

/// The line on which the heading of `task` stands, counted from 1.
fn heading(readme: &str, task: u32) -> Option<usize> {
    let begins = |line: &str| {
        let rest = line.strip_prefix('#').map(|rest| rest.trim_start_matches('#').trim_start());
        rest.is_some_and(|rest| rest.starts_with(&format!("Task {task}:")))
    };
    readme.lines().position(begins).map(|index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tasks_heading_is_told_from_that_of_another_with_the_same_beginning() {
        let readme = "# Lab\n\n## Task 11: gzip\n\n## Task 1: answer\n";
        assert_eq!((heading(readme, 1), heading(readme, 11), heading(readme, 2)), (Some(5), Some(3), None));
    }
}
