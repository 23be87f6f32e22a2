//! Running a helper program to its end, within a time, leaving nothing of it behind.

use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use lab_process::{Signal, die_with_parent, signal_group};

/// How often a helper is looked at.
const TICK: Duration = Duration::from_millis(10);

/// How a helper ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// `None`: it was killed because the time was over.
    pub(crate) status: Option<ExitStatus>,
    /// What it wrote, both streams as they came.
    pub(crate) text: String,
}

impl Outcome {
    pub(crate) fn succeeded(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }

    /// How it ended, in words.
    pub(crate) fn ending(&self, within: Duration) -> String {
        match self.status {
            Some(status) => status.to_string(),
            None => format!("killed after {} s", within.as_secs()),
        }
    }
}

/// Runs `command` with nothing on its stdin.
pub(crate) fn run(
    command: &mut Command,
    within: Duration,
    meanwhile: impl FnMut(u32, Duration),
) -> io::Result<Outcome> {
    run_with_input(command.stdin(Stdio::null()), within, meanwhile)
}

/// Runs `command`, whose stdin has been set, and collects what it writes. `meanwhile`
/// is called again and again with its process id and the time since its start.
pub(crate) fn run_with_input(
    command: &mut Command,
    within: Duration,
    mut meanwhile: impl FnMut(u32, Duration),
) -> io::Result<Outcome> {
    // A file never blocks the writer, and needs no thread to be read.
    let mut output: File = tempfile::tempfile()?;
    command.stdout(output.try_clone()?).stderr(output.try_clone()?);
    die_with_parent(command, Signal::TERM);
    let mut child = command.spawn()?;
    let began = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        if began.elapsed() >= within {
            break None;
        }
        meanwhile(child.id(), began.elapsed());
        thread::sleep(TICK);
    };
    if status.is_none() {
        signal_group(child.id(), Signal::KILL)?;
        child.wait()?;
    }
    let mut bytes = Vec::new();
    output.rewind()?;
    output.read_to_end(&mut bytes)?;
    Ok(Outcome { status, text: String::from_utf8_lossy(&bytes).into_owned() })
}

/// The end of a log, indented to stand under a message.
pub(crate) fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let from = lines.len().saturating_sub(8);
    if lines.is_empty() {
        return " nothing".to_owned();
    }
    lines[from..].iter().flat_map(|line| ["\n    ", line]).collect()
}
