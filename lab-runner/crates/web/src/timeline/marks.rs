//! What a check did beside its requests: servers started, signalled and gone, faults made and taken back.

use lab_protocol::Mark;

use super::{Event, Kind, Part};
use crate::text;

/// The kind of event that a note is.
pub(super) fn kind(mark: Option<&Mark>) -> Kind {
    match mark {
        None | Some(Mark::Connection { .. }) => Kind::Note,
        Some(Mark::Started { .. }) => Kind::Born,
        Some(Mark::Ready { .. }) => Kind::Ready,
        Some(Mark::Signalled { .. }) => Kind::Signal,
        Some(Mark::Ended { .. }) => Kind::Ended,
        Some(Mark::Fault { .. } | Mark::Cut { .. }) => Kind::Fault,
        Some(Mark::Restored { .. }) => Kind::Restored,
    }
}

/// The server that a note is about, by its port.
pub(super) fn port(mark: Option<&Mark>) -> Option<u16> {
    match mark? {
        Mark::Started { port } | Mark::Ready { port } | Mark::Signalled { port } | Mark::Ended { port } => Some(*port),
        _ => None,
    }
}

/// An event of one moment.
pub(super) fn event(kind: Kind, at_us: u64, port: Option<u16>, said: &str) -> Event {
    let parts = vec![Part { at_us, mark: "·", text: said.to_owned() }];
    let (title, result) = (text::one_line(said), String::new());
    Event { lane: 0, row: 0, from_us: at_us, to_us: at_us, kind, title, result, waited_us: 0, port, parts }
}
