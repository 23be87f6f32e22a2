//! Cargo's standard error: how far it is, what it waits for, and its stderr.
//!
//! Once cargo has begun to build, others write here as well: what a failing build script printed, what a macro prints.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::time::timeout;

use super::watch::OwnCode;
use super::{Job, PROGRESS_DELAY};
use crate::context::RunContext;
use crate::events::EventKind;

/// The most that is kept of what cargo says, in bytes.
const MOST_KEPT: usize = 64 << 10;
/// A longer line is cut off, in bytes.
const LONGEST_LINE: usize = 16 << 10;

/// How often it is looked who holds a lock that cargo has just begun to wait for.
const GLANCE: Duration = Duration::from_millis(50);
/// A wait is told after so long, whoever is waited for. A shorter one is not worth a line.
const TELL_AFTER: Duration = Duration::from_millis(500);

/// For whom cargo waits, as far as that is known: `None` while it does not wait.
#[derive(Debug, Default)]
pub(super) struct Blocked(Mutex<Option<String>>);

impl Blocked {
    fn set(&self, holder: Option<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = holder;
    }

    /// Whoever holds what cargo waits for now.
    pub(super) fn holder(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A wait for a lock that was not told yet.
struct Wait {
    since: Instant,
    /// What is locked, in cargo's words: `build directory`.
    what: String,
}

/// Follows what cargo says.
pub(super) struct Follower<'a> {
    job: &'a Job,
    began: Instant,
    run: &'a RunContext,
    /// Cargo's process.
    process: Option<u32>,
    untold: Option<Wait>,
    told_of_lock: bool,
    kept: String,
    blocked: &'a Blocked,
    own_code: &'a OwnCode,
}

impl<'a> Follower<'a> {
    pub(super) fn new(
        job: &'a Job,
        run: &'a RunContext,
        process: Option<u32>,
        blocked: &'a Blocked,
        own_code: &'a OwnCode,
    ) -> Self {
        let began = Instant::now();
        Self { job, began, run, process, untold: None, told_of_lock: false, kept: String::new(), blocked, own_code }
    }

    /// Reads to the end. Gives what is neither progress nor empty.
    pub(super) async fn follow(mut self, mut stderr: impl AsyncRead + Unpin) -> String {
        let (mut buffer, mut pending) = ([0; 4096], Vec::new());
        loop {
            let glance = if self.untold.is_some() { GLANCE } else { Duration::MAX };
            let count = match timeout(glance, stderr.read(&mut buffer)).await {
                Ok(Ok(count @ 1..)) => count,
                Ok(_) => break,
                Err(_) => {
                    self.report_lock();
                    continue;
                }
            };
            for byte in &buffer[..count] {
                if matches!(byte, b'\r' | b'\n') {
                    self.on_line(&plain(&pending));
                    pending.clear();
                } else if pending.len() < LONGEST_LINE {
                    pending.push(*byte);
                }
            }
        }
        self.keep(&plain(&pending));
        self.kept
    }

    fn on_line(&mut self, line: &str) {
        let late = self.began.elapsed() > PROGRESS_DELAY;
        let word = line.split_whitespace().next().unwrap_or_default();
        if word.is_empty() {
            return;
        }
        // Cargo takes several locks and tells of each.
        if word == "Blocking" {
            let what = line.rsplit(" file lock on ").next().unwrap_or_default().trim().to_owned();
            self.blocked.set(Some("another cargo".into()));
            self.untold = (!self.told_of_lock).then(|| Wait { since: Instant::now(), what });
            return;
        }
        self.blocked.set(None);
        self.untold = None;
        if let Some(Step { done, total, now }) = step(line) {
            self.own_code.note(&now, &self.job.package);
            if late {
                self.run.emit(EventKind::BuildProgress { what: self.job.what.clone(), done, total, now });
            }
            return;
        }
        match word {
            "Compiling" | "Finished" | "Fresh" | "Checking" | "Dirty" | "Downloaded" | "Adding" => {}
            "Updating" | "Downloading" | "Locking" => {
                if late {
                    self.run.emit(EventKind::Step { text: format!("cargo: {}", line.trim()) });
                }
            }
            _ => self.keep(line),
        }
    }

    /// Says for whom cargo waits, as soon as that is known and the wait is worth a line.
    fn report_lock(&mut self) {
        let Some(wait) = &self.untold else { return };
        if wait.since.elapsed() < TELL_AFTER {
            return;
        }
        let holder = self.process.and_then(lab_launcher::waited_for);
        let holder = holder.map_or_else(|| "another cargo".to_owned(), |holder| holder.to_string());
        let text = format!("waiting for {holder}: it has locked cargo's {}", wait.what);
        self.blocked.set(Some(holder));
        self.run.emit(EventKind::Step { text });
        self.untold = None;
        self.told_of_lock = true;
    }

    fn keep(&mut self, line: &str) {
        if self.kept.len() < MOST_KEPT {
            self.kept.push_str(line);
            self.kept.push('\n');
        }
    }
}

fn plain(line: &[u8]) -> String {
    anstream::adapter::strip_str(&String::from_utf8_lossy(line)).to_string()
}

/// How far a build is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    done: u64,
    total: u64,
    now: String,
}

/// Reads cargo's progress line: `Building [====>   ] 45/120: sqlx-postgres, ring`.
fn step(line: &str) -> Option<Step> {
    let rest = line.trim_start().strip_prefix("Building [")?;
    let (_, rest) = rest.split_once("] ")?;
    let (count, now) = rest.split_once(": ").unwrap_or((rest, ""));
    let (done, total) = count.trim().split_once('/')?;
    Some(Step { done: done.parse().ok()?, total: total.parse().ok()?, now: now.trim().to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargos_progress_is_understood() {
        let found = step("    Building [=======>     ] 45/120: sqlx-postgres, ring(build)").unwrap();
        assert_eq!(found, Step { done: 45, total: 120, now: "sqlx-postgres, ring(build)".into() });
        assert_eq!(step("   Compiling ring v0.17"), None);
    }
}
