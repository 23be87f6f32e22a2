//! The record of one check's statements, filled by its connections and read by the check.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::lock_waits::LockWaits;
use super::names::Text;
use super::statement::{Statement, Statements};
use lab_check::transcript::{self, ServiceConnection, Transcript};

/// No check needs more, and a server that never stops asking must not fill our memory. What comes after is counted.
const MOST: usize = 200_000;
/// The same for the bytes of their texts.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// What the service is called in a transcript.
const SERVICE: &str = "Postgres";

/// A statement of the log, by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry(usize);

/// A place in the log, from which on statements are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    kept: usize,
    unkept: usize,
}

/// All statements of one check. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Log {
    entries: Arc<Mutex<Entries>>,
    service_error: Arc<Mutex<Option<String>>>,
    shortage: Arc<Mutex<Option<String>>>,
    transcript: Transcript,
    connections: Arc<AtomicU64>,
    /// The connection that this clone records.
    connection: Option<u64>,
    waits: LockWaits,
}

#[derive(Debug, Default)]
struct Entries {
    kept: Vec<Kept>,
    bytes: usize,
    /// How many there was no room for.
    unkept: usize,
}

#[derive(Debug)]
struct Kept {
    statement: Statement,
    /// It was never run: something before it in the same pipeline failed.
    passed_over: bool,
}

impl Log {
    pub fn new(transcript: Transcript) -> Self {
        Self {
            entries: Arc::default(),
            service_error: Arc::default(),
            shortage: Arc::default(),
            transcript,
            connections: Arc::default(),
            connection: None,
            waits: LockWaits::default(),
        }
    }

    /// What becomes known of waits for locks.
    pub fn waits(&self) -> LockWaits {
        self.waits.clone()
    }

    /// The connection's session is this process of Postgres.
    pub fn is_process(&self, process: i32) {
        if let Some(connection) = self.connection {
            self.waits.is_process(connection, process);
        }
    }

    /// The connection has ended.
    pub fn ended(&self) {
        if let Some(connection) = self.connection {
            self.waits.ended(connection);
        }
    }

    fn waited(&self, since: Instant) -> Duration {
        self.connection.map_or(Duration::ZERO, |connection| self.waits.answered(connection, since))
    }

    /// The same log for a new connection.
    pub fn of_a_connection(&self) -> Self {
        Self { connection: Some(self.connections.fetch_add(1, Ordering::Relaxed) + 1), ..self.clone() }
    }

    fn on(&self) -> ServiceConnection {
        ServiceConnection { service: Some(SERVICE.to_owned()), number: self.connection }
    }

    /// A failpoint has cut the connection.
    pub fn cut(&self) {
        let mark = transcript::Mark::Cut { service: SERVICE.to_owned() };
        self.transcript.mark(format!("{SERVICE}: the connection was cut here by the check"), mark);
    }

    /// A statement arrived.
    pub fn arrived(&self, text: &Text) -> Entry {
        if let Some(connection) = self.connection {
            self.waits.arrived(connection);
        }
        self.keep(Statement { answer: String::new(), at: Instant::now(), took: Duration::ZERO, ..statement(text) })
    }

    /// Postgres answered.
    pub fn answered(&self, entry: Entry, answer: &str) {
        if let Some(kept) = self.lock().kept.get_mut(entry.0) {
            kept.statement.took = kept.statement.at.elapsed();
            kept.statement.answer = answer.to_owned();
            let waited = self.waited(kept.statement.at);
            self.transcript.sql(&kept.statement.sql, answer, kept.statement.took, waited, self.on());
        }
    }

    /// Postgres answered the next statement of a text that came with `first`.
    pub fn answered_after(&self, first: Entry, sql: &str, answer: &str) {
        let at = self.lock().kept.get(first.0).map_or_else(Instant::now, |kept| kept.statement.at);
        let took = at.elapsed();
        self.transcript.sql(sql, answer, took, Duration::ZERO, self.on());
        self.keep(Statement { answer: answer.to_owned(), at, took, ..statement(&Text::stand_in(sql)) });
    }

