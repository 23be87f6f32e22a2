//! The clock of a run: one beginning, which runner and suite share, and against which every event is stamped.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// No process takes longer to read its configuration: a greater difference is a clock that was set.
const LONGEST_DELAY: Duration = Duration::from_secs(30);

/// `duration` in whole milliseconds, as it stands in results and configurations.
#[must_use]
pub fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// `duration` in whole microseconds, as it stands in results.
#[must_use]
pub fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// A moment of a run.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Stamp {
    /// The time of day, RFC 3339 in UTC. It may jump, as clocks that people set do.
    pub wall: DateTime<Utc>,
    /// Microseconds since the run began, by a clock that never goes back. Events are ordered by it.
    pub us: u64,
}

/// Stamps events. Copies count from the same beginning.
#[derive(Debug, Clone, Copy)]
pub struct RunClock {
    anchor: Instant,
    anchor_us: u64,
    began: DateTime<Utc>,
}

impl RunClock {
    /// A clock whose run begins now.
    #[must_use]
    pub fn start() -> Self {
        Self { anchor: Instant::now(), anchor_us: 0, began: Utc::now() }
    }

    /// Goes on from `stamp`, which another process of this machine took. A program needs milliseconds to start and to
    /// read it: that delay is taken from the time of day, unless somebody set the clock meanwhile.
    #[must_use]
    pub fn continued_from(stamp: Stamp) -> Self {
        let anchor = Instant::now();
        let delay = (Utc::now() - stamp.wall).to_std().ok().filter(|delay| *delay < LONGEST_DELAY);
        let delay_us = micros(delay.unwrap_or_default());
        let began = stamp.wall - TimeDelta::microseconds(i64::try_from(stamp.us).unwrap_or_default());
        Self { anchor, anchor_us: stamp.us.saturating_add(delay_us), began }
    }

    /// When the run began.
    #[must_use]
    pub fn began(&self) -> Stamp {
        self.at(0)
    }

    /// The moment that came `us` microseconds after the run began.
    #[must_use]
    pub fn at(&self, us: u64) -> Stamp {
        Stamp { wall: self.began + TimeDelta::microseconds(i64::try_from(us).unwrap_or_default()), us }
    }

    /// This moment.
    #[must_use]
    pub fn now(&self) -> Stamp {
        Stamp { wall: Utc::now(), us: self.micros() }
    }

    /// Microseconds since the run began.
    #[must_use]
    pub fn micros(&self) -> u64 {
        self.anchor_us.saturating_add(micros(self.anchor.elapsed()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The two clocks are read one after the other when a stamp is made.
    const SLACK_US: u64 = 100_000;

    #[test]
    fn a_continued_clock_counts_from_the_same_beginning() {
        let mut runner = RunClock::start();
        runner.anchor_us = 5_000_000;
        let stamp = runner.now();
        std::thread::sleep(Duration::from_millis(20));
        let suite = RunClock::continued_from(stamp);
        // The runner's clock is read before and after, so that a pause between two readings proves nothing wrong.
        let (before, theirs, after) = (runner.micros(), suite.micros(), runner.micros());
        assert!(theirs >= 5_020_000, "{theirs}");
        assert!(before <= theirs + SLACK_US && theirs <= after + SLACK_US, "{before} {theirs} {after}");
    }

    #[test]
    fn a_clock_that_was_set_meanwhile_is_not_believed() {
        let wall = Utc::now();
        for wall in [wall + chrono::Duration::hours(1), wall - chrono::Duration::hours(1)] {
            let us = RunClock::continued_from(Stamp { wall, us: 7 }).micros();
            assert!((7..1_000_000).contains(&us), "{us}");
        }
    }

    #[test]
    fn a_stamp_is_written_as_rfc_3339() {
        let stamp = Stamp { wall: DateTime::from_timestamp(0, 0).unwrap(), us: 7 };
        assert_eq!(serde_json::to_string(&stamp).unwrap(), r#"{"wall":"1970-01-01T00:00:00Z","us":7}"#);
    }
}
