//! Progress on standard error: one line that changes on a terminal, a line now and then elsewhere.

pub(super) mod words;

use std::io::{IsTerminal as _, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::style::dim;
use crate::events::RunEvent;
use words::{Shown, Words};

/// Where nobody watches a line change, this is often enough.
const SPARSE: Duration = Duration::from_secs(10);

/// Tells how far things are.
#[derive(Debug)]
pub struct Live {
    kind: Kind,
    /// Whether steps stay in sight.
    narrate: bool,
    words: Mutex<Words>,
}

#[derive(Debug)]
enum Kind {
    Silent,
    Bar(ProgressBar),
    Lines { last: Mutex<Option<Instant>> },
}

impl Live {
    /// Tells nothing but warnings and errors.
    pub fn silent() -> Self {
        Self { kind: Kind::Silent, narrate: false, words: Mutex::default() }
    }

    /// Tells in the way that suits standard error; with `narrate`, what is being done stays in sight, a line each.
    pub fn new(narrate: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let kind = if terminal { Kind::Bar(ProgressBar::hidden()) } else { Kind::Lines { last: Mutex::default() } };
        Self { kind, narrate, words: Mutex::default() }
    }

    /// Tells a line now and then, whatever standard error is.
    pub fn lines() -> Self {
        Self { kind: Kind::Lines { last: Mutex::default() }, narrate: false, words: Mutex::default() }
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
        let shown = self.words.lock().unwrap_or_else(PoisonError::into_inner).of(event, self.narrate);
        match (shown, &self.kind) {
            (Shown::Message(text), _) => self.aside(|| write(&text)),
            (Shown::Failure(text), kind) => {
                if let Kind::Bar(bar) = kind {
                    bar.finish_and_clear();
                }
                write(&text);
            }
            (Shown::Nothing, _) | (_, Kind::Silent) => {}
            (Shown::Line(text), _) => self.aside(|| write(&line(&text))),
            (Shown::Clear | Shown::Over(_), Kind::Bar(bar)) => bar.finish_and_clear(),
            (Shown::Now(text) | Shown::NowAndThen(text) | Shown::OnlyNow(text), Kind::Bar(bar)) => {
                spin(bar);
                bar.set_message(text);
            }
            (Shown::Now(text) | Shown::Over(text), Kind::Lines { .. }) => write(&line(&text)),
            (Shown::NowAndThen(text), Kind::Lines { last }) => {
                if is_due(last) {
                    write(&line(&text));
                }
            }
            (Shown::Clear | Shown::OnlyNow(_), Kind::Lines { .. }) => {}
        }
    }
}

fn line(text: &str) -> String {
    format!("{}\n", dim(text))
}

fn write(text: &str) {
    // Without a standard error there is nobody to tell.
    let _ = write!(anstream::stderr(), "{text}");
}

fn is_due(last: &Mutex<Option<Instant>>) -> bool {
    let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
    let due = last.is_none_or(|last| last.elapsed() > SPARSE);
    if due {
        *last = Some(Instant::now());
    }
    due
}

/// Shows the bar: it begins hidden, so that a run that is over at once never flickers.
fn spin(bar: &ProgressBar) {
    if bar.is_hidden() || bar.is_finished() {
        // A new target would not know of the line that a reset draws with the old one, and leave it behind.
        if bar.is_hidden() {
            bar.set_draw_target(indicatif::ProgressDrawTarget::stderr());
        }
        bar.reset();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(120));
    }
}