    /// The text of a statement that was taken for another, such as the first of several.
    pub fn is_really(&self, entry: Entry, text: &Text) {
        if let Some(kept) = self.lock().kept.get_mut(entry.0)
            && kept.statement.sql != *text.sql
        {
            kept.statement.sql = text.sql.as_ref().to_owned();
            kept.statement.cut = text.cut;
        }
    }

    /// The text of a statement.
    pub fn text(&self, entry: Entry) -> Option<String> {
        self.lock().kept.get(entry.0).map(|kept| kept.statement.sql.clone())
    }

    /// Postgres does not run it.
    pub fn passed_over(&self, entry: Entry) {
        if let Some(kept) = self.lock().kept.get_mut(entry.0) {
            kept.passed_over = true;
        }
    }

    /// Its connection ended before the answer.
    pub fn lost(&self, entry: Entry) {
        if let Some(kept) = self.lock().kept.get(entry.0) {
            self.transcript.sql(
                &kept.statement.sql,
                "no answer: the connection was closed",
                kept.statement.at.elapsed(),
                self.waited(kept.statement.at),
                self.on(),
            );
        }
    }

    /// A line for the transcript.
    pub fn note(&self, text: String) {
        self.transcript.note(text);
    }

    /// Something went wrong on our side.
    pub fn service_failed(&self, what: String) {
        self.service_error.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(what);
    }

    /// What went wrong on our side, if anything did.
    pub fn service_error(&self) -> Option<String> {
        self.service_error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Something was used up that others use too.
    pub fn ran_short(&self, what: String) {
        self.shortage.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(what);
    }

    /// What was used up, if anything was.
    pub fn shortage(&self) -> Option<String> {
        self.shortage.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The place after the last statement so far.
    pub fn mark(&self) -> Mark {
        let entries = self.lock();
        Mark { kept: entries.kept.len(), unkept: entries.unkept }
    }

    /// The statements that arrived after `mark`.
    pub fn since(&self, mark: Mark) -> Statements {
        let entries = self.lock();
        let kept = entries.kept.iter().skip(mark.kept).filter(|kept| !kept.passed_over);
        let kept: Statements = kept.map(|kept| kept.statement.clone()).collect();
        kept.and_unkept(entries.unkept - mark.unkept)
    }

    /// Every statement.
    pub fn all(&self) -> Statements {
        self.since(Mark { kept: 0, unkept: 0 })
    }

    fn keep(&self, statement: Statement) -> Entry {
        let mut entries = self.lock();
        if entries.kept.len() < MOST && entries.bytes + statement.sql.len() <= MOST_BYTES {
            entries.bytes += statement.sql.len();
            entries.kept.push(Kept { statement, passed_over: false });
            return Entry(entries.kept.len() - 1);
        }
        entries.unkept += 1;
        if entries.unkept == 1 {
            self.transcript.note("Postgres: there are more statements than can be kept; the rest is only counted");
        }
        Entry(usize::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn statement(text: &Text) -> Statement {
    Statement {
        sql: text.sql.as_ref().to_owned(),
        answer: String::new(),
        at: Instant::now(),
        took: Duration::ZERO,
        cut: text.cut,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_there_is_no_room_for_is_counted_all_the_same() {
        let log = Log::new(Transcript::default());
        let long = Text::stand_in(&format!("select * from t where a = '{}'", "x".repeat(MOST_BYTES / 4)));
        for _ in 0..10 {
            log.arrived(&long);
        }
        let mark = log.mark();
        for _ in 0..5 {
            log.arrived(&long);
        }
        assert!(log.since(mark).expect(5, "").is_ok());
        assert!(log.all().expect_at_most(14, "").is_err());
        assert!(log.all().expect(15, "").is_ok());
    }
}
