//! What happened during one check, in order: HTTP, exchanges with services and the server's own log.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tokio::sync::mpsc::UnboundedSender;

use lab_protocol::{Happening, RunClock, TranscriptEntry};

pub use lab_protocol::{Asked, Exchange, Mark, micros};

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
    record: Mutex<Record>,
    log_follower: OnceLock<UnboundedSender<String>>,
    /// The commands that repeat by hand what was sent last, if they are kept; several were sent at once.
    commands: OnceLock<Mutex<Vec<String>>>,
}

#[derive(Default)]
struct Record {
    entries: Vec<TranscriptEntry>,
    /// How many there was no room for.
    left_out: usize,
    /// Who is told of each entry the moment it is made.
    reader: Option<Reader>,
}

type Reader = Box<dyn Fn(&TranscriptEntry) + Send>;

/// A transcript with a clock of its own, for work outside of a run.
impl Default for Transcript {
    fn default() -> Self {
        Self::new(RunClock::start())
    }
}

impl Transcript {
    /// An empty transcript, whose entries get their times from `clock`.
    pub fn new(clock: RunClock) -> Self {
        Self::with(clock, Record::default())
    }

    /// The same, with each entry given to `reader` the moment it is made. What the transcript has no room for is not
    /// given to it either. The reader is called in the order of the entries, and must return at once.
    pub fn followed(clock: RunClock, reader: impl Fn(&TranscriptEntry) + Send + 'static) -> Self {
        Self::with(clock, Record { reader: Some(Box::new(reader)), ..Record::default() })
    }

    fn with(clock: RunClock, record: Record) -> Self {
        let connections = AtomicU64::new(0);
        let (log_follower, commands) = (OnceLock::new(), OnceLock::new());
        let inner = Inner { clock, connections, record: Mutex::new(record), log_follower, commands };
        Self { inner: Arc::new(inner) }
    }

