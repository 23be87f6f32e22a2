//! The record of one check's statements, filled by its connections and read by the check.

use std::ops::Deref;
use std::time::{Duration, Instant};

use super::lock_waits::LockWaits;
use super::names::Text;
use super::statement::{Statement, Statements, is_refusal};
use lab_check::exchanges::{EntryId, ExchangeLog, Mark, Recordable as _};
use lab_check::transcript::{Asked, Exchange, Transcript};

/// What results call an exchange with Postgres.
const KIND: &str = "sql";

/// All statements of one check. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Log {
    statements: ExchangeLog<Statement>,
    waits: LockWaits,
}

impl Deref for Log {
    type Target = ExchangeLog<Statement>;

    fn deref(&self) -> &ExchangeLog<Statement> {
        &self.statements
    }
}

impl Log {
    pub fn new(transcript: Transcript) -> Self {
        Self { statements: ExchangeLog::new(transcript), waits: LockWaits::default() }
    }

    /// What becomes known of waits for locks.
    pub fn waits(&self) -> LockWaits {
        self.waits.clone()
    }

    /// The connection's session is this process of Postgres.
    pub fn is_process(&self, process: i32) {
        if let Some(connection) = self.connection() {
            self.waits.is_process(connection, process);
        }
    }

    /// The connection has ended.
    pub fn ended(&self) {
        if let Some(connection) = self.connection() {
            self.waits.ended(connection);
        }
    }

    fn waited(&self, since: Instant) -> Duration {
        self.connection().map_or(Duration::ZERO, |connection| self.waits.answered(connection, since))
    }

    /// The same log for a new connection.
    pub fn of_a_connection(&self) -> Self {
        Self { statements: self.statements.of_a_connection(), waits: self.waits.clone() }
    }

    /// A statement arrived.
    pub fn arrived(&self, text: &Text) -> EntryId {
        if let Some(connection) = self.connection() {
            self.waits.arrived(connection);
        }
        self.keep(statement(text), text.sql.len())
    }

    /// Postgres answered.
    pub fn answered(&self, entry: EntryId, answer: &str) {
        let answered = self.change(entry, |statement| {
            statement.took = statement.at.elapsed();
            statement.answer = answer.to_owned();
            (statement.sql.clone(), statement.took, statement.at)
        });
        if let Some((sql, took, at)) = answered {
            self.record(exchange(sql, answer, is_refusal(answer), took, self.waited(at)));
        }
    }

    /// Postgres answered the next statement of a text that came with `first`.
    pub fn answered_after(&self, first: EntryId, sql: &str, answer: &str) {
        let at = self.change(first, |statement| statement.at).unwrap_or_else(Instant::now);
        let took = at.elapsed();
        self.record(exchange(sql.to_owned(), answer, is_refusal(answer), took, Duration::ZERO));
        let statement = Statement { answer: answer.to_owned(), at, took, ..statement(&Text::stand_in(sql)) };
        self.keep(statement, sql.len());
    }

    /// The text of a statement that was taken for another, such as the first of several.
    pub fn is_really(&self, entry: EntryId, text: &Text) {
        self.change(entry, |statement| {
            if statement.sql != *text.sql {
                statement.sql = text.sql.as_ref().to_owned();
                statement.cut = text.cut;
            }
        });
    }

    /// The text of a statement.
    pub fn text(&self, entry: EntryId) -> Option<String> {
        self.change(entry, |statement| statement.sql.clone())
    }

    /// Its connection ended before the answer.
    pub fn lost(&self, entry: EntryId) {
        if let Some((sql, at)) = self.change(entry, |statement| (statement.sql.clone(), statement.at)) {
            let waited = self.waited(at);
            self.record(exchange(sql, "no answer: the connection was closed", true, at.elapsed(), waited));
        }
    }

    /// The statements that arrived after `mark`.
    pub fn since(&self, mark: Mark) -> Statements {
        Statements::from(self.statements.since(mark))
    }

    /// Every statement.
    pub fn all(&self) -> Statements {
        Statements::from(self.statements.all())
    }
}

fn exchange(sql: String, answer: &str, failed: bool, took: Duration, waited: Duration) -> Exchange {
    let exchange = Exchange::new(KIND, Statement::SERVICE, Asked::Statement(sql)).answered(answer, failed, took);
    Exchange { waited_us: lab_check::transcript::micros(waited), ..exchange }
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
