//! Progress on standard error: one line that changes on a terminal, a line now and then elsewhere.

use std::collections::BTreeSet;
use std::io::{IsTerminal as _, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::paint::{dim, warn};
use crate::events::Progress;

/// Where nobody watches a line change, this is often enough.
const SPARSE: Duration = Duration::from_secs(10);

/// Tells how far things are.
#[derive(Debug)]
pub struct Live {
    kind: Kind,
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
        Self { kind: Kind::Silent, state: Mutex::default() }
    }

    /// Tells in the way that suits standard error.
    pub fn new() -> Self {
        let kind = if std::io::stderr().is_terminal() { Kind::Bar(ProgressBar::hidden()) } else { Kind::Lines };
        Self { kind, state: Mutex::default() }
    }

    /// Prints something else without a bar in the way.
    pub fn aside(&self, print: impl FnOnce()) {
        match &self.kind {
            Kind::Bar(bar) => bar.suspend(print),
            _ => print(),
        }
    }

    pub(super) fn hear(&self, progress: &Progress) {
        match progress {
            Progress::Warning { message, hints } => self.warn(message, hints),
            Progress::Doing(text) => self.line(text, true),
            Progress::Building { what, done, total, now } => self.building(what, *done, *total, now),
            Progress::Built { what, took } => {
                self.clear();
                self.lines_only(&format!("built {what} in {:.1} s", took.as_secs_f64()));
            }
            Progress::Planned(checks) => {
                let mut state = self.state();
                *state = State { planned: checks.len(), ..State::default() };
            }
            Progress::CheckStarted(id) => {
                self.state().running.insert(id.clone());
                self.show_running();
            }
            Progress::CheckFinished(check) => {
                let mut state = self.state();
                state.running.remove(&check.id);
                state.done += 1;
                drop(state);
                self.show_running();
            }
            Progress::Finished(_) => self.clear(),
            Progress::Serving { .. } | Progress::ServerLog(_) => {}
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

impl Default for Live {
    fn default() -> Self {
        Self::new()
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
