//! From a transcript to a timeline.

use std::collections::BTreeMap;

use lab_protocol::{Happening, Mark, TranscriptEntry};

use super::messages::Messages;
use super::service::{self, Step};
use super::{Bracket, BracketKind, Event, Kind, Lane, LaneKind, Timeline, marks, rows};

pub(super) fn build(transcript: &[TranscriptEntry]) -> Timeline {
    let mut draft = Draft::default();
    transcript.iter().for_each(|entry| draft.take(entry));
    draft.finish()
}

/// A timeline while it is read. Times are the run's.
#[derive(Default)]
struct Draft {
    messages: Messages,
    /// Everything but messages, with the lane it is on.
    others: Vec<(LaneKey, Event)>,
    /// The ports of servers, by the order of their starts.
    servers: Vec<u16>,
    /// What the lanes of services are called, and the services as far as they are known, by their numbers.
    services: Vec<(String, Option<String>)>,
    /// The service that each fault is about, by its moment, and whether it lasts.
    faults: BTreeMap<u64, (String, bool)>,
}

/// A lane before it has a place, in the order of places.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum LaneKey {
    Check,
    Client,
    Program,
    /// A server, by the number of its start.
    Server(usize, u16),
    /// A service by the number of its first use, with its name, and the connection.
    Service(usize, String, Option<u64>),
    Log,
}

impl Draft {
    fn take(&mut self, entry: &TranscriptEntry) {
        let at = entry.at_us;
        match &entry.what {
            Happening::Sent { connection, text, port } => self.messages.sent(*connection, *port, at, text),
            Happening::Received { connection, text } => self.messages.received(*connection, at, text),
            Happening::Log { line, port } => {
                self.others.push((LaneKey::Log, marks::event(Kind::Line, at, *port, line)));
            }
            Happening::Note { text, mark } => self.note(at, text, mark.as_ref()),
            what => {
                if let Some(exchange) = service::exchange(what, at) {
                    let number = self.service(&exchange.name, exchange.service);
                    self.others.push((LaneKey::Service(number, exchange.name, exchange.connection), exchange.event));
                }
            }
        }
    }

    fn note(&mut self, at: u64, text: &str, mark: Option<&Mark>) {
        if let Some(Mark::Connection { connection }) = mark
            && self.messages.noted(*connection, at, text)
        {
            return;
        }
        let (kind, port) = (marks::kind(mark), marks::port(mark));
        match mark {
            Some(Mark::Fault { service } | Mark::Restored { service }) => {
                self.faults.insert(at, (service.clone(), true));
            }
            Some(Mark::Cut { service }) => {
                self.faults.insert(at, (service.clone(), false));
            }
            _ => {}
        }
        let key = port.map_or(LaneKey::Check, |port| self.server(port, kind));
        self.others.push((key, marks::event(kind, at, port, text)));
    }

    /// The lane of the server on `port`. A port may be used again by the next server.
    fn server(&mut self, port: u16, kind: Kind) -> LaneKey {
        let known = self.servers.iter().rposition(|other| *other == port).filter(|_| kind != Kind::Born);
        let number = known.unwrap_or_else(|| {
            self.servers.push(port);
            self.servers.len() - 1
        });
        LaneKey::Server(number, port)
    }

    /// The number of the service whose lanes are called `name`.
    fn service(&mut self, name: &str, service: Option<String>) -> usize {
        self.services.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
            self.services.push((name.to_owned(), service));
            self.services.len() - 1
        })
    }

    fn finish(self) -> Timeline {
        let messages = self.messages.into_events().into_iter().map(|event| {
            let key = if event.kind == Kind::Run { LaneKey::Program } else { LaneKey::Client };
            (key, event)
        });
        let mut all: Vec<(LaneKey, Event)> = messages.chain(self.others).collect();
        // By the beginning; of what began at once, the longer first.
        all.sort_by_key(|(_, event)| (event.from_us, std::cmp::Reverse(event.to_us)));
        let mut keys: Vec<LaneKey> = all.iter().map(|(key, _)| key.clone()).collect();
        keys.sort();
        keys.dedup();
        let begin_us = all.first().map_or(0, |(_, event)| event.from_us);
        let mut events: Vec<Event> = Vec::with_capacity(all.len());
        for (key, mut event) in all {
            event.lane = keys.binary_search(&key).unwrap_or_default();
            event.from_us -= begin_us;
            event.to_us -= begin_us;
            event.parts.iter_mut().for_each(|part| part.at_us = part.at_us.saturating_sub(begin_us));
            events.push(event);
        }
        let mut lanes: Vec<Lane> = keys.iter().map(|key| lane(key, &keys)).collect();
        rows::arrange(&mut lanes, &mut events);
        let length_us = events.iter().map(|event| event.to_us).max().unwrap_or_default();
        let mut brackets = brackets(&lanes, &events, length_us);
        let of = |event: &Event| {
            self.faults.get(&(event.from_us + begin_us)).map(|(service, lasts)| (service.as_str(), *lasts))
        };
        brackets.extend(disturbances(&lanes, &events, &self.services, of, length_us));
        Timeline { lanes, events, brackets, begin_us, length_us }
    }
}