    /// A number for a new connection, counted from 1.
    pub fn next_connection(&self) -> u64 {
        self.inner.connections.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Bytes the grader sent.
    pub fn sent(&self, connection: u64, bytes: &[u8]) {
        self.push(Happening::Sent { connection, text: show_bytes(bytes), port: None });
    }

    /// The same, to the server on `port`.
    pub fn sent_to(&self, port: u16, connection: u64, bytes: &[u8]) {
        self.push(Happening::Sent { connection, text: show_bytes(bytes), port: Some(port) });
    }

    /// Bytes the server sent.
    pub fn received(&self, connection: u64, bytes: &[u8]) {
        self.push(Happening::Received { connection, text: show_bytes(bytes) });
    }

    /// What the server asked of a service. Long texts are shortened.
    ///
    /// ```
    /// use lab_check::transcript::{Asked, Exchange, Transcript};
    ///
    /// let transcript = Transcript::default();
    /// transcript.exchanged(Exchange::new("redis", "redis", Asked::Command("GET event:7".into())));
    /// ```
    pub fn exchanged(&self, exchange: Exchange) {
        let asked = match exchange.asked {
            Asked::Statement(text) => Asked::Statement(shorten(&text)),
            Asked::Command(text) => Asked::Command(shorten(&text)),
        };
        let answer = exchange.answer.as_deref().map(shorten);
        self.push(Happening::Exchange(Exchange { asked, answer, ..exchange }));
    }

    /// A line the server wrote.
    pub fn log(&self, line: &str) {
        self.wrote(line, None);
    }

    /// A line that the server on `port` wrote.
    pub fn log_of(&self, port: u16, line: &str) {
        self.wrote(line, Some(port));
    }

    fn wrote(&self, line: &str, port: Option<u16>) {
        if let Some(follower) = self.inner.log_follower.get() {
            let _ = follower.send(line.to_owned());
        }
        self.push(Happening::Log { line: shorten(line), port });
    }

    /// Sends every line the server writes from now on to `follower` too.
    pub fn follow_log(&self, follower: UnboundedSender<String>) {
        let _ = self.inner.log_follower.set(follower);
    }

    /// From now on keeps the commands that repeat by hand what was sent last.
    pub fn keep_commands(&self) {
        self.inner.commands.get_or_init(Mutex::default);
    }

    /// Something was sent that `commands` repeat by hand; several were sent at once. They are made only where they are
    /// kept.
    pub fn repeatable(&self, commands: impl FnOnce() -> Vec<String>) {
        if let Some(kept) = self.inner.commands.get() {
            let commands = commands();
            *kept.lock().unwrap_or_else(PoisonError::into_inner) = commands;
        }
    }

    /// The commands that repeat by hand what was sent last, if they are kept and anything was.
    pub fn last_commands(&self) -> Vec<String> {
        let kept = self.inner.commands.get().map(|kept| kept.lock().unwrap_or_else(PoisonError::into_inner));
        kept.map(|kept| kept.clone()).unwrap_or_default()
    }

    /// The last lines the server wrote: as many as a learner reads.
    pub fn log_tail(&self) -> Vec<String> {
        let record = self.lock();
        let lines = record.entries.iter().rev().filter_map(|entry| match &entry.what {
            Happening::Log { line, .. } => Some(line.clone()),
            _ => None,
        });
        let mut tail: Vec<String> = lines.take(LOG_TAIL).collect();
        tail.reverse();
        tail
    }

    /// Something the grader did.
    pub fn note(&self, text: impl Into<String>) {
        self.push(Happening::Note { text: text.into(), mark: None });
    }

    /// Something the grader did or saw, with what it marks on a timeline.
    pub fn mark(&self, text: impl Into<String>, mark: Mark) {
        self.push(Happening::Note { text: text.into(), mark: Some(mark) });
    }

    /// Everything so far.
    pub fn entries(&self) -> Vec<TranscriptEntry> {
        self.lock().entries.clone()
    }

    /// Everything, now that nothing more is told: what is still recorded reaches no reader. What there was no room for is
    /// counted in a last line.
    pub fn conclude(&self) -> Vec<TranscriptEntry> {
        let mut record = self.lock();
        if record.left_out > 0 && record.reader.is_some() {
            let text = format!("{} more entries are left out", record.left_out);
            record
                .push(TranscriptEntry { at_us: self.inner.clock.micros(), what: Happening::Note { text, mark: None } });
        }
        record.reader = None;
        record.entries.clone()
    }

    /// Takes over what another transcript of the same run holds.
    pub fn append(&self, entries: Vec<TranscriptEntry>) {
        let mut record = self.lock();
        entries.into_iter().for_each(|entry| record.add(entry));
    }

    fn push(&self, what: Happening) {
        // Read under the lock: the order of the entries is that of their times.
        let mut record = self.lock();
        let at_us = self.inner.clock.micros();
        record.add(TranscriptEntry { at_us, what });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Record> {
        self.inner.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Record {
    fn add(&mut self, entry: TranscriptEntry) {
        if self.entries.len() < MOST_ENTRIES {
            self.push(entry);
        } else {
            self.left_out += 1;
        }
    }

    fn push(&mut self, entry: TranscriptEntry) {
        if let Some(reader) = &self.reader {
            reader(&entry);
        }
        self.entries.push(entry);
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Record").field("entries", &self.entries).finish_non_exhaustive()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_gets_just_what_the_transcript_keeps_until_it_is_concluded() {
        let (told, hears) = std::sync::mpsc::channel();
        let transcript = Transcript::followed(RunClock::start(), move |entry| told.send(entry.clone()).unwrap());
        (0..MOST_ENTRIES + 500).for_each(|number| transcript.log(&format!("{number} {}", "x".repeat(10_000))));
        let kept = transcript.conclude();
        transcript.note("the database is dropped");
        let told: Vec<TranscriptEntry> = hears.iter().collect();
        assert_eq!(told.len(), MOST_ENTRIES + 1);
        assert_eq!(told, kept);
        let last = Happening::Note { text: "500 more entries are left out".into(), mark: None };
        assert_eq!(told.last().map(|entry| &entry.what), Some(&last));
        let longest =
            |entry: &TranscriptEntry| matches!(&entry.what, Happening::Log { line, .. } if line.len() > 2_100);
        assert!(!told.iter().any(longest));
    }
}
