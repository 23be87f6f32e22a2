//! Results for people: by default one screen, made when the run is over; with everything, a line for each check as it
//! ends, then every failure explained, then the score.

mod explain;
mod happened;
mod hints;
mod screen;
mod stopped;
mod summary;
mod table;
mod tasks;

use std::collections::BTreeMap;

use lab_protocol::Verdict;

use super::inert;
use super::{
    audit, bench, grades, kits, labs, learner, machine, mutants, overview, refresh, serving, similarity, tried,
};
use crate::events::{EventKind, RunEvent};
use crate::guide::LabGuide;
use crate::report::Report;

pub(super) use explain::explain;
pub(super) use happened::{happened, sign_of_note};
pub(super) use hints::hints;
pub(super) use screen::{Size, View};
use table::Table;

/// Where no terminal says otherwise.
pub(super) const WIDTH: usize = 100;

/// Tells a run to people.
#[derive(Debug)]
pub struct Human {
    all_hints: bool,
    everything: bool,
    size: Option<Size>,
    guide: LabGuide,
    table: Table,
    waiting: BTreeMap<String, String>,
}

impl Human {
    /// One screen, with all hints of a check or as many as its failures have earned.
    pub fn new(all_hints: bool) -> Self {
        Self {
            all_hints,
            everything: false,
            size: None,
            guide: LabGuide::default(),
            table: Table::default(),
            waiting: BTreeMap::new(),
        }
    }

    /// The same with every result and every failure, in place of what fits one screen.
    #[must_use]
    pub fn everything(self) -> Self {
        Self { everything: true, ..self }
    }

    /// The same for a screen of `columns` and `rows`, whatever the terminal says.
    #[must_use]
    pub fn sized(self, columns: usize, rows: usize) -> Self {
        Self { size: Some(Size { columns, rows }), ..self }
    }

    /// What to print now.
    pub fn render(&mut self, event: &RunEvent) -> String {
        match &event.kind {
            EventKind::LabGuided { guide } => {
                self.guide = guide.as_ref().clone();
                String::new()
            }
            EventKind::ChecksPlanned { checks } => {
                self.table = Table::new(checks);
                String::new()
            }
            EventKind::CheckFinished { result } if self.everything => {
                self.waiting.insert(result.id.clone(), self.table.row(&inert::check(result)));
                self.table.ready_rows(&mut self.waiting)
            }
            EventKind::RunFinished { report } if self.everything => self.finish(&inert::report(report)),
            EventKind::RunFinished { report } => self.screen(report),
            EventKind::Hints { lab, id, title, hints, total } => hints::hints(lab, id, title, hints, *total),
            EventKind::Serving { urls, taken } => serving::urls(urls, *taken),
            EventKind::SiteServed { url } => serving::site(url),
            EventKind::ServerLog { line } => serving::log_line(line),
            EventKind::Overview { title, roadmap, languages, labs, here } => {
                overview::overview(title, roadmap, languages, labs, here.as_deref())
            }
            EventKind::DocumentMade { text } | EventKind::ResultConverted { text } => text.clone(),
            EventKind::CheckHeld { lab, result, held } => result
                .as_ref()
                .as_ref()
                .map(|check| tried::tried(lab, check, held.as_ref().as_ref()))
                .unwrap_or_default(),
            EventKind::NextShown { step } => learner::next(step),
            EventKind::LogsShown { log } => learner::logs(log),
            EventKind::SolutionCompared { lab, files } => learner::solution(lab, files),
            EventKind::ResetPlanned { folder, origin, changes } => learner::reset_plan(folder, origin, changes),
            EventKind::ResetFinished { lab, done, kept } => learner::reset_done(lab, *done, kept.as_deref()),
            EventKind::AuditFinished { report } => audit::audit_table(report),
            EventKind::GradesFinished { report } => grades::table(report),
            EventKind::MutantOpened { lab, name, folder, editable, editor } => {
                mutants::opened(lab, name, folder, editable, editor.as_deref())
            }
            EventKind::MutantProven { proof } => mutants::proven(proof),
            EventKind::MutantShown { path, patch } => mutants::shown(path, patch),
            EventKind::LabCreated { lab } => labs::created(lab),
            EventKind::CourseCreated { course } => labs::course(course),
            EventKind::KitExported { kit } => kits::exported(kit),
            EventKind::KitUpdated { kit } => kits::updated(kit),
            EventKind::SubmissionsLaidOut { layout } => similarity::laid_out(layout),
            EventKind::LabsFormatted { files, written } => labs::formatted(files, *written),
            EventKind::OwnTestsFinished { lab, tests } => labs::tested(lab, tests),
            EventKind::MutantsRefreshed { mutants, written } => refresh::refresh_table(mutants, *written),
            EventKind::BenchFinished { bench } => bench::bench_table(bench),
            EventKind::BatchMeasured { batch } => bench::batch_table(batch),
            EventKind::DoctorFinished { report } => machine::doctor(report),
            EventKind::DownFinished { report } => machine::down(report),
            _ => String::new(),
        }
    }

    /// The result on one screen. Without a check there is no picture of the lab, only the reason.
    fn screen(&self, report: &Report) -> String {
        let size = self.size.unwrap_or_else(screen::size);
        one_screen(report, &self.guide, View { size, all_hints: self.all_hints, focus: None, watched: false })
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

/// The result on one screen.
pub(super) fn one_screen(report: &Report, guide: &LabGuide, view: View<'_>) -> String {
    let shown = inert::report(report);
    if report.checks.is_empty() || report.diagnostics.is_some() {
        if view.watched {
            return summary::obstacle(&shown);
        }
        return match &shown.diagnostics {
            Some(why) if report.checks.is_empty() => stopped::screen(&shown, why, view.size),
            _ => below(&shown, view.all_hints, view.size.columns),
        };
    }
    // What is inert has no transcript: it is made inert line by line.
    screen::screen(&shown, report, guide, view)
}

/// The whole result at once, as for a file, in `width` columns.
pub(super) fn whole(report: &Report, width: usize) -> String {
    let report = &inert::report(report);
    let mut table = Table::of(report);
    let mut rows = report.checks.iter().map(|check| (check.id.clone(), table.row(check))).collect();
    let mut text = table.ready_rows(&mut rows);
    text.push_str(&below(report, true, width));
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
    for check in report.failures().filter(|check| check.verdict != Verdict::Error) {
        text.push('\n');
        text.push_str(&explain(check, all_hints, width));
    }
    text.push_str(&summary::summary(report, width));
    text
}

/// As wide as the terminal, within what is good to read.
pub(super) fn width() -> usize {
    let terminal = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    terminal.unwrap_or(WIDTH).clamp(40, 120)
}
