//! One direction of a connection: bytes that wait for their time, in order.

use std::collections::VecDeque;

use tokio::time::Instant;

/// What one direction holds before its reader has to wait: enough to hide a switch of tasks, too little to hurt.
const ROOM: usize = 256 * 1024;

/// Bytes on their way in one direction.
#[derive(Debug, Default)]
pub(super) struct Lane {
    parcels: VecDeque<Parcel>,
    held: usize,
    /// The sender has finished; the receiver is told once everything before is delivered.
    finished: bool,
    end_delivered: bool,
}

#[derive(Debug)]
struct Parcel {
    due: Instant,
    bytes: Vec<u8>,
    sent: usize,
}

impl Lane {
    /// Adds bytes that are not to arrive before `due`. A parcel never overtakes the one before it.
    pub fn push(&mut self, bytes: Vec<u8>, due: Instant) {
        if !bytes.is_empty() {
            self.held += bytes.len();
            self.parcels.push_back(Parcel { due, bytes, sent: 0 });
        }
    }

    pub fn has_room(&self) -> bool {
        self.held < ROOM
    }

    pub fn is_empty(&self) -> bool {
        self.parcels.is_empty()
    }

    /// When the first bytes are due, if there are any.
    pub fn due(&self) -> Option<Instant> {
        self.parcels.front().map(|parcel| parcel.due)
    }

    /// The first bytes.
    pub fn front(&self) -> &[u8] {
        self.parcels.front().map_or(&[], |parcel| &parcel.bytes[parcel.sent..])
    }

    /// Takes `count` of the first bytes off.
    pub fn sent(&mut self, count: usize) {
        let Some(parcel) = self.parcels.front_mut() else { return };
        parcel.sent += count;
        self.held -= count;
        if parcel.sent == parcel.bytes.len() {
            self.parcels.pop_front();
        }
    }

    /// Makes everything due: a delay that has ended delays nothing more.
    pub fn hurry(&mut self, now: Instant) {
        for parcel in &mut self.parcels {
            parcel.due = parcel.due.min(now);
        }
    }

    /// Forgets what the receiver will never take.
    pub fn abandon(&mut self) {
        *self = Self { finished: true, end_delivered: true, ..Self::default() };
    }

    pub fn finish(&mut self) {
        self.finished = true;
    }

    pub fn is_finished(&self) -> bool {
        self.finished
    }

    /// Whether the receiver is to be told of the end now; says so once.
    pub fn take_end(&mut self) -> bool {
        let now = self.finished && self.parcels.is_empty() && !self.end_delivered;
        self.end_delivered |= now;
        now
    }
}
