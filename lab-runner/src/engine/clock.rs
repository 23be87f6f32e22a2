//! When things happened, since the run began.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lab_protocol::{RunClock, Stamp};

use crate::report::Timings;

/// A stopwatch with named laps.
#[derive(Debug)]
pub(super) struct Clock {
    run: RunClock,
    began: Stamp,
    times: Mutex<Timings>,
}

impl Clock {
    pub(super) fn start() -> Self {
        let run = RunClock::start();
        Self { run, began: run.now(), times: Mutex::default() }
    }

    pub(super) fn elapsed(&self) -> Duration {
        Duration::from_micros(self.run.micros())
    }

    /// The clock that every event of the run is stamped by.
    pub(super) fn run(&self) -> &RunClock {
        &self.run
    }

    /// When the run began.
    pub(super) fn began(&self) -> Stamp {
        self.began
    }

    /// Notes the time now as the lap that `lap` picks, unless it was noted before.
    pub(super) fn mark(&self, lap: impl FnOnce(&mut Timings) -> &mut Option<u64>) {
        let now = u64::try_from(self.elapsed().as_millis()).unwrap_or(u64::MAX);
        lap(&mut self.times.lock().unwrap_or_else(PoisonError::into_inner)).get_or_insert(now);
    }

    /// Notes a length of time that was measured elsewhere.
    pub(super) fn note(&self, lap: impl FnOnce(&mut Timings) -> &mut Option<u64>, took: Duration) {
        let took = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        *lap(&mut self.times.lock().unwrap_or_else(PoisonError::into_inner)) = Some(took);
    }

    pub(super) fn times(&self) -> Timings {
        self.times.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
