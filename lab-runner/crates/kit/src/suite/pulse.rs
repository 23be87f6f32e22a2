//! Notices what befell the whole machine while a check ran: that everybody stood still (a stopped process group, a
//! suspended virtual machine), and that its processors were busy.
//!
//! A thread ticks. A tick that comes far too late, by the monotonic clock or by the time of day, is a pause: time limits
//! that ended in it say nothing of the server.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use lab_process::Signal;
use tokio::signal::unix::SignalKind;

use crate::platform::{Processors, processors};

/// How often the thread ticks.
const TICK: Duration = Duration::from_millis(100);
/// A tick that is later than this was held up by more than a busy machine.
const LATE: Duration = Duration::from_millis(1500);
/// From this share of used processor time on, a machine is called busy, in percent.
const BUSY: u64 = 85;

/// The last tick, by both clocks, and how many pauses there were before it.
static LAST: Mutex<Option<(Instant, SystemTime, u64)>> = Mutex::new(None);

/// How often this process was told to go on (SIGCONT): somebody had stopped it, and nobody else.
static CONTINUED: AtomicU64 = AtomicU64::new(0);
/// How long the news of a signal may take to reach us.
const SIGNAL_NEWS: Duration = Duration::from_millis(50);

/// Counts how often this process is told to go on, as long as the runtime that this is called in lives.
pub(super) fn count_continuing() {
    let kind = SignalKind::from_raw(Signal::CONT.as_raw());
    let Ok(mut told) = tokio::signal::unix::signal(kind) else { return };
    tokio::spawn(async move {
        while told.recv().await.is_some() {
            CONTINUED.fetch_add(1, Ordering::Relaxed);
        }
    });
}

/// Begins to tick, for as long as the program runs.
pub(super) fn start() {
    tick();
    // Without a thread no pause is noticed; nothing else is lost.
    let _ = std::thread::Builder::new().name("pulse".into()).spawn(|| {
        loop {
            std::thread::sleep(TICK);
            tick();
        }
    });
}

/// Counts the time since the last tick, and tells how many pauses there were since the program began.
fn tick() -> u64 {
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    let (now, wall) = (Instant::now(), SystemTime::now());
    let pauses = match *last {
        Some((before, wall_before, pauses)) => {
            // A suspended machine's monotonic clock may stand still; its time of day does not.
            let by_wall = wall.duration_since(wall_before).unwrap_or_default();
            pauses + u64::from(now.duration_since(before).max(by_wall) > LATE)
        }
        None => 0,
    };
    *last = Some((now, wall, pauses));
    pauses
}

/// The beginning of a span of time that is watched.
#[derive(Debug)]
pub(super) struct Watch {
    pauses: u64,
    continued: u64,
    processors: Option<Processors>,
}

/// What befell the machine in a span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Surroundings {
    /// Whether we stood still for a while.
    pub paused: bool,
    /// Whether that was because somebody has stopped us with a signal: then nobody else stood still.
    pub stopped: bool,
    /// How much of the machine's processor time was used, in percent, if it is known.
    pub used: Option<u64>,
}

impl Watch {
    /// Watches from now on.
    pub fn begin() -> Self {
        Self { pauses: tick(), continued: CONTINUED.load(Ordering::Relaxed), processors: processors() }
    }

    /// What befell the machine since.
    pub async fn end(&self) -> Surroundings {
        // Whoever was woken by an overdue timer may come before the thread's own tick.
        let paused = tick() > self.pauses;
        let used = self.processors.zip(processors()).and_then(|(before, after)| used(before, after));
        if paused {
            tokio::time::sleep(SIGNAL_NEWS).await;
        }
        let stopped = CONTINUED.load(Ordering::Relaxed) > self.continued;
        Surroundings { paused, stopped, used }
    }
}

impl Surroundings {
    /// Whether the machine had too little to give.
    pub fn is_busy(self) -> bool {
        self.used.is_some_and(|used| used >= BUSY)
    }
}

/// The share of the processors' time between two counts that was used, in percent.
fn used(before: Processors, after: Processors) -> Option<u64> {
    let all = after.all.checked_sub(before.all).filter(|all| *all > 0)?;
    Some(100 - (after.idle.saturating_sub(before.idle) * 100 / all).min(100))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_of_used_processor_time_is_read_from_the_systems_count() {
        let (before, after) = (Processors { idle: 800, all: 1_000 }, Processors { idle: 810, all: 1_100 });
        assert_eq!(used(before, after), Some(90));
        assert!(Surroundings { paused: false, stopped: false, used: Some(90) }.is_busy());
        assert!(!Surroundings { paused: false, stopped: false, used: None }.is_busy());
    }
}
