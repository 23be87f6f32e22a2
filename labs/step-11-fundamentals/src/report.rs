//! Orders summed up by event.

use crate::order::Order;

/// What is known of each event.
#[derive(Debug, Default)]
pub struct Report {
    // TODO(step-11.5): totals for each event, by its name.
}

impl Report {
    /// Adds an order.
    pub fn add(&mut self, _order: &Order) {
        // TODO(step-11.5): one more order of its event.
    }

    /// One line for each event, sorted by its name.
    pub fn lines(&self) -> String {
        // TODO(step-11.5): write them. A revenue that is too large is an error.
        String::new()
    }
}
