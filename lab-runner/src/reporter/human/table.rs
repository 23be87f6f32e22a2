//! The table of checks: a row each, in the order they are declared, under their task.

use std::collections::BTreeMap;

use lab_protocol::{CheckInfo, SkipReason, Verdict};

use super::super::style::{bad, dim, good, strong, warn};
use crate::report::{Check, Report};

/// The table of checks, as far as it is printed.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// Ids and tasks of the rows that are still to come.
    coming: std::collections::VecDeque<(String, u32)>,
    id_width: usize,
    points_width: usize,
    task: Option<u32>,
}

impl Table {
    pub(super) fn new(checks: &[CheckInfo]) -> Self {
        Self::with(checks.iter().map(|check| (check.id.clone(), check.task, check.points)))
    }

    pub(super) fn of(report: &Report) -> Self {
        Self::with(report.checks.iter().map(|check| (check.id.clone(), check.task, check.max_points)))
    }

    fn with(checks: impl Iterator<Item = (String, u32, u32)>) -> Self {
        let mut table = Self::default();
        for (id, task, points) in checks {
            table.id_width = table.id_width.max(id.len());
            table.points_width = table.points_width.max(points.to_string().len());
            table.coming.push_back((id, task));
        }
        table
    }

    /// The row of `check`.
    pub(super) fn row(&self, check: &Check) -> String {
        let got = match (check.verdict, &check.skip_reason) {
            (Verdict::Error, _) | (Verdict::Skipped, Some(SkipReason::NotApplicable { .. })) => "-".to_owned(),
            _ => check.points.to_string(),
        };
        let points = format!("{got:>width$}/{:<width$}", check.max_points, width = self.points_width);
        let reason = match &check.skip_reason {
            Some(SkipReason::NeedsFailed { check }) => dim(format_args!("  (needs `{check}`)")),
            Some(SkipReason::NotApplicable { message }) => dim(format_args!("  ({message})")),
            None => String::new(),
        };
        let id = format!("{:<width$}", check.id, width = self.id_width);
        format!("  {}  {points}  {id}  {}{reason}\n", word(check.verdict), check.title)
    }

    /// The rows that can be printed: those at the front for which `rows` has a text.
    pub(super) fn ready_rows(&mut self, rows: &mut BTreeMap<String, String>) -> String {
        let mut text = String::new();
        while let Some((id, task)) = self.coming.front() {
            let Some(row) = rows.remove(id) else { break };
            if self.task != Some(*task) {
                self.task = Some(*task);
                text.push_str(&format!("{}\n", strong(format_args!("Task {task}"))));
            }
            text.push_str(&row);
            self.coming.pop_front();
        }
        text
    }
}

/// The verdict in four letters, readable without colour.
pub(super) fn word(verdict: Verdict) -> String {
    match verdict {
        Verdict::Passed => good("pass"),
        Verdict::Failed => bad("FAIL"),
        Verdict::TimedOut => bad("time"),
        Verdict::Skipped => dim("skip"),
        Verdict::Error => warn("ERR "),
    }
}
