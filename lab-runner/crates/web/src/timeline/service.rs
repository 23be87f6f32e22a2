//! What a server asked of its services, whichever these are: the entry's own fields say what was asked, on which
//! connection, what came back and how long it took.

use lab_protocol::Happening;
use serde_json::Value;

use super::{BracketKind, Event, Kind, Part};
use crate::text;

/// One exchange with a service, before it has a lane.
pub(super) struct Exchange {
    /// What its lanes are called: the language that is spoken there, or the service.
    pub name: String,
    /// The service, if it is known.
    pub service: Option<String>,
    /// The connection, if it is known.
    pub connection: Option<u64>,
    /// The event; its times are the run's.
    pub event: Event,
}

/// The exchange that `what` tells of, which was over at `at_us`.
pub(super) fn exchange(what: &Happening, at_us: u64) -> Option<Exchange> {
    let fields = serde_json::to_value(what).ok()?;
    let kind = fields["kind"].as_str()?;
    let asked = first(&fields, &["statement", "command", "request", "asked", "sent"])?;
    let answer = first(&fields, &["answer", "reply", "response", "answered", "received"]).unwrap_or_default();
    let number = |name: &str| fields[name].as_u64();
    let from_us = at_us.saturating_sub(number("took_us").unwrap_or_default());
    let mut parts = vec![Part { at_us: from_us, mark: "→", text: asked.to_owned() }];
    if !answer.is_empty() {
        parts.push(Part { at_us, mark: "←", text: answer.to_owned() });
    }
    let event = Event {
        lane: 0,
        row: 0,
        from_us,
        to_us: at_us,
        kind: Kind::Exchange { refused: fields["failed"] == true || is_refusal(answer) },
        title: text::one_line(asked),
        result: text::one_line(answer),
        waited_us: number("waited_us").unwrap_or_default().min(at_us - from_us),
        port: None,
        parts,
    };
    let service = fields["service"].as_str().map(str::to_owned);
    let name = if kind == "exchange" { service.as_deref().unwrap_or(kind) } else { kind };
    Some(Exchange {
        name: named(name),
        service,
        connection: number("service_connection").or_else(|| number("connection")),
        event,
    })
}

fn first<'a>(fields: &'a Value, names: &[&str]) -> Option<&'a str> {
    names.iter().find_map(|name| fields[*name].as_str())
}

/// A service's name as a lane shows it.
fn named(name: &str) -> String {
    if name.len() <= 3 {
        return name.to_uppercase();
    }
    let mut letters = name.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Whether an answer is an error, or no answer at all.
fn is_refusal(answer: &str) -> bool {
    // Redis' errors begin with a minus, as do its negative numbers.
    let error = answer.strip_prefix('-').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()));
    error || ["ERROR", "FATAL", "no answer"].iter().any(|start| answer.starts_with(start))
}

/// What a statement or command does to a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// It begins one.
    Begins,
    /// It ends one so.
    Ends(BracketKind),
}

/// What `event` does to a transaction of its connection, if anything.
pub(super) fn step(event: &Event) -> Option<Step> {
    let mut words = event.title.split(|c: char| !c.is_ascii_alphabetic()).map(str::to_ascii_uppercase);
    let (first, second) = (words.next()?, words.next().unwrap_or_default());
    let refused = event.kind == Kind::Exchange { refused: true };
    // With its connection a transaction is gone.
    if event.result.starts_with("no answer") {
        return Some(Step::Ends(BracketKind::Undone));
    }
    match first.as_str() {
        "BEGIN" | "MULTI" if !refused => Some(Step::Begins),
        "START" if second == "TRANSACTION" && !refused => Some(Step::Begins),
        // A transaction that has failed answers COMMIT with ROLLBACK.
        "COMMIT" | "END" | "EXEC" if !refused && !event.result.starts_with("ROLLBACK") => {
            Some(Step::Ends(BracketKind::Committed))
        }
        "ROLLBACK" if second == "TO" => None,
        "COMMIT" | "END" | "EXEC" | "ROLLBACK" | "ABORT" | "DISCARD" => Some(Step::Ends(BracketKind::Undone)),
        _ => None,
    }
}