fn lane(key: &LaneKey, all: &[LaneKey]) -> Lane {
    let (name, kind) = match key {
        LaneKey::Check => ("check".to_owned(), LaneKind::Check),
        LaneKey::Client => ("client".to_owned(), LaneKind::Client),
        LaneKey::Program => ("program".to_owned(), LaneKind::Client),
        LaneKey::Server(_, port) => (format!("server :{port}"), LaneKind::Server),
        LaneKey::Service(number, name, connection) => {
            // Connections are numbered as the check's client's are, and so by their place here.
            let of_it = all.iter().filter(|key| matches!(key, LaneKey::Service(other, ..) if other == number));
            let place = of_it.clone().position(|other| other == key).unwrap_or_default() + 1;
            let name = if connection.is_some() && of_it.count() > 1 { format!("{name} {place}") } else { name.clone() };
            (name, LaneKind::Service(*number))
        }
        LaneKey::Log => ("log".to_owned(), LaneKind::Log),
    };
    Lane { name, kind, rows: 1 }
}

/// Servers' lives, and the transactions of each connection.
fn brackets(lanes: &[Lane], events: &[Event], length_us: u64) -> Vec<Bracket> {
    let mut brackets = Vec::new();
    for (lane, of) in lanes.iter().enumerate() {
        let events = || events.iter().filter(|event| event.lane == lane);
        match of.kind {
            LaneKind::Server => {
                let from_us = events().find(|event| event.kind == Kind::Born).map_or(0, |event| event.from_us);
                let ended = events().filter(|event| event.kind == Kind::Ended).map(|event| event.from_us).max();
                let to_us = ended.unwrap_or(length_us);
                brackets.push(Bracket { lane, from_us, to_us, kind: BracketKind::Life });
            }
            LaneKind::Service(_) => brackets.extend(transactions(lane, events(), length_us)),
            _ => {}
        }
    }
    brackets
}

fn transactions<'a>(lane: usize, events: impl Iterator<Item = &'a Event>, length_us: u64) -> Vec<Bracket> {
    let (mut brackets, mut open) = (Vec::new(), None);
    for event in events {
        match (service::step(event), open) {
            (Some(Step::Begins), None) => open = Some(event.from_us),
            (Some(Step::Ends(kind)), Some(from_us)) => {
                brackets.push(Bracket { lane, from_us, to_us: event.to_us, kind });
                open = None;
            }
            _ => {}
        }
    }
    brackets.extend(open.map(|from_us| Bracket { lane, from_us, to_us: length_us, kind: BracketKind::Undone }));
    brackets
}

/// How long the way to each lane's service was disturbed.
fn disturbances<'a>(
    lanes: &[Lane],
    events: &[Event],
    services: &[(String, Option<String>)],
    fault_of: impl Fn(&Event) -> Option<(&'a str, bool)>,
    length_us: u64,
) -> Vec<Bracket> {
    let mut found = Vec::new();
    for fault in events.iter().filter(|event| event.kind == Kind::Fault) {
        let Some((service, lasts)) = fault_of(fault) else { continue };
        let ends = |event: &&Event| event.kind == Kind::Restored && fault_of(event).is_some_and(|of| of.0 == service);
        let end = events.iter().filter(|event| event.from_us >= fault.from_us).find(ends);
        let to_us = if lasts { end.map_or(length_us, |end| end.from_us) } else { fault.from_us };
        let hit = lanes.iter().enumerate().filter(|(_, lane)| match lane.kind {
            LaneKind::Service(number) => {
                services.get(number).is_some_and(|(_, known)| known.as_deref() == Some(service))
            }
            _ => false,
        });
        let bracket = |lane| Bracket { lane, from_us: fault.from_us, to_us, kind: BracketKind::Disturbed };
        found.extend(hit.map(|(lane, _)| bracket(lane)));
        found.push(bracket(fault.lane));
    }
    found
}
