//! One connection of the server under test: its start, then its session.

use super::log::Log;
use super::login::{Account, Login, Stage};
use super::session::Recorder;
use lab_proxy::{Failpoints, Output, Protocol, Session};

/// Records each connection into the same log.
pub(super) struct Recording {
    pub log: Log,
    pub failpoints: Failpoints,
    pub account: Account,
}

impl Protocol for Recording {
    fn session(&self) -> Box<dyn Session> {
        let log = self.log.of_a_connection();
        Box::new(Connection {
            login: Login::new(self.account.clone()),
            recorder: Recorder::new(log.clone(), self.failpoints.clone()),
            log,
        })
    }

    fn unreachable(&self, reason: &str) {
        self.log.service_failed(format!("Postgres could not be reached: {reason}"));
    }
}

struct Connection {
    login: Login,
    recorder: Recorder,
    log: Log,
}

impl Session for Connection {
    fn client(&mut self, bytes: &[u8], output: &mut Output) {
        let rest = &bytes[self.login.client(bytes, output)..];
        if let Some(why) = self.login.take_refused() {
            self.log.note(format!("Postgres: a connection was refused by the proxy: {why}"));
        }
        if self.login.stage == Stage::Done {
            self.recorder.client(rest, output);
        }
    }

    fn server(&mut self, bytes: &[u8], output: &mut Output) {
        let began = self.login.stage == Stage::SigningIn;
        let rest = &bytes[self.login.server(bytes, output)..];
        if let Some(error) = self.login.take_service_error() {
            self.log.service_failed(error);
        }
        match self.login.stage {
            Stage::Done => {
                let refusal = self.login.take_refusal();
                self.recorder.server(&[&refusal, rest].concat(), output);
            }
            // Postgres answers nothing to a cancellation, and who was refused has been told why.
            Stage::Starting | Stage::Asking | Stage::SigningIn | Stage::Cancelling | Stage::Refused => {}
        }
        if began && self.login.stage == Stage::Done {
            self.recorder.client(&self.login.take_early(), output);
        }
    }
}
