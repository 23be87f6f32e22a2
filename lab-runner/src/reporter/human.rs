//! Results for people: a line for each check as it ends, then the first failures explained, then the score.

mod explain;
mod summary;
mod table;

use std::collections::BTreeMap;

use lab_protocol::Verdict;

use super::inert::{self, inert};
use super::{audit, bench, overview, refresh, serving};
use crate::events::{EventKind, RunEvent};
use crate::report::Report;

pub(super) use explain::explain;
use table::Table;

/// More failures than this are too much to read at once; the others are named.
const EXPLAINED: usize = 3;
/// Where no terminal says otherwise.
const WIDTH: usize = 100;

/// Tells a run to people.
#[derive(Debug)]
pub struct Human {
    all_hints: bool,
    table: Table,
    waiting: BTreeMap<String, String>,
}

impl Human {
    /// With all hints of a check, or only the first.
    pub fn new(all_hints: bool) -> Self {
        Self { all_hints, table: Table::default(), waiting: BTreeMap::new() }
    }

    /// What to print now.
    pub fn render(&mut self, event: &RunEvent) -> String {
        match &event.kind {
            EventKind::ChecksPlanned { checks } => {
                self.table = Table::new(checks);
                String::new()
            }
            EventKind::CheckFinished { result } => {
                self.waiting.insert(result.id.clone(), self.table.row(&inert::check(result)));
                self.table.ready_rows(&mut self.waiting)
            }
            EventKind::RunFinished { report } => self.finish(&inert::report(report)),
            EventKind::Serving { urls, taken } => serving::urls(urls, *taken),
            EventKind::ServerLog { line } => serving::log_line(line),
            EventKind::Overview { labs } => overview::overview(labs),
            EventKind::AuditFinished { report } => audit::audit_table(report),
            EventKind::MutantsRefreshed { mutants, written } => refresh::refresh_table(mutants, *written),
            EventKind::BenchFinished { bench } => bench::bench_table(bench),
            EventKind::DoctorFinished { report } => inert(&report.to_string()).into_owned(),
            EventKind::DownFinished { report } => inert(&report.to_string()).into_owned(),
            _ => String::new(),
        }
    }

    /// The rows nobody reported, and everything below the table.
    fn finish(&mut self, report: &Report) -> String {
        let mut text = String::new();
        for check in &report.checks {
            self.waiting.entry(check.id.clone()).or_insert_with(|| self.table.row(check));
            text.push_str(&self.table.ready_rows(&mut self.waiting));
        }
        text.push_str(&below(report, self.all_hints, width()));
        text
    }
}

/// The whole result at once, as for a file.
pub(super) fn whole(report: &Report) -> String {
    let report = &inert::report(report);
    let mut table = Table::of(report);
    let mut rows = report.checks.iter().map(|check| (check.id.clone(), table.row(check))).collect();
    let mut text = table.ready_rows(&mut rows);
    text.push_str(&below(report, true, WIDTH));
    text
}

/// Only the score, for scripts and the impatient.
pub(super) fn quiet(event: &RunEvent) -> String {
    match &event.kind {
        EventKind::RunFinished { report } => summary::quiet(&inert::report(report)),
        _ => String::new(),
    }
}

fn below(report: &Report, all_hints: bool, width: usize) -> String {
    let mut text = summary::obstacle(report);
    // What failed for our own reasons needs no explaining, check by check.
    let mut failures = report.failures().filter(|check| check.verdict != Verdict::Error);
    for check in failures.by_ref().take(EXPLAINED) {
        text.push('\n');
        text.push_str(&explain(check, all_hints, width));
    }
    let rest: Vec<&str> = failures.map(|check| check.id.as_str()).collect();
    text.push_str(&summary::others(report, &rest, width));
    text.push_str(&summary::summary(report, width));
    text
}

/// As wide as the terminal, within what is good to read.
fn width() -> usize {
    let terminal = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    terminal.unwrap_or(WIDTH).clamp(40, 120)
}
