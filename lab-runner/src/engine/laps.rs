//! Where a run's time went.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lab_protocol::{RunClock, millis};

use crate::report::Timings;

/// A stopwatch with named laps, on the run's clock.
#[derive(Debug)]
pub(super) struct Laps {
    clock: RunClock,
    times: Mutex<Timings>,
}

impl Laps {
    /// No lap yet.
    pub(super) fn new(clock: RunClock) -> Self {
        Self { clock, times: Mutex::default() }
    }

    /// Notes the time now as the lap that `lap` picks, unless it was noted before.
    pub(super) fn mark(&self, lap: impl FnOnce(&mut Timings) -> &mut Option<u64>) {
        let now = self.clock.micros() / 1000;
        lap(&mut self.times.lock().unwrap_or_else(PoisonError::into_inner)).get_or_insert(now);
    }

    /// Notes a length of time that was measured elsewhere.
    pub(super) fn note(&self, lap: impl FnOnce(&mut Timings) -> &mut Option<u64>, took: Duration) {
        let took = millis(took);
        *lap(&mut self.times.lock().unwrap_or_else(PoisonError::into_inner)) = Some(took);
    }

    pub(super) fn times(&self) -> Timings {
        self.times.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
