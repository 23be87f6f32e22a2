//! Follows one session: which statement each message means, and which answer belongs to it.
//!
//! A client may send many messages before the first answer comes, so answers are paired with a queue. After an error
//! in the extended protocol Postgres reads on and ignores everything up to the next Sync, and so do we
//! (PostgreSQL manual, "Message Flow", "Pipelining").

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::log::{Entry, Log};
use super::pg_error::PgError;
use super::sql;
use super::wire::{Framer, Message, NotUnderstood};
use lab_proxy::{Failpoints, Output, Session};

/// A server that prepares without end must not fill our memory.
const MOST_NAMES: usize = 100_000;

/// What an answer is awaited to.
#[derive(Debug)]
enum Awaited {
    /// The rest of the start: everything up to the first ReadyForQuery.
    Start,
    /// Parse, Bind, Describe or Close: no execution, but an error names its statement.
    Step { answers: &'static [u8], sql: Option<Arc<str>> },
    /// Execute. No entry, if it goes on with a portal that was counted.
    Execute { entry: Option<Entry> },
    /// A text of the simple protocol.
    Simple { entry: Entry, pieces: Vec<String>, answered: usize },
    /// The end of COPY data, which is answered by the statement's own completion.
    CopyEnd,
    /// Sync, or a call of the old function protocol.
    Sync,
}

struct Portal {
    sql: Arc<str>,
    counted: bool,
}

/// One session, from the server's consent on.
pub(super) struct Recorder {
    log: Log,
    failpoints: Failpoints,
    /// It is not understood, and merely passes.
    blind: bool,
    client: Framer,
    server: Framer,
    prepared: HashMap<Vec<u8>, Arc<str>>,
    portals: HashMap<Vec<u8>, Portal>,
    queue: VecDeque<Awaited>,
    /// An error came; what follows up to the next Sync is ignored.
    ignoring: bool,
    /// COPY data is being sent: a Sync in it is ignored.
    copying: bool,
}

impl Session for Recorder {
    fn client(&mut self, bytes: &[u8], output: &mut Output) {
        let mut at = 0;
        while at < bytes.len() && !self.blind {
            match self.client.next(&bytes[at..]) {
                Ok((taken, message)) => {
                    if message.is_some_and(|message| self.client_message(&message)) {
                        output.end = true;
                        return;
                    }
                    output.to_server.extend_from_slice(&bytes[at..at + taken]);
                    at += taken;
                }
                Err(NotUnderstood) => self.give_up("what the server sent"),
            }
        }
        output.to_server.extend_from_slice(&bytes[at..]);
    }

    fn server(&mut self, bytes: &[u8], output: &mut Output) {
        let mut at = 0;
        while at < bytes.len() && !self.blind {
            match self.server.next(&bytes[at..]) {
                Ok((taken, message)) => {
                    at += taken;
                    if message.is_some_and(|message| self.server_message(&message)) {
                        output.end = true;
                        return;
                    }
                }
                Err(NotUnderstood) => self.give_up("what Postgres sent"),
            }
        }
        output.to_client.extend_from_slice(bytes);
    }
}

impl Recorder {
    pub fn new(log: Log, failpoints: Failpoints) -> Self {
        Self {
            log,
            failpoints,
            blind: false,
            client: Framer::server(),
            server: Framer::server(),
            prepared: HashMap::new(),
            portals: HashMap::new(),
            queue: VecDeque::from([Awaited::Start]),
            ignoring: false,
            copying: false,
        }
    }

    fn give_up(&mut self, what: &str) {
        self.blind = true;
        self.log.note(format!("Postgres: a connection is no longer recorded, because {what} was not understood"));
    }

