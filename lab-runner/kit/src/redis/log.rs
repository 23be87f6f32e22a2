//! The record of one check's commands, filled by its connections and read by the check.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::command::{Command, Commands};
use super::wire::Arguments;
use crate::transcript::Transcript;

/// No check needs more, and a server that never stops asking must not fill our memory.
const MOST: usize = 200_000;
/// How many arguments of a command are kept, and how much of each.
const ARGUMENTS: usize = 64;
const BYTES: usize = 200;

/// All commands of one check. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Log {
    commands: Arc<Mutex<Vec<Command>>>,
    trouble: Arc<Mutex<Option<String>>>,
    transcript: Transcript,
}

impl Log {
    pub fn new(transcript: Transcript) -> Self {
        Self { commands: Arc::default(), trouble: Arc::default(), transcript }
    }

    /// A command arrived. Gives it as text.
    pub fn arrived(&self, arguments: &Arguments) -> String {
        let mut texts = arguments.list.iter().take(ARGUMENTS).map(|argument| text(argument));
        let name = texts.next().unwrap_or_default().to_ascii_uppercase();
        let command = Command { name, args: texts.collect(), at: Instant::now() };
        let shown = command.to_string();
        self.transcript.redis(&shown);
        let mut commands = self.lock();
        if commands.len() < MOST {
            commands.push(command);
        }
        shown
    }

    /// Something to be told in the transcript.
    pub fn note(&self, text: String) {
        self.transcript.note(text);
    }

    /// Something went wrong on our side.
    pub fn trouble(&self, what: String) {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(what);
    }

    /// What went wrong on our side, if anything did.
    pub fn troubled(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The place after the last command so far.
    pub fn mark(&self) -> usize {
        self.lock().len()
    }

    /// The commands that arrived after `mark`.
    pub fn since(&self, mark: usize) -> Commands {
        self.lock().iter().skip(mark).cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Command>> {
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
