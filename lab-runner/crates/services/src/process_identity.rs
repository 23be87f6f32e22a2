//! Telling a process of ours from a later one that was given the same number.

use std::fs;
use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use lab_process::{Signal, signal_process};

use crate::platform::started;

/// How long a leftover gets between being asked to stop and being killed.
const END_TIMEOUT: Duration = Duration::from_secs(3);

/// A process and when it started: together they never come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProcessIdentity {
    pid: u32,
    started: String,
}

impl ProcessIdentity {
    /// The identity of the running process `pid`, if there is one.
    pub(crate) fn of(pid: u32) -> Option<Self> {
        started(pid).map(|started| Self { pid, started })
    }

    pub(crate) fn save(&self, file: &Path) -> io::Result<()> {
        fs::write(file, format!("{}\n{}\n", self.pid, self.started))
    }

    pub(crate) fn load(file: &Path) -> Option<Self> {
        let text = fs::read_to_string(file).ok()?;
        let (pid, started) = text.split_once('\n')?;
        Some(Self { pid: pid.parse().ok()?, started: started.trim_end().to_owned() })
    }

    pub(crate) fn is_running(&self) -> bool {
        Self::of(self.pid).as_ref() == Some(self)
    }

    /// Ends the process if it still runs: politely with `signal`, then with SIGKILL.
    pub(crate) fn end(&self, signal: Signal) {
        for signal in [signal, Signal::KILL] {
            if !self.is_running() {
                return;
            }
            let _ = signal_process(self.pid, signal);
            let deadline = Instant::now() + END_TIMEOUT;
            while self.is_running() && Instant::now() < deadline {
                thread::sleep(Duration::from_millis(2));
            }
        }
    }
}
