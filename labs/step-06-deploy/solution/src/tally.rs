//! What this instance has sold since it started, for the display in the office.

use std::sync::{Mutex, PoisonError};

use serde::Serialize;

/// The sums.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Sums {
    /// Orders taken.
    pub orders: u64,
    /// Seats sold with them.
    pub seats: u64,
}

/// The sums, shared by all requests.
#[derive(Debug, Default)]
pub struct Tally(Mutex<Sums>);

impl Tally {
    /// Adds an order.
    pub fn add(&self, seats: i32) {
        self.with(|sums| {
            sums.orders += 1;
            sums.seats += u64::from(seats.unsigned_abs());
        });
    }

    /// The sums so far.
    pub fn sums(&self) -> Sums {
        self.with(|sums| *sums)
    }

    /// Does something with the sums. A thread that panicked here has poisoned the lock. Two counters cannot be left
    /// half-written, so that what they hold is as good as before, and nobody else has to suffer.
    pub fn with<T>(&self, work: impl FnOnce(&mut Sums) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
