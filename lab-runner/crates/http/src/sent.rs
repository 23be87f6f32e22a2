//! What was sent on a connection, in order.

use bytes::Bytes;

use lab_check::transcript::show_bytes;

/// Everything sent on a connection so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Sent {
    parts: Vec<Part>,
    /// Whether the sending side was closed.
    pub finished: bool,
}

/// A part of what was sent.
#[derive(Debug, Clone)]
pub(super) enum Part {
    /// Bytes in one go.
    Bytes(Bytes),
    /// A moment in which the server could read or answer.
    Pause,
}

impl Sent {
    /// Adds bytes.
    pub fn push(&mut self, bytes: Bytes) {
        self.parts.push(Part::Bytes(bytes));
    }

    /// Adds bytes that go out in pieces of `size`. Two moments between them show what happens as well as a hundred.
    pub fn push_in_pieces(&mut self, bytes: &[u8], size: usize) {
        let parts = bytes.len().div_ceil(size).clamp(1, 3);
        let part = (bytes.len().div_ceil(parts)).next_multiple_of(size).max(1);
        for (index, slice) in bytes.chunks(part).enumerate() {
            if index > 0 {
                self.pause();
            }
            self.push(Bytes::copy_from_slice(slice));
        }
    }

    /// Adds a moment without bytes.
    pub fn pause(&mut self) {
        if matches!(self.parts.last(), Some(Part::Bytes(_))) {
            self.parts.push(Part::Pause);
        }
    }

    /// The parts, in order.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// All bytes as text for a learner.
    pub fn shown(&self) -> String {
        let mut all = Vec::new();
        for part in &self.parts {
            if let Part::Bytes(bytes) = part {
                all.extend_from_slice(bytes);
            }
        }
        if all.is_empty() { "nothing".to_owned() } else { show_bytes(&all) }
    }
}
