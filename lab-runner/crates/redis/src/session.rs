//! One connection to Redis: logged in by the proxy, recorded, and kept in its own database.

use super::log::Log;
use super::replies::Replies;
use super::rewrite::{CommandRewriter, may_change};
use super::wire::{Reader, written};
use lab_proxy::{Failpoints, Output, Session};

/// How much of a command is held back before it is passed on in pieces.
const HELD: usize = 64 * 1024;
/// The same for a command that may be changed. One that is longer passes as it is.
const HELD_TO_CHANGE: usize = 1024 * 1024;

/// One connection.
pub(super) struct Recorder {
    log: Log,
    failpoints: Failpoints,
    rewriter: CommandRewriter,
    user: String,
    password: String,
    reader: Reader,
    replies: Replies,
    /// The command that is being read, as far as it has not been passed on.
    held: Vec<u8>,
    /// A part of it has been passed on, and so it cannot be changed any more.
    passed: bool,
    blind: bool,
}

impl Recorder {
    pub fn new(log: Log, failpoints: Failpoints, rewriter: CommandRewriter, user: &str, password: &str) -> Self {
        Self {
            log,
            failpoints,
            // Both AUTH and SELECT are answered.
            replies: Replies::new(&rewriter.prefix, 2),
            rewriter,
            user: user.to_owned(),
            password: password.to_owned(),
            reader: Reader::new(),
            held: Vec::new(),
            passed: false,
            blind: false,
        }
    }

    /// What is held cannot wait any longer.
    fn flush_if_long(&mut self, output: &mut Output) {
        let held = match self.reader.name() {
            Some(name) if !may_change(name) => HELD,
            _ => HELD_TO_CHANGE,
        };
        if self.passed || self.held.len() > held {
            output.to_server.append(&mut self.held);
            self.passed = true;
        }
    }
}

impl Session for Recorder {
    fn greeting(&mut self) -> Vec<u8> {
        let login = written(&[b"AUTH", self.user.as_bytes(), self.password.as_bytes()]);
        [login, written(&[b"SELECT", self.rewriter.database.as_bytes()])].concat()
    }

    fn client(&mut self, bytes: &[u8], output: &mut Output) {
        let mut at = 0;
        while at < bytes.len() && !self.blind {
            let Ok((taken, command)) = self.reader.next(&bytes[at..]) else {
                self.blind = true;
                self.log
                    .note("Redis: a connection is no longer recorded, because what it sent is not a command".into());
                break;
            };
            self.held.extend_from_slice(&bytes[at..at + taken]);
            at += taken;
            let Some(command) = command else {
                self.flush_if_long(output);
                continue;
            };
            if !command.list.is_empty() && self.failpoints.at_arrival(&self.log.arrived(&command)) {
                output.end = true;
                return;
            }
            let changed = if self.passed { None } else { self.rewriter.changed(&command) };
            output.to_server.extend(changed.as_deref().unwrap_or(&self.held));
            self.held.clear();
            self.passed = false;
        }
        if self.blind {
            output.to_server.append(&mut self.held);
            output.to_server.extend_from_slice(&bytes[at..]);
        }
    }

    fn server(&mut self, bytes: &[u8], output: &mut Output) {
        if let Err(rejected) = self.replies.pass(bytes, &mut output.to_client) {
            self.log.service_failed(format!("Redis refuses the grader: {}", rejected.0));
            output.end = true;
        }
    }
}
