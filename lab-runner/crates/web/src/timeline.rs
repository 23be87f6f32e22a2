//! What happened in a check, as a picture needs it: lanes, and on them bars and marks on one axis of time.

mod build;
mod groups;
mod marks;
mod messages;
mod rows;
mod scale;
mod service;
#[cfg(test)]
mod tests;

use lab_protocol::TranscriptEntry;

pub use groups::{Item, items};
pub use scale::{Fold, Scale};

/// One check's timeline. All times are microseconds since its first event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timeline {
    /// The lanes, from the top.
    pub lanes: Vec<Lane>,
    /// What happened, by its beginning.
    pub events: Vec<Event>,
    /// What holds several events together.
    pub brackets: Vec<Bracket>,
    /// When the first event was, since the run began.
    pub begin_us: u64,
    /// When the last was over.
    pub length_us: u64,
}

/// One lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    /// What it is called.
    pub name: String,
    /// What is on it.
    pub kind: LaneKind,
    /// How many rows its events need, so that none covers another.
    pub rows: usize,
}

/// The kinds of lanes, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LaneKind {
    /// What the check did beside its requests.
    Check,
    /// Requests and answers, or the runs of a program.
    Client,
    /// One instance of the server.
    Server,
    /// One connection to a service. Services are numbered as they appear.
    Service(usize),
    /// What the servers wrote.
    Log,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its lane.
    pub lane: usize,
    /// Its row in the lane.
    pub row: usize,
    /// When it began.
    pub from_us: u64,
    /// When it was over.
    pub to_us: u64,
    /// What kind of thing it is.
    pub kind: Kind,
    /// What happened, in a line.
    pub title: String,
    /// What came of it, in a line.
    pub result: String,
    /// How long of it was spent waiting for a lock, up to its end.
    pub waited_us: u64,
    /// The port of the server that it was sent to, or that it is about.
    pub port: Option<u16>,
    /// Its bytes, piece by piece.
    pub parts: Vec<Part>,
}

/// The kinds of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A request, from its first byte to the last of its answer, with the class of the status; 0 without an answer.
    Request(u8),
    /// A program's run, from its start to its end.
    Run,
    /// What a server asked of a service; whether that refused.
    Exchange {
        /// Whether the answer is an error.
        refused: bool,
    },
    /// A line of a server's log.
    Line,
    /// Something that the check did or saw.
    Note,
    /// A fault that the check made.
    Fault,
    /// A fault was taken back.
    Restored,
    /// A server was started.
    Born,
    /// A server became ready.
    Ready,
    /// A server got a signal.
    Signal,
    /// A server ended.
    Ended,
}

/// One piece of an event's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// When.
    pub at_us: u64,
    /// Which way it went, or what it is.
    pub mark: &'static str,
    /// The text.
    pub text: String,
}

/// What holds several events together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bracket {
    /// Its lane.
    pub lane: usize,
    /// Where it begins.
    pub from_us: u64,
    /// Where it ends.
    pub to_us: u64,
    /// What it is.
    pub kind: BracketKind,
}

/// The kinds of brackets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BracketKind {
    /// A transaction that was committed.
    Committed,
    /// A transaction that was undone, or whose end nobody saw.
    Undone,
    /// A server's life.
    Life,
    /// A fault, from its making to its end.
    Disturbed,
}

impl Timeline {
    /// The timeline of what `transcript` holds.
    #[must_use]
    pub fn new(transcript: &[TranscriptEntry]) -> Self {
        build::build(transcript)
    }

    /// How many requests, how many exchanges with services, and how many faults there are.
    #[must_use]
    pub fn counts(&self) -> (usize, usize, usize) {
        let count = |wanted: fn(Kind) -> bool| self.events.iter().filter(|event| wanted(event.kind)).count();
        let requests = count(|kind| matches!(kind, Kind::Request(_)));
        (requests, count(|kind| matches!(kind, Kind::Exchange { .. })), count(|kind| kind == Kind::Fault))
    }

    /// How many runs of a program there are.
    #[must_use]
    pub fn runs(&self) -> usize {
        self.events.iter().filter(|event| event.kind == Kind::Run).count()
    }

    /// All moments at which something begins or ends.
    pub fn moments(&self) -> impl Iterator<Item = u64> {
        self.events.iter().flat_map(|event| [event.from_us, event.to_us])
    }
}

impl Kind {
    /// Whether it is what the check itself does with what is graded: others may happen meanwhile.
    #[must_use]
    pub fn is_turn(self) -> bool {
        matches!(self, Self::Request(_) | Self::Run)
    }
}

impl Event {
    /// How long it took, in microseconds.
    #[must_use]
    pub fn took_us(&self) -> u64 {
        self.to_us - self.from_us
    }
}
