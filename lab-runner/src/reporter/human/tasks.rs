//! The lab's tasks with how far each is, in as many columns as fit.

use lab_protocol::Verdict;

use super::super::inert::inert;
use super::super::style::{bad, dim, good, warn};
use super::screen::cut;
use crate::guide::LabGuide;
use crate::report::{Check, Report};

/// The least columns of a title that is cut.
const LEAST_TITLE: usize = 12;

/// How far one task is.
struct Task {
    number: u32,
    title: String,
    passed: usize,
    asked: usize,
    /// Nothing of it can be asked here, such as of a server that already runs.
    elsewhere: bool,
    mark: Mark,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Done,
    Failed,
    /// Nothing of it failed, and something waits for another check or was not asked.
    Waiting,
    /// A fault of ours.
    Fault,
}

/// The lines of the tasks, in `width` columns.
pub(super) fn tasks(report: &Report, guide: &LabGuide, width: usize) -> Vec<String> {
    let tasks = all(report, guide);
    let digits = tasks.iter().map(|task| task.number.to_string().len()).max().unwrap_or(1);
    let longest = tasks.iter().map(|task| task.title.chars().count()).max().unwrap_or_default();
    // Mark, number, title, count, and what keeps columns apart.
    let beside = 2 + digits + 1 + 1 + COUNT + 2;
    let room = width.saturating_sub(2);
    let least = longest.min(LEAST_TITLE.max(longest * 2 / 3));
    let columns = (room / (least + beside)).clamp(1, 3).min(tasks.len().max(1));
    let title = longest.min((room / columns).saturating_sub(beside));
    let rows = tasks.len().div_ceil(columns);
    let line = |row: usize| {
        let cells = (0..columns).filter_map(|column| tasks.get(column * rows + row));
        let cells: Vec<String> = cells.map(|task| cell(task, digits, title)).collect();
        format!("  {}", cells.join("  "))
    };
    (0..rows).map(line).collect()
}

/// As wide as `not yet`, and `12/34`.
const COUNT: usize = 7;

fn cell(task: &Task, digits: usize, title: usize) -> String {
    let count = match task.asked {
        0 if task.elsewhere => "skipped".to_owned(),
        0 => "not yet".to_owned(),
        asked => format!("{}/{asked}", task.passed),
    };
    let text = format!("{:>digits$} {:<title$} {count:>COUNT$}", task.number, cut(&task.title, title));
    match task.mark {
        Mark::Done => format!("{} {text}", good("✓")),
        Mark::Failed => format!("{} {text}", bad("✗")),
        Mark::Fault => format!("{} {text}", warn("!")),
        Mark::Waiting => dim(format_args!("· {text}")),
    }
}

/// The tasks that were asked for, and those that come later.
fn all(report: &Report, guide: &LabGuide) -> Vec<Task> {
    let later = guide.checks.iter().map(|check| check.task).filter(|_| guide.later_not_asked);
    let mut numbers: Vec<u32> = report.checks.iter().map(|check| check.task).chain(later).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers.into_iter().map(|number| task(number, report, guide)).collect()
}

fn task(number: u32, report: &Report, guide: &LabGuide) -> Task {
    let checks: Vec<&Check> = report.checks.iter().filter(|check| check.task == number).collect();
    let has = |verdicts: &[Verdict]| checks.iter().any(|check| verdicts.contains(&check.verdict));
    // What cannot be asked here is not missing.
    let asked = checks.iter().filter(|check| check.verdict == Verdict::Passed || !check.is_fine()).count();
    let elsewhere = asked == 0 && !checks.is_empty();
    let mark = if has(&[Verdict::Failed, Verdict::TimedOut]) {
        Mark::Failed
    } else if has(&[Verdict::Error]) {
        Mark::Fault
    } else if asked > 0 && checks.iter().all(|check| check.is_fine()) {
        Mark::Done
    } else {
        Mark::Waiting
    };
    let title = guide.title(number).map_or_else(|| format!("task {number}"), |title| inert(title).into_owned());
    let passed = checks.iter().filter(|check| check.verdict == Verdict::Passed).count();
    Task { number, title, passed, asked, elsewhere, mark }
}
