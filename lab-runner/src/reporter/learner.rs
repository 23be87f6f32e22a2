//! What `next`, `logs`, `solution` and `reset` print.

use camino::Utf8Path;
use lab_protocol::Verdict;

use super::inert::{self, inert};
use super::style::{bad, dim, good, strong};
use crate::learner::compare::{FileDifference, Line, Side};
use crate::learner::logs::{CheckLog, RunLog};
use crate::learner::next::{NextStep, NextTask};
use crate::learner::reset::{Change, What};
use crate::learner::starter::Origin;

/// What to do next.
pub(super) fn next(step: &NextStep) -> String {
    let points = match step.score {
        Some((score, max)) => format!("{score} of {max} points"),
        None => "not checked yet".to_owned(),
    };
    let mut text = format!("{}   {points}\n", strong(format_args!("{} {}", step.lab, step.title)));
    let Some(task) = &step.task else {
        let next = match &step.next_lab {
            Some(lab) => format!("cargo lab next {lab}"),
            None => "that was the last lab of the course; cargo lab shows the map".to_owned(),
        };
        text.push_str(&format!("{}\n\n{} {next}\n", good("every task of this lab is done"), strong("next  ")));
        return text;
    };
    text.push_str(&next_task(step, task));
    text.push_str(&format!("\n{} edit, then cargo lab check {}\n", strong("next  "), step.lab));
    text
}

fn next_task(step: &NextStep, task: &NextTask) -> String {
    let title = task.title.as_deref().map(|title| format!(": {}", inert::line(title))).unwrap_or_default();
    let mut text = format!("\n{}\n", strong(format_args!("task {}{title}", task.number)));
    let line = task.readme_line.map(|line| format!(":{line}")).unwrap_or_default();
    text.push_str(&format!("  {}  {}{line}\n", dim("read "), step.readme));
    for (index, todo) in task.todos.iter().enumerate() {
        let label = if index == 0 { dim("write") } else { "     ".to_owned() };
        text.push_str(&format!("  {label}  {}:{}  ", inert::line(todo.path.as_str()), todo.line));
        text.push_str(&format!("TODO({}.{}): {}\n", step.lab, task.number, inert::line(&todo.text)));
    }
    if let Some((id, behaviour)) = &task.check {
        text.push_str(&format!("  {}  {id}: {}\n", dim("check"), inert::line(behaviour)));
    }
    text
}

/// The server's log of a run, check by check.
pub(super) fn logs(log: &RunLog) -> String {
    let began = log.began.map(|at| format!(", {}", at.format("%Y-%m-%d %H:%M:%S UTC"))).unwrap_or_default();
    let of = log.submission.as_deref().map(|path| format!(", {}", inert::line(path))).unwrap_or_default();
    let mut text = dim(format_args!("the last run of {}{of}{began}", log.lab)) + "\n";
    if let Some(obstacle) = &log.obstacle {
        text.push_str(&format!("{}\n", bad(inert(obstacle))));
    }
    for line in &log.lines {
        text.push_str(&format!("{} {}\n", dim("|"), inert::log_line(line)));
    }
    log.checks.iter().for_each(|check| text.push_str(&check_log(check)));
    text
}

fn check_log(check: &CheckLog) -> String {
    let mark = match check.verdict {
        Verdict::Passed => good("✓"),
        Verdict::Failed | Verdict::TimedOut => bad("✗"),
        Verdict::Skipped | Verdict::Error => dim("·"),
    };
    let mut text = format!("\n{mark} {}   {}\n", strong(inert::line(&check.id)), inert::line(&check.title));
    if !check.lines.iter().any(|line| line.written) {
        text.push_str(&format!("  {}\n", dim("it wrote nothing")));
    }
    for line in &check.lines {
        let at = dim(format_args!("{:>7} ms", line.at_ms));
        let line =
            if line.written { format!("| {}", inert::log_line(&line.text)) } else { dim(inert::line(&line.text)) };
        text.push_str(&format!("{at}  {line}\n"));
    }
    text
}

/// The learner's files beside the solution's.
pub(super) fn solution(lab: &str, files: &[FileDifference]) -> String {
    if files.is_empty() {
        return format!("your files are the same as the solution of {lab}\n");
    }
    let mut text = format!("{}\n", strong(format_args!("{lab}: - yours, + the solution's")));
    let width = files.iter().map(|file| file.path.as_str().chars().count()).max().unwrap_or_default();
    for file in files {
        let (own, solution) = file.counts();
        let counts = format!("{} {}", bad(format_args!("-{own}")), good(format_args!("+{solution}")));
        text.push_str(&format!("  {:<width$}  {counts}{}\n", inert::line(file.path.as_str()), side(file)));
    }
    files.iter().for_each(|file| text.push_str(&file_difference(file)));
    text
}

fn side(file: &FileDifference) -> String {
    match (file.text, file.side) {
        (false, _) => dim("   not text"),
        (_, Side::Own) => dim("   only yours"),
        (_, Side::Solution) => dim("   only in the solution"),
        (_, Side::Both) => String::new(),
    }
}

fn file_difference(file: &FileDifference) -> String {
    let mut text = format!("\n{}{}\n", strong(inert::line(file.path.as_str())), side(file));
    for place in &file.places {
        text.push_str(&dim(format_args!("  yours line {}, solution line {}\n", place.own_line, place.solution_line)));
        for line in &place.lines {
            let line = match line {
                Line::Same(line) => format!("  {}", inert::line(line)),
                Line::Own(line) => bad(format_args!("- {}", inert::line(line))),
                Line::Solution(line) => good(format_args!("+ {}", inert::line(line))),
            };
            text.push_str(&format!("{line}\n"));
        }
    }
    text
}

/// What bringing the starter back will do.
pub(super) fn reset_plan(folder: &Utf8Path, origin: &Origin, changes: &[Change]) -> String {
    if changes.is_empty() {
        return "these files are the starter's already\n".to_owned();
    }
    let mut text = format!("the starter, {}\n", known_as(origin));
    for change in changes {
        let what = match change.what {
            What::Restored => "replaced",
            What::Created => "made anew",
            What::Removed => "removed",
        };
        text.push_str(&format!("  {what:<9}  {}\n", inert::line(folder.join(&change.path).as_str())));
    }
    text
}

/// How a starter is known.
pub(super) fn known_as(origin: &Origin) -> String {
    match origin {
        Origin::Course => "as the course has it".to_owned(),
        Origin::Commit { id, date } => format!("as the course has it in commit {id} of {date}"),
        Origin::FirstGraded { at } => format!(
            "as your files were when this lab was first graded, {}: the course carries no starter, and git knows none",
            at.format("%Y-%m-%d %H:%M UTC")
        ),
    }
}

/// What became of it.
pub(super) fn reset_done(lab: &str, done: bool, kept: Option<&Utf8Path>) -> String {
    if !done {
        return "nothing was changed\n".to_owned();
    }
    let kept = kept.map(|kept| format!("{} {kept}\n", dim("what was there is kept in"))).unwrap_or_default();
    format!("{}\n{kept}{} cargo lab next {lab}\n", good("the starter is back"), strong("next  "))
}
