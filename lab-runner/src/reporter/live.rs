//! Progress on standard error: one line that changes on a terminal, a line now and then elsewhere.

use std::collections::BTreeSet;
use std::io::{IsTerminal as _, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::style::{bad, dim, warn};
use crate::events::{EventKind, RunEvent};

/// Where nobody watches a line change, this is often enough.
const SPARSE: Duration = Duration::from_secs(10);
/// What is built in less, in milliseconds, is not worth a line.
const SOON: u64 = 1000;

/// Tells how far things are.
#[derive(Debug)]
pub struct Live {
    kind: Kind,
    /// Whether steps stay in sight.
    narrate: bool,
    state: Mutex<State>,
}

#[derive(Debug)]
enum Kind {
    Silent,
    Bar(ProgressBar),
    Lines,
}

#[derive(Debug, Default)]
struct State {
    last_line: Option<Instant>,
    running: BTreeSet<String>,
    done: usize,
    planned: usize,
}

impl Live {
    /// Tells nothing but warnings.
    pub fn silent() -> Self {
        Self { kind: Kind::Silent, narrate: false, state: Mutex::default() }
    }

    /// Tells in the way that suits standard error; with `narrate`, what is being done stays in sight, a line each.
    pub fn new(narrate: bool) -> Self {
        let kind = if std::io::stderr().is_terminal() { Kind::Bar(ProgressBar::hidden()) } else { Kind::Lines };
        Self { kind, narrate, state: Mutex::default() }
    }

    /// Prints something else without a bar in the way.
    pub fn aside(&self, print: impl FnOnce()) {
        match &self.kind {
            Kind::Bar(bar) => bar.suspend(print),
            _ => print(),
        }
    }

    /// Shows what of `event` belongs on standard error.
    pub(super) fn show(&self, event: &RunEvent) {
        match &event.kind {
            EventKind::Warning { message, hints } => self.warn(message, hints),
            EventKind::Step { text } if self.narrate => self.say(text),
            EventKind::Step { text } => self.line(text, true),
            EventKind::BuildProgress { what, done, total, now } => self.building(what, *done, *total, now),
            EventKind::BuildFinished { what, took_ms } => {
                self.clear();
                if *took_ms > SOON {
                    self.lines_only(&format!("built {what} in {:.1} s", *took_ms as f64 / 1000.0));
                }
            }
            EventKind::ChecksPlanned { checks } => {
                let mut state = self.state();
                *state = State { planned: checks.len(), ..State::default() };
            }
            EventKind::CheckStarted => {
                self.state().running.extend(event.check.clone());
                self.show_running();
            }
            EventKind::CheckFinished { result } => {
                let mut state = self.state();
                state.running.remove(&result.id);
                state.done += 1;
                drop(state);
                self.show_running();
            }
            EventKind::RunFinished { .. } | EventKind::Serving { .. } => self.clear(),
            EventKind::ServingFailed { diagnostics } => {
                let coloured = &diagnostics.coloured;
                let details = if coloured.is_empty() { &diagnostics.details } else { coloured };
                self.failed(&diagnostics.message, details, &[]);
            }
            EventKind::CommandFailed { message, details, hints } => self.failed(message, details, hints),
            _ => {}
        }
    }

    /// A line of its own that says what goes on.
    pub fn line(&self, text: &str, always: bool) {
        match &self.kind {
            Kind::Silent => {}
            Kind::Bar(bar) => {
                spin(bar);
                bar.set_message(text.to_owned());
            }
            Kind::Lines if always || self.is_due() => say(text),
            Kind::Lines => {}
        }
    }

    /// A line that stays.
    pub fn say(&self, text: &str) {
        self.aside(|| say(text));
    }

    /// Takes the bar away.
    pub fn clear(&self) {
        if let Kind::Bar(bar) = &self.kind {
            bar.finish_and_clear();
        }
    }

    fn lines_only(&self, text: &str) {
        if matches!(self.kind, Kind::Lines) {
            say(text);
        }
    }

    fn building(&self, what: &str, done: u64, total: u64, now: &str) {
        self.line(&format!("building {what}: {done} of {total} crates, now {now}"), false);
    }

    fn show_running(&self) {
        if let Kind::Bar(bar) = &self.kind {
            let state = self.state();
            let names: Vec<&str> = state.running.iter().map(String::as_str).take(4).collect();
            let text = format!("{} of {} checks, now {}", state.done, state.planned, names.join(", "));
            drop(state);
            spin(bar);
            bar.set_message(text);
        }
    }

    fn warn(&self, message: &str, hints: &[String]) {
        self.aside(|| {
            let mut stderr = anstream::stderr();
            let _ = writeln!(stderr, "{} {message}", warn("warning:"));
            for hint in hints {
                let _ = writeln!(stderr, "  {} {hint}", dim("hint:"));
            }
        });
    }

    /// What happened, then what may help, on lines of its own.
    fn failed(&self, message: &str, details: &[String], hints: &[String]) {
        self.clear();
        let mut stderr = anstream::stderr();
        let _ = writeln!(stderr, "{} {message}", bad("error:"));
        for detail in details {
            let _ = writeln!(stderr, "\n{detail}");
        }
        if !hints.is_empty() {
            let _ = writeln!(stderr);
        }
        for hint in hints {
            let _ = writeln!(stderr, "{} {hint}", dim("hint:"));
        }
    }

    fn is_due(&self) -> bool {
        let mut state = self.state();
        let due = state.last_line.is_none_or(|last| last.elapsed() > SPARSE);
        if due {
            state.last_line = Some(Instant::now());
        }
        due
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn say(text: &str) {
    let _ = writeln!(anstream::stderr(), "{}", dim(text));
}

/// Shows the bar: it begins hidden, so that a run that is over at once never flickers.
fn spin(bar: &ProgressBar) {
    if bar.is_hidden() || bar.is_finished() {
        bar.reset();
        bar.set_draw_target(indicatif::ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(120));
    }
}
