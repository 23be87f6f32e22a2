//! Rows: events of a lane that overlap stand below one another.

use super::{Event, Lane, LaneKind};

/// No lane gets more rows: what is beyond shares the last.
const MOST_ROWS: usize = 48;

/// Gives each event a row in its lane, and each lane as many rows as it needs. Events are in the order of their
/// beginnings.
pub(super) fn arrange(lanes: &mut [Lane], events: &mut [Event]) {
    let mut ends: Vec<Vec<u64>> = vec![Vec::new(); lanes.len()];
    for event in events.iter_mut() {
        let lane = &lanes[event.lane];
        // Marks stand on the line of their lane.
        if !event.kind.is_turn() && !matches!(lane.kind, LaneKind::Service(_)) {
            continue;
        }
        let ends = &mut ends[event.lane];
        let free = ends.iter().position(|end| *end <= event.from_us);
        let row = free.unwrap_or_else(|| ends.len().min(MOST_ROWS - 1));
        match ends.get_mut(row) {
            Some(end) => *end = (*end).max(event.to_us),
            None => ends.push(event.to_us),
        }
        event.row = row;
    }
    for (lane, ends) in lanes.iter_mut().zip(ends) {
        lane.rows = ends.len().max(1);
    }
}