    /// Takes note of a message, and says whether a failpoint cuts it off.
    fn client_message(&mut self, message: &Message) -> bool {
        if self.ignoring && message.tag != b'S' && message.tag != b'X' {
            return false;
        }
        let step = |answers, sql| Awaited::Step { answers, sql };
        match message.tag {
            b'Q' => return self.simple(&message.body),
            b'P' => {
                let sql = self.prepare(&message.body);
                self.queue.push_back(step(b"1", Some(sql)));
            }
            b'B' => {
                let sql = self.bind(&message.body);
                self.queue.push_back(step(b"2", sql));
            }
            b'D' => {
                let sql = self.named(&message.body);
                self.queue.push_back(step(b"Tn", sql));
            }
            b'C' => {
                self.close(&message.body);
                self.queue.push_back(step(b"3", None));
            }
            b'E' => return self.execute(&message.body),
            b'F' => self.queue.push_back(Awaited::Sync),
            b'S' if !self.copying => {
                self.ignoring = false;
                self.queue.push_back(Awaited::Sync);
            }
            b'c' | b'f' => {
                self.copying = false;
                self.queue.push_back(Awaited::CopyEnd);
            }
            _ => {}
        }
        false
    }

    fn simple(&mut self, body: &[u8]) -> bool {
        let text = lossy(Message::text(body).0);
        let entry = self.log.arrived(&text);
        if self.failpoints.at_arrival(&text) {
            self.log.lost(entry);
            return true;
        }
        let pieces = sql::split(&text).into_iter().map(str::to_owned).collect();
        self.queue.push_back(Awaited::Simple { entry, pieces, answered: 0 });
        false
    }

    fn prepare(&mut self, body: &[u8]) -> Arc<str> {
        let (name, rest) = Message::text(body);
        let sql: Arc<str> = lossy(Message::text(rest).0).into();
        if self.prepared.len() < MOST_NAMES {
            self.prepared.insert(name.to_vec(), Arc::clone(&sql));
        }
        sql
    }

    fn bind(&mut self, body: &[u8]) -> Option<Arc<str>> {
        let (portal, rest) = Message::text(body);
        let sql = self.prepared.get(Message::text(rest).0).cloned()?;
        if self.portals.len() < MOST_NAMES {
            self.portals.insert(portal.to_vec(), Portal { sql: Arc::clone(&sql), counted: false });
        }
        Some(sql)
    }

    /// The statement that a Describe means.
    fn named(&self, body: &[u8]) -> Option<Arc<str>> {
        let (kind, name) = body.split_first()?;
        let name = Message::text(name).0;
        match kind {
            b'S' => self.prepared.get(name).cloned(),
            _ => self.portals.get(name).map(|portal| Arc::clone(&portal.sql)),
        }
    }

    fn close(&mut self, body: &[u8]) {
        let Some((kind, name)) = body.split_first() else { return };
        let name = Message::text(name).0;
        match kind {
            b'S' => drop(self.prepared.remove(name)),
            _ => drop(self.portals.remove(name)),
        }
    }

    fn execute(&mut self, body: &[u8]) -> bool {
        let portal = self.portals.get_mut(Message::text(body).0);
        let counted = portal.as_ref().is_some_and(|portal| portal.counted);
        let sql = portal.map_or_else(
            // A cursor that was declared in SQL may be executed by its name.
            || Arc::from("an unnamed portal"),
            |portal| {
                portal.counted = true;
                Arc::clone(&portal.sql)
            },
        );
        let entry = (!counted).then(|| self.log.arrived(&sql));
        if self.failpoints.at_arrival(&sql) {
            entry.into_iter().for_each(|entry| self.log.lost(entry));
            return true;
        }
        self.queue.push_back(Awaited::Execute { entry });
        false
    }

    /// Pairs an answer with what it answers, and says whether a failpoint swallows it.
    fn server_message(&mut self, message: &Message) -> bool {
        match message.tag {
            b'1' | b'2' | b'3' | b'n' | b'T' => self.step(message.tag),
            b'C' => return self.complete(&lossy(Message::text(&message.body).0)),
            b'I' => return self.complete("nothing to run"),
            b's' => return self.complete("a part of the rows"),
            b'G' => self.copy_begins(),
            b'E' => return self.error(&PgError::read(&message.body)),
            b'Z' => self.ready(),
            _ => {}
        }
        false
    }

    /// Drops what is never answered by itself from the front of the queue.
    fn skip_markers(&mut self) {
        while matches!(self.queue.front(), Some(Awaited::CopyEnd)) {
            self.queue.pop_front();
        }
    }

