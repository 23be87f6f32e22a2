//! What happened during one check, in order: HTTP, SQL, Redis and the server's own log.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;

use lab_protocol::{Happening, RunClock, TranscriptEntry};

/// No check needs more to be understood, and a server that floods its log must not fill our memory.
const MOST_ENTRIES: usize = 2_000;
/// The most of one message that is kept, in bytes.
const MOST_BYTES: usize = 2_048;
/// How many of the server's last lines a learner is shown.
const LOG_TAIL: usize = 20;

/// The record of one check. Clones share it.
#[derive(Debug, Clone)]
pub struct Transcript {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    clock: RunClock,
    connections: AtomicU64,
    entries: Mutex<Vec<TranscriptEntry>>,
    log_follower: OnceLock<UnboundedSender<String>>,
}

/// A transcript with a clock of its own, for work outside of a run.
impl Default for Transcript {
    fn default() -> Self {
        Self::new(RunClock::start())
    }
}

impl Transcript {
    /// An empty transcript, whose entries get their times from `clock`.
    pub fn new(clock: RunClock) -> Self {
        let inner =
            Inner { clock, connections: AtomicU64::new(0), entries: Mutex::default(), log_follower: OnceLock::new() };
        Self { inner: Arc::new(inner) }
    }

    /// A number for a new connection, counted from 1.
    pub fn next_connection(&self) -> u64 {
        self.inner.connections.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Bytes the grader sent.
    pub fn sent(&self, connection: u64, bytes: &[u8]) {
        self.push(Happening::Sent { connection, text: show_bytes(bytes) });
    }

    /// Bytes the server sent.
    pub fn received(&self, connection: u64, bytes: &[u8]) {
        self.push(Happening::Received { connection, text: show_bytes(bytes) });
    }

    /// A statement the server ran.
    pub fn sql(&self, statement: &str, answer: &str, took: Duration) {
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.push(Happening::Sql { statement: shorten(statement), answer: shorten(answer), took_us });
    }

    /// A Redis command the server ran.
    pub fn redis(&self, command: &str) {
        self.push(Happening::Redis { command: shorten(command) });
    }

    /// A line the server wrote.
    pub fn log(&self, line: &str) {
        if let Some(follower) = self.inner.log_follower.get() {
            let _ = follower.send(line.to_owned());
        }
        self.push(Happening::Log { line: shorten(line) });
    }

    /// Sends every line the server writes from now on to `follower` too.
    pub fn follow_log(&self, follower: UnboundedSender<String>) {
        let _ = self.inner.log_follower.set(follower);
    }

    /// The last lines the server wrote: as many as a learner reads.
    pub fn log_tail(&self) -> Vec<String> {
        let entries = self.lock();
        let lines = entries.iter().rev().filter_map(|entry| match &entry.what {
            Happening::Log { line } => Some(line.clone()),
            _ => None,
        });
        let mut tail: Vec<String> = lines.take(LOG_TAIL).collect();
        tail.reverse();
        tail
    }

    /// Something the grader did.
    pub fn note(&self, text: impl Into<String>) {
        self.push(Happening::Note { text: text.into() });
    }

    /// Everything so far.
    pub fn entries(&self) -> Vec<TranscriptEntry> {
        self.lock().clone()
    }

    /// Takes over what another transcript of the same run holds.
    pub fn append(&self, entries: Vec<TranscriptEntry>) {
        let mut mine = self.lock();
        let room = MOST_ENTRIES.saturating_sub(mine.len());
        mine.extend(entries.into_iter().take(room));
    }

    fn push(&self, what: Happening) {
        // Read under the lock: the order of the entries is that of their times.
        let mut entries = self.lock();
        let at_us = self.inner.clock.micros();
        if entries.len() < MOST_ENTRIES {
            entries.push(TranscriptEntry { at_us, what });
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<TranscriptEntry>> {
        self.inner.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes as text: UTF-8 as it is, all else escaped, the tail of a long message cut and counted.
pub fn show_bytes(bytes: &[u8]) -> String {
    let shown = &bytes[..bytes.len().min(MOST_BYTES)];
    let mut text = String::with_capacity(shown.len());
    for chunk in shown.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\n' | '\t' => text.push(character),
                '\r' => text.push_str("\\r"),
                c if c.is_control() => text.extend(c.escape_default()),
                c => text.push(c),
            }
        }
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    if bytes.len() > shown.len() {
        text.push_str(&format!("… ({} bytes more)", bytes.len() - shown.len()));
    }
    text
}

/// Text cut to what a transcript keeps of one message.
fn shorten(text: &str) -> String {
    if text.len() <= MOST_BYTES {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(MOST_BYTES);
    format!("{}… ({} bytes more)", &text[..end], text.len() - end)
}
