//! A private server: the child process, the slot its files are in, and how it is stopped.

use std::fs::{self, File};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use lab_process::{Signal, die_with_parent, signal_process};

use super::account::Account;
use super::identity::Identity;
use super::problem::Problem;
use super::slot::Slot;

/// How long a server gets to stop before it is told again, more firmly.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often a state is looked at that nobody announces.
pub(super) const TICK: Duration = Duration::from_millis(1);

/// The child process, which is asked from several threads whether it still runs.
#[derive(Debug, Clone)]
pub(super) struct Running(Arc<Mutex<Child>>);

impl Running {
    fn child(&self) -> MutexGuard<'_, Child> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How it ended, if it has.
    pub(super) fn ended(&self) -> Option<ExitStatus> {
        self.child().try_wait().ok().flatten()
    }

    /// Sends `signal` if it still runs: the lock keeps its number from being given to another in between.
    fn signal(&self, signal: Signal) {
        let mut child = self.child();
        if matches!(child.try_wait(), Ok(None)) {
            let _ = signal_process(child.id(), signal);
        }
    }

    fn wait(&self, within: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + within;
        loop {
            let ended = self.ended();
            if ended.is_some() || Instant::now() >= deadline {
                return ended;
            }
            thread::sleep(TICK);
        }
    }
}

/// Which signals stop a server: one asks, the next insists. SIGKILL comes last.
#[derive(Debug, Clone, Copy)]
pub(super) struct StopSignals {
    /// Stops it in order; also sent by the kernel when we are killed.
    pub(super) ask: Signal,
    /// Stops it at once.
    pub(super) insist: Signal,
}

/// A private server that was started here.
#[derive(Debug)]
pub(super) struct Instance {
    pub(super) running: Running,
    slot: Slot,
    stop: StopSignals,
    reusable: fn(&Slot) -> bool,
}

impl Instance {
    /// Starts `command` in `slot`'s folder, its output going to the file `log` there. The calling thread must live as
    /// long as the server is wanted.
    pub(super) fn spawn(
        mut command: Command,
        slot: Slot,
        account: Account,
        stop: StopSignals,
        reusable: fn(&Slot) -> bool,
    ) -> Result<Self, (Slot, Problem)> {
        let program = command.get_program().to_string_lossy().into_owned();
        let child = File::create(slot.folder().join("log")).and_then(|log| Ok((log.try_clone()?, log))).and_then(
            |(out, err)| {
                account.apply(&mut command);
                command.current_dir(slot.folder()).stdin(Stdio::null()).stdout(out).stderr(err);
                die_with_parent(&mut command, stop.ask);
                command.spawn()
            },
        );
        match child {
            Ok(child) => {
                if let Some(identity) = Identity::of(child.id()) {
                    // Without the file a leftover is only found by nobody: not worth failing for.
                    let _ = identity.save(&slot.identity_file());
                }
                Ok(Self { running: Running(Arc::new(Mutex::new(child))), slot, stop, reusable })
            }
            Err(error) => Err((slot, Problem::io(format_args!("start {program}"), &error))),
        }
    }

    /// Waits until `ready` says yes. An end of the server or of the time is an error that quotes the log.
    pub(super) fn wait_until(&self, within: Duration, mut ready: impl FnMut() -> bool) -> Result<(), Trouble> {
        let deadline = Instant::now() + within;
        loop {
            if ready() {
                return Ok(());
            }
            if let Some(status) = self.running.ended() {
                let log = self.log();
                let taken = log.contains("Address already in use") || log.contains("could not bind");
                return Err(if taken { Trouble::PortTaken } else { Trouble::Ended(status, last_lines(&log)) });
            }
            if Instant::now() >= deadline {
                return Err(Trouble::Late(within, last_lines(&self.log())));
            }
            thread::sleep(TICK);
        }
    }

    fn log(&self) -> String {
        fs::read(self.slot.folder().join("log"))
            .map(|log| String::from_utf8_lossy(&log).into_owned())
            .unwrap_or_default()
    }

    /// Stops the server, whatever it takes, and gives its slot back: for the next run if it stopped in order, emptied
    /// otherwise.
    pub(super) fn stop(self) {
        let in_order = self.stop_server();
        if !(in_order && (self.reusable)(&self.slot) && self.slot.mark_clean().is_ok()) {
            let _ = self.slot.remove(self.stop.insist);
        }
    }

    /// As [`Instance::stop`], for a server that is to be started anew in the same slot.
    pub(super) fn stop_for_retry(self) -> Slot {
        self.stop_server();
        self.slot
    }

    fn stop_server(&self) -> bool {
        for signal in [self.stop.ask, self.stop.insist, Signal::KILL] {
            self.running.signal(signal);
            if let Some(status) = self.running.wait(PATIENCE) {
                return status.success();
            }
        }
        false
    }
}

/// Why a server did not become ready.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Somebody took the port between its choice and its use.
    PortTaken,
    /// It ended by itself.
    Ended(ExitStatus, String),
    /// It still starts.
    Late(Duration, String),
}

impl Trouble {
    pub(super) fn explain(self, what: &str) -> Problem {
        match self {
            Self::PortTaken => Problem::new(format!("{what} could not have any of the ports that were free")),
            Self::Ended(status, log) => Problem::new(format!("{what} ended at once ({status}); it wrote:{log}")),
            Self::Late(within, log) => {
                Problem::new(format!("{what} was not ready within {} s; it wrote:{log}", within.as_secs()))
            }
        }
    }
}

/// The end of a log, indented to stand under a message.
pub(super) fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let from = lines.len().saturating_sub(8);
    if lines.is_empty() {
        return " nothing".to_owned();
    }
    lines[from..].iter().flat_map(|line| ["\n    ", line]).collect()
}

/// A fresh random secret, in letters that need no quoting anywhere.
pub(super) fn secret() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// What Postgres is told in place of the administrator's password.
pub(super) fn verifier(password: &str) -> String {
    lab_scram::verifier(password, uuid::Uuid::new_v4().as_bytes())
}

/// Clears the environment away: a server of ours must not be set up by the user's variables.
pub(super) fn scrub(command: &mut Command) {
    command.env_clear().env("LC_ALL", "C").env("TZ", "UTC");
    for name in ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
}
