//! The record of one check's commands, filled by its connections and read by the check.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::command::{Command, Commands};
use super::wire::Arguments;
use lab_check::transcript::{self, ServiceConnection, Transcript};

/// No check needs more, and a server that never stops asking must not fill our memory. What comes after is counted.
const MOST: usize = 200_000;
/// The same for the bytes of their arguments.
const MOST_BYTES: usize = 64 * 1024 * 1024;
/// How many arguments of a command are kept, and how much of each.
const ARGUMENTS: usize = 64;
const BYTES: usize = 200;
/// How many different scripts are kept, as far as the wire keeps them.
const SCRIPTS: usize = 200;

/// What the service is called in a transcript.
const SERVICE: &str = "Redis";

/// A place in the log, from which on commands are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    kept: usize,
    unkept: usize,
}

#[derive(Debug, Default)]
struct Entries {
    kept: Vec<Command>,
    bytes: usize,
    /// How many there was no room for.
    unkept: usize,
}

/// All commands of one check. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Log {
    commands: Arc<Mutex<Entries>>,
    scripts: Arc<Mutex<BTreeSet<String>>>,
    service_error: Arc<Mutex<Option<String>>>,
    transcript: Transcript,
    connections: Arc<AtomicU64>,
    /// The connection that this clone records.
    connection: Option<u64>,
}

impl Log {
    pub fn new(transcript: Transcript) -> Self {
        Self {
            commands: Arc::default(),
            scripts: Arc::default(),
            service_error: Arc::default(),
            transcript,
            connections: Arc::default(),
            connection: None,
        }
    }

    /// The same log for a new connection.
    pub fn of_a_connection(&self) -> Self {
        Self { connection: Some(self.connections.fetch_add(1, Ordering::Relaxed) + 1), ..self.clone() }
    }

    /// What became of a command: how its reply begins, and how long that took.
    pub fn answered(&self, command: &str, answer: &str, took: Duration) {
        let on = ServiceConnection { service: Some(SERVICE.to_owned()), number: self.connection };
        self.transcript.redis(command, answer, took, on);
    }

    /// A failpoint has cut the connection.
    pub fn cut(&self) {
        let mark = transcript::Mark::Cut { service: SERVICE.to_owned() };
        self.transcript.mark(format!("{SERVICE}: the connection was cut here by the check"), mark);
    }

    /// A command arrived. Gives it as text.
    pub fn arrived(&self, arguments: &Arguments) -> String {
        let mut texts = arguments.list.iter().take(ARGUMENTS).map(|argument| text(argument));
        let name = texts.next().unwrap_or_default().to_ascii_uppercase();
        let command = Command { name, args: texts.collect(), at: Instant::now() };
        let shown = command.to_string();
        self.keep_script(arguments);
        self.keep(command, shown.len());
        shown
    }

    /// The text of every script so far.
    pub fn scripts(&self) -> Vec<String> {
        self.scripts.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Keeps the text of a script that a command brings: an argument of the list above is too short for it.
    fn keep_script(&self, arguments: &Arguments) {
        let is = |place: usize, word: &str| {
            arguments.list.get(place).is_some_and(|given| given.eq_ignore_ascii_case(word.as_bytes()))
        };
        let script = match arguments.list.as_slice() {
            [_, script, ..] if is(0, "EVAL") || is(0, "EVAL_RO") => script,
            [_, _, script, ..] if is(0, "SCRIPT") && is(1, "LOAD") => script,
            _ => return,
        };
        let mut scripts = self.scripts.lock().unwrap_or_else(PoisonError::into_inner);
        if scripts.len() < SCRIPTS {
            scripts.insert(String::from_utf8_lossy(script).into_owned());
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

    /// The place after the last command so far.
    pub fn mark(&self) -> Mark {
        let entries = self.lock();
        Mark { kept: entries.kept.len(), unkept: entries.unkept }
    }

    /// The commands that arrived after `mark`.
    pub fn since(&self, mark: Mark) -> Commands {
        let entries = self.lock();
        let kept: Commands = entries.kept.iter().skip(mark.kept).cloned().collect();
        kept.and_unkept(entries.unkept - mark.unkept)
    }

    /// Every command.
    pub fn all(&self) -> Commands {
        self.since(Mark { kept: 0, unkept: 0 })
    }

    fn keep(&self, command: Command, bytes: usize) {
        let mut entries = self.lock();
        if entries.kept.len() < MOST && entries.bytes + bytes <= MOST_BYTES {
            entries.bytes += bytes;
            entries.kept.push(command);
            return;
        }
        entries.unkept += 1;
        if entries.unkept == 1 {
            self.transcript.note("Redis: there are more commands than can be kept; the rest is only counted");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.commands.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn text(argument: &[u8]) -> String {
    if argument.len() <= BYTES {
        return String::from_utf8_lossy(argument).into_owned();
    }
    // Not in the middle of a character, unless it is no text anyway.
    let end = (BYTES - 3..=BYTES).rev().find(|&end| argument[end] & 0xc0 != 0x80).unwrap_or(BYTES);
    format!("{}…", String::from_utf8_lossy(&argument[..end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_there_is_no_room_for_is_counted_all_the_same() {
        let log = Log::new(Transcript::default());
        let arguments = Arguments { list: vec![b"GET".to_vec(), b"k".to_vec()], whole: true };
        (0..MOST + 10).for_each(|_| drop(log.arrived(&arguments)));
        let mark = log.mark();
        (0..5).for_each(|_| drop(log.arrived(&arguments)));
        assert!(log.since(mark).expect(5, "").is_ok());
        assert!(log.all().expect(MOST + 15, "").is_ok());
    }

    #[test]
    fn a_script_is_kept_whole_and_once() {
        let log = Log::new(Transcript::default());
        let long = format!("return {}1", " ".repeat(BYTES));
        for list in
            [&["eval", &long, "0"][..], &["EVAL", &long, "1", "k"], &["Script", "Load", "return 2"], &["GET", "k"]]
        {
            log.arrived(&Arguments { list: list.iter().map(|word| word.as_bytes().to_vec()).collect(), whole: true });
        }
        assert_eq!(log.scripts(), [long, "return 2".to_owned()]);
    }
}
