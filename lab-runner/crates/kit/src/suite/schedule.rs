//! Runs checks side by side: needs first, the slowest early, and those that measure time by themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::task::JoinSet;

use super::attempt::attempt;
use super::channel::Events;
use crate::check::Check;
use crate::lab::Shared;
use lab_protocol::{CheckReport, Event, SkipReason, Verdict};

/// Runs every check of `plan` and sends its events.
pub(super) async fn run(shared: &Arc<Shared>, plan: Vec<&'static Check>, events: &Events) {
    let mut schedule = Schedule {
        shared,
        waiting: plan,
        verdicts: BTreeMap::new(),
        unseen: BTreeSet::new(),
        running: JoinSet::new(),
        alone: false,
    };
    loop {
        schedule.skip_hopeless(events);
        schedule.start_ready(events);
        let Some(report) = schedule.next_report().await else { return };
        schedule.record(&report);
        events.send(Event::CheckFinished(Box::new(report)));
    }
}

struct Schedule<'a> {
    shared: &'a Arc<Shared>,
    waiting: Vec<&'static Check>,
    verdicts: BTreeMap<String, Verdict>,
    /// The checks that could not be seen here, through no fault of the learner's.
    unseen: BTreeSet<String>,
    running: JoinSet<CheckReport>,
    alone: bool,
}

impl Schedule<'_> {
    /// Reports the checks that need one that did not pass. One round may doom checks of the next.
    fn skip_hopeless(&mut self, events: &Events) {
        while let Some((index, need)) = self.hopeless() {
            let check = self.waiting.remove(index);
            let report = CheckReport {
                id: check.id.into(),
                verdict: Verdict::Skipped,
                skip_reason: Some(self.skip_reason(need)),
                started_us: None,
                duration_ms: 0,
                explanation: None,
                transcript: Vec::new(),
            };
            self.record(&report);
            events.send(Event::CheckFinished(Box::new(report)));
        }
    }

    fn record(&mut self, report: &CheckReport) {
        if report.verdict == Verdict::Error || matches!(report.skip_reason, Some(SkipReason::NotApplicable { .. })) {
            self.unseen.insert(report.id.clone());
        }
        self.verdicts.insert(report.id.clone(), report.verdict);
    }

    /// What an error of ours, or the way in which the server is run, keeps from being seen is no loss of the
    /// learner's; nor is what needs that in its turn.
    fn skip_reason(&self, need: &'static str) -> SkipReason {
        if !self.unseen.contains(need) {
            return SkipReason::NeedsFailed { check: need.into() };
        }
        let why = match self.verdicts.get(need) {
            Some(Verdict::Error) => "hit an internal error of the grader",
            _ => "was not graded",
        };
        SkipReason::NotApplicable { message: format!("`{need}`, which it needs, {why}") }
    }

    fn hopeless(&self) -> Option<(usize, &'static str)> {
        self.waiting.iter().enumerate().find_map(|(index, check)| {
            let lost = |need: &&&'static str| self.verdicts.get(**need).is_some_and(|v| *v != Verdict::Passed);
            check.needs.iter().find(lost).map(|need| (index, *need))
        })
    }

    fn start_ready(&mut self, events: &Events) {
        while !self.alone && self.running.len() < self.shared.config.jobs.max(1) {
            let Some(index) = self.choose() else { return };
            let check = self.waiting.remove(index);
            self.alone = check.alone;
            events.send(Event::CheckStarted { id: check.id.into() });
            self.running.spawn(attempt(Arc::clone(self.shared), check));
        }
    }

    /// The ready check that took longest the last time. One that runs alone waits until nothing else can run.
    fn choose(&self) -> Option<usize> {
        let ready = |check: &Check| check.needs.iter().all(|need| self.verdicts.get(*need) == Some(&Verdict::Passed));
        let expected = |check: &Check| self.shared.config.expected_ms.get(check.id).copied().unwrap_or(0);
        let side_by_side = self.waiting.iter().enumerate().filter(|(_, check)| !check.alone && ready(check));
        // On a tie the first declared wins: `max_by_key` keeps the last, so the walk is reversed.
        if let Some((index, _)) = side_by_side.rev().max_by_key(|(_, check)| expected(check)) {
            return Some(index);
        }
        if !self.running.is_empty() {
            return None;
        }
        self.waiting.iter().position(|check| ready(check))
    }

    async fn next_report(&mut self) -> Option<CheckReport> {
        let joined = self.running.join_next().await?;
        self.alone = false;
        // `attempt` catches what a check throws. Should it crash itself, the report lacks the check, and the
        // runner calls that an error of ours.
        match joined {
            Ok(report) => Some(report),
            Err(_) => Box::pin(self.next_report()).await,
        }
    }
}
