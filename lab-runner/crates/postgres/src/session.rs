//! Follows one session: which statement each message means, and which answer belongs to it.
//!
//! A client may send many messages before the first answer comes, so answers are paired with a queue. After an error
//! in the extended protocol Postgres reads on and ignores everything up to the next Sync, and so do we
//! (PostgreSQL manual, "Message Flow", "Pipelining"). What cannot be followed does not pass: the connection ends.

use std::collections::VecDeque;

use super::log::Log;
use super::names::{Change, Names, Text};
use super::pg_error::PgError;
use super::sql;
use super::start_up::refusal;
use super::wire::{Framer, Message, NotUnderstood};
use lab_check::exchanges::EntryId;
use lab_proxy::{Failpoints, Output, Session};

/// What an answer is awaited to.
#[derive(Debug)]
enum Awaited {
    /// The rest of the start: everything up to the first ReadyForQuery.
    Start,
    /// Parse, Bind, Describe or Close: no execution, but an error names its statement.
    Step { answers: &'static [u8], sql: Option<Text>, change: Option<Change> },
    /// Execute. No entry, if it goes on with a portal that was counted.
    Execute { entry: Option<EntryId>, portal: Vec<u8> },
    /// A text of the simple protocol.
    Simple { entry: EntryId, pieces: Vec<String>, answered: usize },
    /// A call of the old function protocol.
    Call { entry: EntryId },
    /// The end of COPY data, which is answered by the statement's own completion.
    CopyEnd,
    /// Sync.
    Sync,
}

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It passes.
    Pass,
    /// A failpoint cuts it off.
    Cut,
    /// Postgres would not understand it, or we should not: the connection ends.
    Refuse(&'static str),
}

/// One session, from the server's consent on.
pub(super) struct Recorder {
    log: Log,
    failpoints: Failpoints,
    /// It has ended, and nothing passes any more.
    ended: bool,
    client: Framer,
    server: Framer,
    /// The names as the client's messages would have them.
    said: Names,
    /// The names as far as Postgres has agreed. A text that was taken from `said` is put right by these.
    agreed: Names,
    queue: VecDeque<Awaited>,
    /// An error came; what follows up to the next Sync is ignored.
    ignoring: bool,
    /// COPY data is being sent: a Sync in it is ignored.
    copying: bool,
}

impl Session for Recorder {
    fn client(&mut self, bytes: &[u8], output: &mut Output) {
        let mut at = 0;
        while at < bytes.len() && !self.ended {
            let (taken, message) = match self.client.next(&bytes[at..]) {
                Ok(next) => next,
                Err(NotUnderstood) => return self.refuse("what was sent is no message of the protocol", output),
            };
            match message.map_or(Fate::Pass, |message| self.client_message(&message)) {
                Fate::Pass => output.to_server.extend_from_slice(&bytes[at..at + taken]),
                Fate::Cut => {
                    self.log.cut();
                    self.ended = true;
                    output.end = true;
                }
                Fate::Refuse(why) => return self.refuse(why, output),
            }
            at += taken;
        }
    }

