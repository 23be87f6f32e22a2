//! Notices what befell the whole machine while a check ran: that everybody stood still (a stopped process group, a
//! suspended virtual machine), and that its processors were busy.
//!
//! A thread ticks. A tick that comes far too late, by the monotonic clock or by the time of day, is a pause: time limits
//! that ended in it say nothing of the server.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// How often the thread ticks.
const TICK: Duration = Duration::from_millis(100);
/// A tick that is later than this was held up by more than a busy machine.
const LATE: Duration = Duration::from_millis(1500);
/// From this share of used processor time on, a machine is called busy, in percent.
const BUSY: u64 = 85;

/// The last tick, by both clocks, and how many pauses there were before it.
static LAST: Mutex<Option<(Instant, SystemTime, u64)>> = Mutex::new(None);

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
    processors: Option<Processors>,
}

/// What befell the machine in a span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Surroundings {
    /// Whether everybody stood still for a while.
    pub paused: bool,
    /// How much of the machine's processor time was used, in percent, if it is known.
    pub used: Option<u64>,
}

impl Watch {
    /// Watches from now on.
    pub fn begin() -> Self {
        Self { pauses: tick(), processors: Processors::read() }
    }

    /// What befell the machine since.
    pub fn end(&self) -> Surroundings {
        // Whoever was woken by an overdue timer may come before the thread's own tick.
        let paused = tick() > self.pauses;
        let used = self.processors.zip(Processors::read()).and_then(|(before, after)| before.used_until(after));
        Surroundings { paused, used }
    }
}

impl Surroundings {
    /// Whether the machine had too little to give.
    pub fn is_busy(self) -> bool {
        self.used.is_some_and(|used| used >= BUSY)
    }
}

/// The processors' time so far: the first line of `/proc/stat` (proc(5)).
#[derive(Debug, Clone, Copy)]
struct Processors {
    idle: u64,
    all: u64,
}

impl Processors {
    fn read() -> Option<Self> {
        Self::parse(&std::fs::read_to_string("/proc/stat").ok()?)
    }

    fn parse(stat: &str) -> Option<Self> {
        let line = stat.lines().next()?.strip_prefix("cpu ")?;
        // Guests' time, behind the first eight, is part of the users' already.
        let times: Vec<u64> = line.split_whitespace().take(8).map_while(|time| time.parse().ok()).collect();
        Some(Self { idle: times.get(3)? + times.get(4)?, all: times.iter().sum() })
    }

    fn used_until(self, after: Self) -> Option<u64> {
        let all = after.all.checked_sub(self.all).filter(|all| *all > 0)?;
        Some(100 - (after.idle.saturating_sub(self.idle) * 100 / all).min(100))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_of_used_processor_time_is_read_from_the_systems_count() {
        let before = Processors::parse("cpu  100 0 100 700 100 0 0 0 0 0\ncpu0 1 2\n").unwrap();
        let after = Processors::parse("cpu  190 0 100 705 105 0 0 0 0 0\n").unwrap();
        assert_eq!(before.used_until(after), Some(90));
        assert!(Surroundings { paused: false, used: Some(90) }.is_busy());
        assert!(!Surroundings { paused: false, used: None }.is_busy());
    }
}
