//! Requests and their answers, put together from the messages of each connection, and a program's runs, which are told as
//! connections are.

use std::collections::BTreeMap;

use super::{Event, Kind, Part};
use crate::text;

/// What a run's first message begins with: its command line follows.
const RUN: &str = "$ ";

/// The exchanges of the check's own connections, while they are put together. Times are the run's.
#[derive(Default)]
pub(super) struct Messages {
    events: Vec<Event>,
    /// The exchange that each connection is at.
    open: BTreeMap<u64, usize>,
}

impl Messages {
    /// The check sent `bytes`.
    pub(super) fn sent(&mut self, connection: u64, port: Option<u16>, at_us: u64, bytes: &str) {
        let part = Part { at_us, mark: "→", text: bytes.to_owned() };
        // A run may write before it has been given everything.
        let going_on = |event: &&mut Event| event.kind == Kind::Run || event.parts.iter().all(|part| part.mark != "←");
        if let Some(event) = self.open.get(&connection).and_then(|at| self.events.get_mut(*at)).filter(going_on) {
            event.to_us = at_us;
            event.parts.push(part);
            return;
        }
        self.open.insert(connection, self.events.len());
        self.events.push(begin(part, at_us, port, request_line(bytes)));
    }

    /// A server sent `bytes`.
    pub(super) fn received(&mut self, connection: u64, at_us: u64, bytes: &str) {
        let part = Part { at_us, mark: "←", text: bytes.to_owned() };
        let Some(event) = self.open.get(&connection).and_then(|at| self.events.get_mut(*at)) else {
            self.open.insert(connection, self.events.len());
            self.events.push(begin(part, at_us, None, "bytes that nobody asked for".to_owned()));
            return;
        };
        event.to_us = at_us;
        if event.kind == Kind::Run {
            event.parts.push(part);
            return;
        }
        // An interim answer says only that there will be one.
        if event.result.is_empty() || event.kind == Kind::Request(1) {
            event.result = status_line(bytes);
            event.kind = Kind::Request(status_class(bytes));
        }
        event.parts.push(part);
    }

    /// Something else happened to the connection.
    pub(super) fn noted(&mut self, connection: u64, at_us: u64, note: &str) -> bool {
        let Some(event) = self.open.get(&connection).and_then(|at| self.events.get_mut(*at)) else { return false };
        if event.result.is_empty() {
            event.to_us = at_us;
        }
        if event.kind == Kind::Run
            && let Some(end) = end_of_run(note)
        {
            event.result = text::one_line(end);
        }
        event.parts.push(Part { at_us, mark: "·", text: note.to_owned() });
        true
    }

    pub(super) fn into_events(self) -> Vec<Event> {
        self.events
    }
}

fn begin(part: Part, at_us: u64, port: Option<u16>, title: String) -> Event {
    // No request begins as a command line does.
    let kind = if title.starts_with(RUN) { Kind::Run } else { Kind::Request(0) };
    let result = String::new();
    Event { lane: 0, row: 0, from_us: at_us, to_us: at_us, kind, title, result, waited_us: 0, port, parts: vec![part] }
}

/// How a run ended, if `note` tells that, as the kit writes it: `run 1: ended after 5 ms: exit code 0`.
fn end_of_run(note: &str) -> Option<&str> {
    let (_, what) = note.strip_prefix("run ")?.split_once(": ")?;
    match what.strip_prefix("ended after ") {
        Some(rest) => rest.split_once(": ").map(|(_, exit)| exit),
        None => what.starts_with("killed").then_some(what),
    }
}

/// The first line of a request, without its version.
fn request_line(bytes: &str) -> String {
    let line = first_line(bytes);
    text::one_line(line.strip_suffix(" HTTP/1.1").unwrap_or(line))
}

/// The first line of an answer, without its version.
fn status_line(bytes: &str) -> String {
    let line = first_line(bytes);
    text::one_line(line.strip_prefix("HTTP/1.1 ").unwrap_or(line))
}

/// The first digit of an answer's status; 0 if it has none.
fn status_class(bytes: &str) -> u8 {
    let status = first_line(bytes).strip_prefix("HTTP/1.").and_then(|rest| rest.split_ascii_whitespace().nth(1));
    match status.map(str::as_bytes) {
        Some(&[class @ b'1'..=b'5', b'0'..=b'9', b'0'..=b'9']) => class - b'0',
        _ => 0,
    }
}

/// Transcripts write a carriage return as an escape.
fn first_line(bytes: &str) -> &str {
    bytes.lines().next().unwrap_or_default().trim_end_matches("\\r")
}
