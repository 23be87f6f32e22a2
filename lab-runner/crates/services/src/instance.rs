//! A private server: the child process, the slot its files are in, and how it is stopped.

use std::fs::{self, File};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use lab_process::{Signal, die_with_parent, signal_process};

use crate::account::Account;
use crate::command::last_lines;
use crate::error::ProviderError;
use crate::process_identity::ProcessIdentity;
use crate::program::ServiceProgram;
use crate::slot::Slot;

/// How long a server gets to stop before the next, firmer signal.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);
/// How often a state is polled that nobody announces.
pub(crate) const TICK: Duration = Duration::from_millis(1);
/// Data folders in order that are kept for later runs, of one service and variant.
const KEPT_FOLDERS: u32 = 2;

/// The child process, which is asked from several threads whether it still runs.
#[derive(Debug, Clone)]
pub(crate) struct ServerProcess(Arc<Mutex<Child>>);

impl ServerProcess {
    fn child(&self) -> MutexGuard<'_, Child> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&self) -> Option<ExitStatus> {
        self.child().try_wait().ok().flatten()
    }

    /// Sends `signal` if it still runs: the lock keeps its number from being given to another in between.
    fn signal(&self, signal: Signal) {
        let mut child = self.child();
        if matches!(child.try_wait(), Ok(None)) {
            let _ = signal_process(child.id(), signal);
        }
    }

    fn wait(&self, timeout: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + timeout;
        loop {
            let ended = self.ended();
            if ended.is_some() || Instant::now() >= deadline {
                return ended;
            }
            thread::sleep(TICK);
        }
    }
}

/// A private server that was started here.
pub(crate) struct Instance {
    pub(crate) process: ServerProcess,
    slot: Slot,
    runner: &'static dyn ServiceProgram,
}

impl std::fmt::Debug for Instance {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Instance").field("slot", &self.slot).finish_non_exhaustive()
    }
}

impl Instance {
    /// Starts `command` in `slot`, its output going to the file `log` there. The calling thread must live as long as
    /// the server is wanted.
    pub(crate) fn spawn(
        mut command: Command,
        slot: Slot,
        account: Account,
        runner: &'static dyn ServiceProgram,
    ) -> Result<Self, (Slot, ProviderError)> {
        let program = command.get_program().to_string_lossy().into_owned();
        let child = File::create(slot.folder().join("log")).and_then(|log| Ok((log.try_clone()?, log))).and_then(
            |(out, err)| {
                account.apply(&mut command);
                command.current_dir(slot.data()).stdin(Stdio::null()).stdout(out).stderr(err);
                die_with_parent(&mut command, runner.stop_signals().ask);
                command.spawn()
            },
        );
        match child {
            Ok(child) => {
                if let Some(identity) = ProcessIdentity::of(child.id()) {
                    // Without the file a leftover is only found by nobody: not worth failing for.
                    let _ = identity.save(&slot.identity_file());
                }
                Ok(Self { process: ServerProcess(Arc::new(Mutex::new(child))), slot, runner })
            }
            Err(error) => Err((slot, ProviderError::io(format_args!("start {program}"), &error))),
        }
    }

    /// Waits until `ready` says yes. An end of the server or of the time is an error that quotes the log.
    pub(crate) fn wait_until(&self, timeout: Duration, mut ready: impl FnMut() -> bool) -> Result<(), StartError> {
        let deadline = Instant::now() + timeout;
        loop {
            if ready() {
                return Ok(());
            }
            if let Some(status) = self.process.ended() {
                let log = self.log();
                // "Address already in use" in most programs' mouths.
                let taken = log.contains("ddress already in use") || log.contains("could not bind");
                return Err(if taken { StartError::PortTaken } else { StartError::Exited(status, last_lines(&log)) });
            }
            if Instant::now() >= deadline {
                return Err(StartError::TimedOut { timeout, output: last_lines(&self.log()) });
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
    pub(crate) fn stop(self) {
        let in_order = self.stop_server();
        let keep = in_order && self.slot.number() < KEPT_FOLDERS && self.runner.can_reuse(&self.slot.data());
        if !(keep && self.slot.mark_clean().is_ok()) {
            let _ = self.slot.remove(self.runner.stop_signals().insist);
        }
    }

    /// As [`Instance::stop`], for a server that is to be started anew in the same slot.
    pub(crate) fn stop_for_retry(self) -> Slot {
        self.stop_server();
        self.slot
    }

    fn stop_server(&self) -> bool {
        let signals = self.runner.stop_signals();
        for signal in [signals.ask, signals.insist, Signal::KILL] {
            self.process.signal(signal);
            if let Some(status) = self.process.wait(STOP_TIMEOUT) {
                return status.success();
            }
        }
        false
    }
}

/// Why a server did not become ready.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// Somebody took the port between its choice and its use.
    #[error("could not get any of the ports that were free")]
    PortTaken,
    /// It ended by itself.
    #[error("exited during startup ({0}); its last output:{1}")]
    Exited(ExitStatus, String),
    /// It still starts.
    #[error("was not ready within {} s; its last output:{output}", timeout.as_secs())]
    TimedOut { timeout: Duration, output: String },
}

impl StartError {
    /// The same as a sentence about `program`.
    pub(crate) fn of(&self, program: &str) -> ProviderError {
        ProviderError::new(format!("{program} {self}"))
    }
}
