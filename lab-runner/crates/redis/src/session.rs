//! One connection to Redis: logged in by the proxy, recorded, and kept in its own database.

use std::time::{Duration, Instant};

use super::log::Log;
use super::pairing::Pairing;
use super::replies::Replies;
use super::rewrite::{CommandRewriter, may_change};
use super::wire::{Arguments, Reader, written};
use lab_proxy::{Failpoints, Output, Session};

/// How much of a command is held back before it is passed on in pieces.
const HELD: usize = 64 * 1024;
/// The same for a command that may be changed. One that is longer is refused.
const HELD_TO_CHANGE: usize = 1024 * 1024;

/// The most that a client may say before the proxy's own commands are answered.
const MOST_EARLY: usize = 16 * 1024 * 1024;
/// How long the proxy's own commands are tried again while a script runs that does not end.
const PATIENCE: Duration = Duration::from_secs(15);

/// One connection.
pub(super) struct Recorder {
    log: Log,
    failpoints: Failpoints,
    rewriter: CommandRewriter,
    user: String,
    password: String,
    reader: Reader,
    replies: Replies,
    pairing: Pairing,
    /// The command that is being read, as far as it has not been passed on.
    held: Vec<u8>,
    /// A part of it has been passed on, and so it cannot be changed any more.
    passed: bool,
    /// What the client said before the proxy's own commands were answered: it must not run in another database.
    early: Vec<u8>,
    /// When the connection began.
    began: Instant,
    /// The connection has ended, and nothing passes any more.
    ended: bool,
}

impl Recorder {
    pub fn new(log: Log, failpoints: Failpoints, rewriter: CommandRewriter, user: &str, password: &str) -> Self {
        Self {
            pairing: Pairing::new(log.clone()),
            log,
            failpoints,
            // Both AUTH and SELECT are answered.
            replies: Replies::new(&rewriter.prefix, rewriter.scripts.clone(), rewriter.connection, 2),
            rewriter,
            user: user.to_owned(),
            password: password.to_owned(),
            reader: Reader::new(),
            held: Vec::new(),
            passed: false,
            early: Vec::new(),
            began: Instant::now(),
            ended: false,
        }
    }

    /// One of the proxy's own commands again.
    fn own_command(&self, place: usize) -> Vec<u8> {
        match place {
            2 => written(&[b"AUTH", self.user.as_bytes(), self.password.as_bytes()]),
            _ => written(&[b"SELECT", self.rewriter.database.as_bytes()]),
        }
    }

    /// What is held cannot wait any longer; gives whether it may not pass as it is.
    fn flush_if_long(&mut self, output: &mut Output) -> bool {
        let changes = self.reader.name().is_none_or(may_change);
        if self.held.len() > HELD_TO_CHANGE && changes {
            return true;
        }
        if self.passed || (self.held.len() > HELD && !changes) {
            output.to_server.append(&mut self.held);
            self.passed = true;
        }
        false
    }

    /// Ends the connection, as Redis does with one that breaks the protocol.
    fn refuse(&mut self, why: &str, output: &mut Output) {
        self.ended = true;
        self.log.note(format!("Redis: a connection was ended, because it cannot be recorded: {why}"));
        output.to_client.extend(format!("-ERR Protocol error: {why}\r\n").into_bytes());
        output.close = true;
    }

    /// Passes on a command that has been read to its end, as what it is made to mean.
    fn pass(&mut self, command: Arguments, output: &mut Output) {
        let changes = !self.passed && command.list.first().is_some_and(|name| may_change(name));
        let whole = if changes && !command.whole { Reader::read_whole(&self.held) } else { Some(command) };
        let changed = whole.filter(|_| changes).and_then(|command| self.rewriter.changed(&command));
        output.to_server.extend(changed.as_deref().unwrap_or(&self.held));
        self.held.clear();
        self.passed = false;
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.rewriter.subscriptions.end(self.rewriter.connection);
    }
}

impl Session for Recorder {
    fn greeting(&mut self) -> Vec<u8> {
        [self.own_command(2), self.own_command(1)].concat()
    }

    fn client(&mut self, bytes: &[u8], output: &mut Output) {
        let mut at = 0;
        if self.replies.awaits_greeting() > 0 {
            self.early.extend_from_slice(bytes);
            if self.early.len() > MOST_EARLY {
                self.refuse("too much was sent before the connection was accepted", output);
            }
            return;
        }
        while at < bytes.len() && !self.ended {
            let Ok((taken, command)) = self.reader.next(&bytes[at..]) else {
                return self.refuse("what was sent is not a command", output);
            };
            self.held.extend_from_slice(&bytes[at..at + taken]);
            at += taken;
            let Some(command) = command else {
                if self.flush_if_long(output) {
                    self.refuse("this command is too long for the labs", output);
                }
                continue;
            };
            if !command.list.is_empty() {
                let shown = self.log.arrived(&command);
                let cut = self.failpoints.at_arrival(&shown);
                self.pairing.sent(shown);
                if cut {
                    self.log.cut();
                    self.ended = true;
                    output.end = true;
                    return;
                }
            }
            self.pass(command, output);
        }
    }

    fn server(&mut self, bytes: &[u8], output: &mut Output) {
        let (awaited, from) = (self.replies.awaits_greeting(), output.to_client.len());
        let passed = self.replies.pass(bytes, &mut output.to_client);
        self.pairing.received(&output.to_client[from..]);
        if let Err(rejected) = passed {
            self.log.service_failed(format!("Redis refuses the grader: {}", rejected.0));
            output.end = true;
        } else if self.replies.take_busy() {
            // The script is on its way to being killed. This is no fault of the service's, and none of this client's.
            if self.began.elapsed() > PATIENCE {
                self.log.service_failed("Redis refuses the grader: a script runs and cannot be killed".into());
                output.end = true;
            } else {
                output.to_server.extend(self.own_command(self.replies.awaits_greeting()));
            }
        } else if awaited > 0 && self.replies.awaits_greeting() == 0 {
            let early = std::mem::take(&mut self.early);
            self.client(&early, output);
        }
    }
}
