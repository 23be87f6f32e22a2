//! The record of one check's commands, filled by its connections and read by the check.

use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::command::{Command, Commands, is_connecting};
use super::wire::Arguments;
use lab_check::exchanges::{ExchangeLog, Mark, Recordable as _};
use lab_check::transcript::{Asked, Exchange, Transcript};

/// What results call an exchange with Redis.
const KIND: &str = "redis";
/// What stands in place of a reply that never came.
pub(super) const NO_ANSWER: &str = "no answer: the connection was closed";
/// How many arguments of a command are kept, and how much of each.
const ARGUMENTS: usize = 64;
const BYTES: usize = 200;
/// How many different scripts are kept, as far as the wire keeps them.
const SCRIPTS: usize = 200;

/// All commands of one check. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Log {
    commands: ExchangeLog<Command>,
    scripts: Arc<Mutex<BTreeSet<String>>>,
}

impl Deref for Log {
    type Target = ExchangeLog<Command>;

    fn deref(&self) -> &ExchangeLog<Command> {
        &self.commands
    }
}

impl Log {
    pub fn new(transcript: Transcript) -> Self {
        Self { commands: ExchangeLog::new(transcript), scripts: Arc::default() }
    }

    /// The same log for a new connection.
    pub fn of_a_connection(&self) -> Self {
        Self { commands: self.commands.of_a_connection(), scripts: self.scripts.clone() }
    }

    /// What became of a command: how its reply begins, and how long that took. The reply is empty if it is not known.
    pub fn answered(&self, command: &str, answer: &str, took: Duration) {
        let exchange = Exchange::new(KIND, Command::SERVICE, Asked::Command(command.to_owned()));
        let failed = is_error(answer) || answer == NO_ANSWER;
        // Who is refused a log-in wants to know; an older Redis knows no CLIENT SETINFO, and nobody minds.
        let housekeeping = is_connecting(command) && (!failed || command.starts_with("CLIENT "));
        let exchange = Exchange { housekeeping, ..exchange };
        self.record(if answer.is_empty() { exchange } else { exchange.answered(answer, failed, took) });
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

    /// The commands that arrived after `mark`.
    pub fn since(&self, mark: Mark) -> Commands {
        Commands::from(self.commands.since(mark))
    }

    /// Every command.
    pub fn all(&self) -> Commands {
        Commands::from(self.commands.all())
    }
}

/// Whether a reply is an error, such as `-ERR no such command`. `-1` is a number.
fn is_error(answer: &str) -> bool {
    answer.strip_prefix('-').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()))
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
    fn what_a_client_library_says_unasked_is_told_from_the_servers_own_commands() {
        for (text, unasked) in
            [("CLIENT SETINFO LIB-NAME redis-rs", true), ("HELLO 3", true), ("GET CLIENT", false), ("MULTI", false)]
        {
            assert_eq!(is_connecting(text), unasked, "{text}");
        }
    }

    #[test]
    fn a_negative_number_is_no_error() {
        assert!(is_error("-ERR unknown command") && is_error("-WRONGTYPE"));
        assert!(!is_error("-1") && !is_error("OK") && !is_error(""));
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
