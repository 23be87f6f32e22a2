//! Runs checks side by side: needs first, the slowest early, and those that measure time by themselves. What somebody
//! waits for goes before everything else. What failed by time is asked once more, alone, before it costs a point.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use tokio::task::JoinSet;

use super::attempt::{Attempt, attempt, attempt_alone};
use super::channel::Events;
use crate::check::{self, Check};
use crate::lab::Shared;
use lab_protocol::{CheckReport, Event, Explanation, SkipReason, Verdict};

/// When so many checks in a row failed alone as they had failed beside others, it is the server that is slow: the rest is
/// believed the first time.
const CONFIRMED: u32 = 3;
/// How often a check is asked during which everybody stood still.
const MOST_TRIES: u32 = 3;

/// Runs every check of `plan`, up to `jobs` at once, and sends its events.
pub(super) async fn run(shared: &Arc<Shared>, plan: Vec<&'static Check>, jobs: usize, events: &Events) {
    let mut schedule = Schedule {
        shared,
        ranks: ranks(&shared.config.first, &plan),
        jobs: jobs.max(1),
        waiting: plan,
        verdicts: BTreeMap::new(),
        unseen: BTreeSet::new(),
        running: JoinSet::new(),
        alone: false,
        doubtful: VecDeque::new(),
        asking: None,
        confirmed: 0,
    };
    loop {
        schedule.skip_hopeless(events);
        schedule.start_ready(events);
        if schedule.running.is_empty()
            && let Some(report) = schedule.ask_again(events)
        {
            schedule.report(report, events);
            continue;
        }
        let Some(attempt) = schedule.next_attempt().await else { return };
        if let Some(report) = schedule.settle(attempt, events) {
            schedule.report(report, events);
        }
    }
}

/// The place of each check of `plan` in the order of `groups`, if it is in one. What a group needs has the group's place.
fn ranks(groups: &[Vec<String>], plan: &[&'static Check]) -> BTreeMap<&'static str, usize> {
    let mut ranks = BTreeMap::new();
    for (rank, group) in groups.iter().enumerate() {
        let known = |name: &&String| check::all().iter().any(|check| check.id == name.as_str());
        let known: Vec<String> = group.iter().filter(known).cloned().collect();
        // No name at all would mean every check.
        let planned = if known.is_empty() { Vec::new() } else { check::planned(&known).unwrap_or_default() };
        for check in planned.iter().filter(|check| plan.iter().any(|asked| asked.id == check.id)) {
            ranks.entry(check.id).or_insert(rank);
        }
    }
    ranks
}

struct Schedule<'a> {
    shared: &'a Arc<Shared>,
    /// The places of the checks that go first.
    ranks: BTreeMap<&'static str, usize>,
    jobs: usize,
    waiting: Vec<&'static Check>,
    verdicts: BTreeMap<String, Verdict>,
    /// The checks that could not be seen here, through no fault of the learner's.
    unseen: BTreeSet<String>,
    running: JoinSet<Attempt>,
    alone: bool,
    /// What failed by time and is to be asked again.
    doubtful: VecDeque<Doubt>,
    /// What is being asked again now.
    asking: Option<Doubt>,
    /// How many in a row failed again.
    confirmed: u32,
}

/// A check that is to be asked again.
struct Doubt {
    attempt: Attempt,
    why: String,
    tries: u32,
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
                asked_again: None,
            };
            self.report(report, events);
        }
    }

    fn report(&mut self, report: CheckReport, events: &Events) {
        self.record(&report);
        events.send(Event::CheckFinished(Box::new(report)));
    }

    /// Starts the next doubtful check once more, with nothing beside it; or gives its report, if it is believed.
    fn ask_again(&mut self, events: &Events) -> Option<CheckReport> {
        let doubt = self.doubtful.pop_front()?;
        if self.confirmed >= CONFIRMED && !doubt.attempt.stood_still() {
            return Some(doubt.attempt.report);
        }
        let check = doubt.attempt.check;
        self.alone = true;
        events.send(Event::CheckStarted { id: check.id.into() });
        self.running.spawn(attempt_alone(Arc::clone(self.shared), check, doubt.attempt.shortage.is_some()));
        self.asking = Some(doubt);
        None
    }

    /// The report of `attempt`, unless it is to be asked again.
    fn settle(&mut self, mut attempt: Attempt, events: &Events) -> Option<CheckReport> {
        let before = self.asking.take();
        let tries = before.as_ref().map_or(1, |doubt| doubt.tries + 1);
        let paused = attempt.stood_still();
        if attempt.is_doubtful() && (before.is_none() || paused) {
            if tries < MOST_TRIES {
                let why = before.map_or_else(|| attempt.doubt(), |doubt| doubt.why);
                events.send(Event::CheckPostponed { id: attempt.check.id.into() });
                self.doubtful.push_back(Doubt { attempt, why, tries });
                return None;
            }
            let message = format!("the machine stood still during each of {tries} tries of this check");
            attempt.report.verdict = Verdict::Error;
            attempt.report.explanation = Some(Explanation { message, ..Explanation::default() });
        } else if before.is_some() {
            self.confirmed = if attempt.is_doubtful() { self.confirmed + 1 } else { 0 };
        }
        attempt.report.asked_again = before.map(|doubt| doubt.why);
        Some(attempt.report)
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
        while !self.alone && self.running.len() < self.jobs {
            let Some(index) = self.choose() else { return };
            let check = self.waiting.remove(index);
            self.alone = check.alone;
            events.send(Event::CheckStarted { id: check.id.into() });
            self.running.spawn(attempt(Arc::clone(self.shared), check));
        }
    }

    /// The ready check that took longest the last time. One that runs alone waits until nothing else can run.
    fn choose(&self) -> Option<usize> {
        let turn = self.turn();
        let ready = |check: &Check| self.rank(check.id) <= turn && self.has_what_it_needs(check);
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

    fn has_what_it_needs(&self, check: &Check) -> bool {
        check.needs.iter().all(|need| self.verdicts.get(*need) == Some(&Verdict::Passed))
    }

    fn rank(&self, id: &str) -> usize {
        self.ranks.get(id).copied().unwrap_or(usize::MAX)
    }

    /// The place of the group whose turn it is: the first of which something has no verdict yet. A check that crashed
    /// never gets one, and keeps nobody waiting.
    fn turn(&self) -> usize {
        if self.running.is_empty() && self.doubtful.is_empty() {
            let able = self.waiting.iter().filter(|check| self.has_what_it_needs(check));
            return able.map(|check| self.rank(check.id)).min().unwrap_or(usize::MAX);
        }
        let open = |(id, rank): (&&'static str, &usize)| (!self.verdicts.contains_key(*id)).then_some(*rank);
        self.ranks.iter().filter_map(open).min().unwrap_or(usize::MAX)
    }

    async fn next_attempt(&mut self) -> Option<Attempt> {
        loop {
            let joined = self.running.join_next().await?;
            self.alone = false;
            // `attempt` catches what a check throws. Should it crash itself, the report lacks the check, and the runner
            // calls that an error of ours.
            match joined {
                Ok(attempt) => return Some(attempt),
                Err(_) => self.asking = None,
            }
        }
    }
}