    fn server(&mut self, bytes: &[u8], output: &mut Output) {
        let mut at = 0;
        while at < bytes.len() && !self.ended {
            match self.server.next(&bytes[at..]) {
                Ok((taken, message)) => {
                    at += taken;
                    match message.map_or(Fate::Pass, |message| self.server_message(&message)) {
                        Fate::Pass => {}
                        Fate::Cut => {
                            self.log.cut();
                            self.ended = true;
                            output.end = true;
                            return;
                        }
                        Fate::Refuse(why) => {
                            output.to_client.extend_from_slice(&bytes[..at]);
                            return self.refuse(why, output);
                        }
                    }
                }
                Err(NotUnderstood) => {
                    self.log.service_failed("Postgres: what it sent was not understood".into());
                    self.ended = true;
                    output.close = true;
                }
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
            ended: false,
            client: Framer::server(),
            server: Framer::server(),
            said: Names::default(),
            agreed: Names::default(),
            queue: VecDeque::from([Awaited::Start]),
            ignoring: false,
            copying: false,
        }
    }

    /// Ends the connection, as Postgres does with one that breaks the protocol.
    fn refuse(&mut self, why: &str, output: &mut Output) {
        self.ended = true;
        self.log.note(format!("Postgres: a connection was ended, because it cannot be recorded: {why}"));
        output.to_client.extend(refusal("08P01", why));
        output.close = true;
    }

    /// Takes note of a message, and says what becomes of it.
    fn client_message(&mut self, message: &Message) -> Fate {
        if self.copying && !matches!(message.tag, b'd' | b'c' | b'f' | b'H' | b'S' | b'X') {
            return Fate::Refuse("another message in the midst of COPY data");
        }
        if !matches!(
            message.tag,
            b'Q' | b'P' | b'B' | b'D' | b'C' | b'E' | b'F' | b'S' | b'H' | b'd' | b'c' | b'f' | b'X'
        ) {
            return Fate::Refuse("a message of an unknown type");
        }
        if self.ignoring && message.tag != b'S' && message.tag != b'X' {
            return Fate::Pass;
        }
        match message.tag {
            b'Q' => return self.simple(message),
            b'P' => self.prepare(message),
            b'B' => self.bind(&message.body),
            b'D' => self.describe(&message.body),
            b'C' => self.close(&message.body),
            b'E' => return self.execute(&message.body),
            b'F' => return self.call(&message.body),
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
        Fate::Pass
    }

    fn simple(&mut self, message: &Message) -> Fate {
        let text = Text::of(&message.body, message.lost);
        let entry = self.log.arrived(&text);
        if self.failpoints.at_arrival(&text.sql) {
            self.log.lost(entry);
            return Fate::Cut;
        }
        // Of a text that was cut nobody knows where a statement ends.
        let pieces = if text.cut { Vec::new() } else { sql::split(&text.sql) };
        let pieces = pieces.into_iter().map(str::to_owned).collect();
        self.queue.push_back(Awaited::Simple { entry, pieces, answered: 0 });
        Fate::Pass
    }

    fn step(&mut self, answers: &'static [u8], sql: Option<Text>, change: Option<Change>) {
        if let Some(change) = &change {
            self.said.apply(change);
        }
        self.queue.push_back(Awaited::Step { answers, sql, change });
    }

    fn prepare(&mut self, message: &Message) {
        let (name, rest) = Message::text(&message.body);
        let text = Text::of(rest, message.lost);
        self.step(b"1", Some(text.clone()), Some(Change::Prepare { name: name.to_vec(), text }));
    }

    fn bind(&mut self, body: &[u8]) {
        let (portal, rest) = Message::text(body);
        let statement = Message::text(rest).0;
        let sql = self.said.statement(statement);
        self.step(b"2", sql, Some(Change::Bind { portal: portal.to_vec(), statement: statement.to_vec() }));
    }

    fn describe(&mut self, body: &[u8]) {
        let sql = body.split_first().and_then(|(kind, name)| {
            let name = Message::text(name).0;
            if *kind == b'S' { self.said.statement(name) } else { self.said.portal(name) }
        });
        self.step(b"Tn", sql, None);
    }

    fn close(&mut self, body: &[u8]) {
        let change = body.split_first().map(|(kind, name)| {
            let name = Message::text(name).0.to_vec();
            if *kind == b'S' { Change::CloseStatement(name) } else { Change::ClosePortal(name) }
        });
        self.step(b"3", None, change);
    }

    fn execute(&mut self, body: &[u8]) -> Fate {
        let portal = Message::text(body).0;
        let text = self.said.portal(portal).unwrap_or_else(unnamed);
        let entry = self.said.counts(portal).then(|| self.log.arrived(&text));
        if self.failpoints.at_arrival(&text.sql) {
            entry.into_iter().for_each(|entry| self.log.lost(entry));
            return Fate::Cut;
        }
        self.queue.push_back(Awaited::Execute { entry, portal: portal.to_vec() });
        Fate::Pass
    }

    fn call(&mut self, body: &[u8]) -> Fate {
        let function = body.first_chunk::<4>().map_or(0, |oid| u32::from_be_bytes(*oid));
        let text = Text::stand_in(&format!("call of the function with OID {function}"));
        let entry = self.log.arrived(&text);
        self.queue.push_back(Awaited::Call { entry });
        Fate::Pass
    }

    /// Pairs an answer with what it answers, and says what becomes of it.
    fn server_message(&mut self, message: &Message) -> Fate {
        let lost = match message.tag {
            b'1' | b'2' | b'3' | b'n' | b'T' => self.stepped(message.tag),
            b'C' => self.complete(&lossy(Message::text(&message.body).0)),
            b'I' => self.complete("nothing to run"),
            b's' => self.complete("a part of the rows"),
            b'V' => self.complete("the function's value"),
            b'G' => return self.copy_begins(),
            b'E' => self.error(&PgError::read(&message.body)),
            b'Z' => self.ready(),
            b'K' => self.key_data(&message.body),
            _ => false,
        };
        if lost { Fate::Cut } else { Fate::Pass }
    }

    /// Drops what is never answered by itself from the front of the queue.
    fn skip_markers(&mut self) {
        while matches!(self.queue.front(), Some(Awaited::CopyEnd)) {
            self.queue.pop_front();
        }
    }

    fn stepped(&mut self, tag: u8) -> bool {
        self.skip_markers();
        // Row descriptions also come within a simple query, where nothing awaits them.
        if matches!(self.queue.front(), Some(Awaited::Step { answers, .. }) if answers.contains(&tag))
            && let Some(Awaited::Step { change: Some(change), .. }) = self.queue.pop_front()
        {
            self.agreed.apply(&change);
        }
        false
    }

    fn complete(&mut self, answer: &str) -> bool {
        self.skip_markers();
        match self.queue.front_mut() {
            Some(Awaited::Execute { entry, portal }) => {
                let (entry, portal) = (*entry, std::mem::take(portal));
                self.queue.pop_front();
                self.executed(entry, &portal, answer)
            }
            Some(Awaited::Call { entry }) => {
                let entry = *entry;
                self.answered(entry, answer)
            }
            Some(Awaited::Simple { .. }) => self.answered_piece(answer),
            _ => false,
        }
    }

    /// An execution was answered: by now it is certain what the portal runs, and whether it was counted.
    fn executed(&mut self, entry: Option<EntryId>, portal: &[u8], answer: &str) -> bool {
        let text = self.agreed.portal(portal);
        let counts = self.agreed.counts(portal);
        let entry = match (entry, &text) {
            (Some(entry), Some(text)) => {
                self.log.is_really(entry, text);
                Some(entry)
            }
            (Some(entry), None) => Some(entry),
            (None, _) => counts.then(|| self.log.arrived(&text.unwrap_or_else(unnamed))),
        };
        entry.is_some_and(|entry| self.answered(entry, answer))
    }

    fn answered(&mut self, entry: EntryId, answer: &str) -> bool {
        self.log.answered(entry, answer);
        let Some(text) = self.log.text(entry) else { return false };
        self.forget_names(&text, answer);
        self.failpoints.at_answer(&text)
    }

    /// The answer to the next statement of the text at the front of the queue.
    fn answered_piece(&mut self, answer: &str) -> bool {
        let Some(Awaited::Simple { entry, pieces, answered }) = self.queue.front_mut() else { return false };
        let (first, place) = (*entry, *answered);
        let piece = pieces.get(place).cloned();
        *answered += 1;
        if place == 0 {
            if let Some(piece) = piece {
                self.log.is_really(first, &Text::stand_in(&piece));
            }
            return self.answered(first, answer);
        }
        let sql = piece.unwrap_or_else(|| "a statement of the same text".into());
        self.log.answered_after(first, &sql, answer);
        self.forget_names(&sql, answer);
        self.failpoints.at_answer(&sql)
    }

    /// SQL makes and removes prepared statements too, under the same names.
    fn forget_names(&mut self, sql: &str, answer: &str) {
        let name = match answer {
            "DEALLOCATE" | "PREPARE" => sql::prepared_name(sql),
            "DEALLOCATE ALL" | "DISCARD ALL" => None,
            _ => return,
        };
        for names in [&mut self.said, &mut self.agreed] {
            names.forget(name.as_deref());
        }
    }

    /// From here on the client sends data. A Sync in between is ignored by Postgres, and any other message breaks off
    /// both the data and itself: what was sent already cannot be followed any further.
    fn copy_begins(&mut self) -> Fate {
        self.skip_markers();
        while matches!(self.queue.get(1), Some(Awaited::Sync)) {
            self.queue.remove(1);
        }
        match self.queue.get(1) {
            None => self.copying = true,
            Some(Awaited::CopyEnd) => {}
            Some(_) => return Fate::Refuse("another message in place of COPY data"),
        }
        Fate::Pass
    }

    fn error(&mut self, error: &PgError) -> bool {
        if error.is_ours() {
            self.log.service_failed(format!("Postgres: {error}"));
        }
        if error.is_shortage() {
            self.log.ran_short(format!("Postgres: {error}"));
        }
        self.skip_markers();
        self.copying = false;
        let answer = error.to_string();
        match self.queue.front_mut() {
            Some(Awaited::Simple { .. }) => self.answered_piece(&answer),
            Some(Awaited::Execute { entry, portal }) => {
                let (entry, portal) = (*entry, std::mem::take(portal));
                self.queue.pop_front();
                self.ignore_to_sync();
                self.executed(entry, &portal, &answer)
            }
            Some(Awaited::Step { sql, .. }) => {
                let sql = sql.take();
                self.ignore_to_sync();
                let entry = sql.map(|sql| self.log.arrived(&sql));
                entry.is_some_and(|entry| self.answered(entry, &answer))
            }
            Some(Awaited::Call { entry }) => {
                let entry = *entry;
                self.answered(entry, &answer)
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
                Awaited::Execute { entry: Some(entry), .. } => self.log.take_out(*entry),
                Awaited::Simple { entry, .. } | Awaited::Call { entry } => self.log.take_out(*entry),
                Awaited::Step { change: Some(change), .. } => self.said.take_over(&self.agreed, change),
                _ => {}
            }
            self.queue.pop_front();
        }
        self.ignoring = true;
    }

    /// BackendKeyData names the session's process.
    fn key_data(&mut self, body: &[u8]) -> bool {
        if let Some(process) = body.first_chunk::<4>() {
            self.log.is_process(i32::from_be_bytes(*process));
        }
        false
    }

    /// ReadyForQuery ends everything up to a Sync, a simple query or a call.
    fn ready(&mut self) -> bool {
        while let Some(awaited) = self.queue.pop_front() {
            if matches!(awaited, Awaited::Start | Awaited::Simple { .. } | Awaited::Call { .. } | Awaited::Sync) {
                break;
            }
        }
        false
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        for awaited in &self.queue {
            match awaited {
                Awaited::Execute { entry: Some(entry), .. } => self.log.lost(*entry),
                Awaited::Simple { entry, answered: 0, .. } | Awaited::Call { entry } => self.log.lost(*entry),
                _ => {}
            }
        }
        self.log.ended();
    }
}

/// What runs in a portal that nobody has bound under this name.
fn unnamed() -> Text {
    Text::stand_in("an unnamed portal")
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