    fn step(&mut self, tag: u8) {
        self.skip_markers();
        if matches!(self.queue.front(), Some(Awaited::Step { answers, .. }) if answers.contains(&tag)) {
            self.queue.pop_front();
        }
        // Row descriptions also come within a simple query, where nothing awaits them.
    }

    fn complete(&mut self, answer: &str) -> bool {
        self.skip_markers();
        match self.queue.front_mut() {
            Some(Awaited::Execute { entry }) => {
                let entry = *entry;
                self.queue.pop_front();
                entry.is_some_and(|entry| self.answered(entry, answer))
            }
            Some(Awaited::Simple { entry, pieces, answered }) => {
                let (entry, place) = (*entry, *answered);
                *answered += 1;
                let piece = pieces.get(place).cloned();
                self.answered_piece(entry, place, piece, answer)
            }
            _ => false,
        }
    }

    fn answered(&self, entry: Entry, answer: &str) -> bool {
        self.log.answered(entry, answer);
        self.log.text(entry).is_some_and(|sql| self.failpoints.at_answer(&sql))
    }

    /// The answer to the statement at `place` of a text.
    fn answered_piece(&self, first: Entry, place: usize, piece: Option<String>, answer: &str) -> bool {
        if place == 0 {
            piece.into_iter().for_each(|piece| self.log.is_really(first, &piece));
            return self.answered(first, answer);
        }
        let sql = piece.unwrap_or_else(|| "a statement of the same text".into());
        self.log.answered_after(first, &sql, answer);
        self.failpoints.at_answer(&sql)
    }

    /// From here on the client sends data. A Sync in between is ignored by Postgres.
    fn copy_begins(&mut self) {
        if !matches!(self.queue.front(), Some(Awaited::Execute { .. })) {
            return;
        }
        while matches!(self.queue.get(1), Some(Awaited::Sync)) {
            self.queue.remove(1);
        }
        self.copying = !self.queue.iter().any(|awaited| matches!(awaited, Awaited::CopyEnd));
    }

    fn error(&mut self, error: &PgError) -> bool {
        if error.is_ours() {
            self.log.service_failed(format!("Postgres: {error}"));
        }
        self.skip_markers();
        self.copying = false;
        let answer = error.to_string();
        match self.queue.front_mut() {
            Some(Awaited::Simple { entry, pieces, answered }) => {
                let (entry, place) = (*entry, *answered);
                *answered += 1;
                let piece = pieces.get(place).cloned();
                self.answered_piece(entry, place, piece, &answer)
            }
            Some(Awaited::Execute { entry }) => {
                let entry = *entry;
                self.queue.pop_front();
                self.ignore_to_sync();
                entry.is_some_and(|entry| self.answered(entry, &answer))
            }
            Some(Awaited::Step { sql, .. }) => {
                let sql = sql.take();
                self.queue.pop_front();
                self.ignore_to_sync();
                let entry = sql.map(|sql| self.log.arrived(&sql));
                entry.is_some_and(|entry| self.answered(entry, &answer))
            }
            Some(Awaited::Start | Awaited::Sync | Awaited::CopyEnd) | None => {
                self.log.note(format!("Postgres: {answer}"));
                false
            }
        }
    }

    /// What is already under way up to the next Sync is not run.
    fn ignore_to_sync(&mut self) {
        while let Some(awaited) = self.queue.front() {
            match awaited {
                Awaited::Sync => return,
                Awaited::Execute { entry: Some(entry) } => self.log.passed_over(*entry),
                Awaited::Simple { entry, .. } => self.log.passed_over(*entry),
                _ => {}
            }
            self.queue.pop_front();
        }
        self.ignoring = true;
    }

    /// ReadyForQuery ends everything up to a Sync or a simple query.
    fn ready(&mut self) {
        while let Some(awaited) = self.queue.pop_front() {
            if matches!(awaited, Awaited::Start | Awaited::Simple { .. } | Awaited::Sync) {
                return;
            }
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        for awaited in &self.queue {
            match awaited {
                Awaited::Execute { entry: Some(entry) } => self.log.lost(*entry),
                Awaited::Simple { entry, answered: 0, .. } => self.log.lost(*entry),
                _ => {}
            }
        }
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
