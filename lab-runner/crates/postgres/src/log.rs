//! The record of one check's statements, filled by its connections and read by the check.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::statement::{Statement, Statements};
use lab_check::transcript::Transcript;

/// No check needs more, and a server that never stops asking must not fill our memory.
const MOST: usize = 200_000;

/// A statement of the log, by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry(usize);

/// All statements of one check. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Log {
    entries: Arc<Mutex<Vec<Kept>>>,
    service_error: Arc<Mutex<Option<String>>>,
    transcript: Transcript,
}

#[derive(Debug)]
struct Kept {
    statement: Statement,
    /// It was never run: something before it in the same pipeline failed.
    passed_over: bool,
}

impl Log {
    pub fn new(transcript: Transcript) -> Self {
        Self { entries: Arc::default(), service_error: Arc::default(), transcript }
    }

    /// A statement arrived.
    pub fn arrived(&self, sql: &str) -> Entry {
        self.keep(Statement { sql: sql.to_owned(), answer: String::new(), at: Instant::now(), took: Duration::ZERO })
    }

    /// Postgres answered.
    pub fn answered(&self, entry: Entry, answer: &str) {
        if let Some(kept) = self.lock().get_mut(entry.0) {
            kept.statement.took = kept.statement.at.elapsed();
            kept.statement.answer = answer.to_owned();
            self.transcript.sql(&kept.statement.sql, answer, kept.statement.took);
        }
    }

    /// Postgres answered the next statement of a text that came with `first`.
    pub fn answered_after(&self, first: Entry, sql: &str, answer: &str) {
        let Some(at) = self.lock().get(first.0).map(|kept| kept.statement.at) else { return };
        let took = at.elapsed();
        self.transcript.sql(sql, answer, took);
        self.keep(Statement { sql: sql.to_owned(), answer: answer.to_owned(), at, took });
    }

    /// The text of a statement that turned out to be the first of several.
    pub fn is_really(&self, entry: Entry, sql: &str) {
        if let Some(kept) = self.lock().get_mut(entry.0) {
            kept.statement.sql = sql.to_owned();
        }
    }

    /// The text of a statement.
    pub fn text(&self, entry: Entry) -> Option<String> {
        self.lock().get(entry.0).map(|kept| kept.statement.sql.clone())
    }

    /// Postgres does not run it.
    pub fn passed_over(&self, entry: Entry) {
        if let Some(kept) = self.lock().get_mut(entry.0) {
            kept.passed_over = true;
        }
    }

    /// Its connection ended before the answer.
    pub fn lost(&self, entry: Entry) {
        if let Some(kept) = self.lock().get(entry.0) {
            self.transcript.sql(
                &kept.statement.sql,
                "no answer: the connection was closed",
                kept.statement.at.elapsed(),
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

    /// The place after the last statement so far.
    pub fn mark(&self) -> usize {
        self.lock().len()
    }

    /// The statements that arrived after `mark`.
    pub fn since(&self, mark: usize) -> Statements {
        self.lock().iter().skip(mark).filter(|kept| !kept.passed_over).map(|kept| kept.statement.clone()).collect()
    }

    fn keep(&self, statement: Statement) -> Entry {
        let mut entries = self.lock();
        if entries.len() < MOST {
            entries.push(Kept { statement, passed_over: false });
            return Entry(entries.len() - 1);
        }
        Entry(usize::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
