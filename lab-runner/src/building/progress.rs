//! Cargo's standard error: how far it is, what it waits for, and its complaints.
//!
//! Once cargo has begun to build, others write here as well: what a failing build script printed, what a macro prints.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::{Job, PATIENCE};
use crate::context::RunContext;
use crate::events::EventKind;

/// The most that is kept of what cargo says, in bytes.
const MOST_KEPT: usize = 64 << 10;
/// A longer line is cut off, in bytes.
const LONGEST_LINE: usize = 16 << 10;

/// Follows what cargo says.
pub(super) struct Follower<'a> {
    job: &'a Job,
    began: Instant,
    run: &'a RunContext,
    told_of_lock: bool,
    kept: String,
    /// Whether cargo waits for another cargo.
    blocked: &'a AtomicBool,
}

impl<'a> Follower<'a> {
    pub(super) fn new(job: &'a Job, run: &'a RunContext, blocked: &'a AtomicBool) -> Self {
        Self { job, began: Instant::now(), run, told_of_lock: false, kept: String::new(), blocked }
    }

    /// Reads to the end. Gives what is neither progress nor empty.
    pub(super) async fn follow(mut self, mut stderr: impl AsyncRead + Unpin) -> String {
        let (mut buffer, mut pending) = ([0; 4096], Vec::new());
        while let Ok(count @ 1..) = stderr.read(&mut buffer).await {
            for byte in &buffer[..count] {
                if matches!(byte, b'\r' | b'\n') {
                    self.hear(&plain(&pending));
                    pending.clear();
                } else if pending.len() < LONGEST_LINE {
                    pending.push(*byte);
                }
            }
        }
        self.keep(&plain(&pending));
        self.kept
    }

    fn hear(&mut self, line: &str) {
        let late = self.began.elapsed() > PATIENCE;
        let word = line.split_whitespace().next().unwrap_or_default();
        if word.is_empty() {
            return;
        }
        // Cargo takes several locks and tells of each.
        self.blocked.store(word == "Blocking", Ordering::Relaxed);
        if word == "Blocking" {
            if !std::mem::replace(&mut self.told_of_lock, true) {
                self.run.emit(EventKind::Step { text: "waiting for another cargo to finish".into() });
            }
            return;
        }
        if let Some(Step { done, total, now }) = step(line) {
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
