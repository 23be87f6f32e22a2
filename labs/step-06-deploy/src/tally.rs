//! What this instance has sold since it started, for the display in the office.

use std::sync::Mutex;

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

    /// Does something with the sums.
    pub fn with<T>(&self, work: impl FnOnce(&mut Sums) -> T) -> T {
        // TODO(step-06.7): what happens to this lock, and to every request that needs it, when `work` panics?
        work(&mut self.0.lock().expect("the tally's lock"))
    }
}
