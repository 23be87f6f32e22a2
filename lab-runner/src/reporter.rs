//! Reporters: readers of the event stream, and the only ones that print.
//!
//! Results go to standard output in the format that was asked for, progress and warnings to standard error.

mod audit;
mod bench;
mod files;
mod grades;
mod human;
mod inert;
mod junit;
mod kits;
mod labs;
mod learner;
mod live;
mod machine;
mod mutants;
mod overview;
mod pager;
mod prompt;
mod refresh;
mod serving;
mod similarity;
mod style;
#[cfg(test)]
mod tests;
mod tried;
mod watch;

use std::io::{self, Write as _};
use std::sync::{Mutex, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

use crate::error::Error;
use crate::events::{EventKind, EventSink, RunEvent};
use crate::grade;
use crate::report::Check;

pub use human::Human;
pub use inert::{inert, report as inert_report};
pub use junit::to_junit;
pub use live::Live;
pub use prompt::{ask, can_ask};
pub use watch::{WatchLines, WatchScreen, Wish};

/// The formats a result can be printed in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Human,
    /// `backend-labs/result/v1`; see lab-runner/schema/README.md.
    Json,
    /// JUnit XML, as CI systems read it.
    Junit,
    /// One that the program `lab-results` writes: what is printed comes as an event of its own.
    #[value(skip)]
    Converted,
}

/// How results are told.
#[derive(Debug, Clone, Default)]
pub struct Style {
    /// The format on standard output.
    pub format: Format,
    /// Only the score, and no progress.
    pub quiet: bool,
    /// All hints, in place of the first.
    pub all_hints: bool,
    /// Every result and every failure, in place of what fits one screen.
    pub everything: bool,
    /// Whether steps stay in sight, a line each: for commands that do many things in a row.
    pub narrate: bool,
    /// The folder to write result.json, junit.xml and report.txt to; report.html and trace.json are made of these.
    pub folder: Option<Utf8PathBuf>,
}

/// Prints one run as its [`Style`] has it.
#[derive(Debug)]
pub struct Reporter {
    style: Style,
    live: Live,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    human: Human,
    /// The first result that could not be written.
    failed: Option<Error>,
}

impl Reporter {
    /// A reporter for one run.
    pub fn new(style: Style) -> Self {
        let live = if style.quiet { Live::silent() } else { Live::new(style.narrate) };
        let human = Human::new(style.all_hints);
        let human = if style.everything { human.everything() } else { human };
        let state = Mutex::new(State { human, failed: None });
        Self { style, live, state }
    }

    /// Ends the report.
    ///
    /// # Errors
    /// A result could not be written.
    pub fn finish(&self) -> Result<(), Error> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).failed.take().map_or(Ok(()), Err)
    }

    /// What goes to standard output now.
    fn render(&self, state: &mut State, event: &RunEvent) -> String {
        match self.style.format {
            Format::Human if self.style.quiet => human::quiet(event),
            Format::Human => state.human.render(event),
            Format::Json => json(event),
            Format::Converted => match &event.kind {
                EventKind::ResultConverted { text } => text.clone(),
                _ => String::new(),
            },
            Format::Junit => match &event.kind {
                EventKind::RunFinished { report } => to_junit(report),
                _ => String::new(),
            },
        }
    }
}

impl EventSink for Reporter {
    fn emit(&self, event: &RunEvent) {
        self.live.show(event);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let text = self.render(&mut state, event);
        let mut written = Ok(());
        let long = matches!(event.kind, EventKind::LogsShown { .. } | EventKind::SolutionCompared { .. });
        self.live.aside(|| written = if long { pager::print(&text) } else { print(&text) });
        let saved = match (&event.kind, &self.style.folder) {
            (EventKind::RunFinished { report }, Some(folder)) => files::write(folder, report),
            (EventKind::SubmissionGraded { graded, report, .. }, Some(folder)) => {
                files::write(&grade::result_folder(folder, &graded.folder), report)
            }
            _ => Ok(()),
        };
        let written = written.map_err(|source| Error::io("write to", Utf8Path::new("standard output"), source));
        if let Err(error) = written.and(saved) {
            state.failed.get_or_insert(error);
        }
    }
}

/// Writes to standard output. A reader that has gone, such as `head`, is no error; a full disk is.
fn print(text: &str) -> io::Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    let mut stdout = anstream::stdout();
    let written = write!(stdout, "{text}").and_then(|()| stdout.flush());
    written.or_else(|error| if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) })
}

fn json(event: &RunEvent) -> String {
    match &event.kind {
        EventKind::RunFinished { report } => to_json(report.as_ref()),
        EventKind::AuditFinished { report } => to_json(report.as_ref()),
        EventKind::MutantsRefreshed { mutants, .. } => to_json(mutants),
        EventKind::BenchFinished { bench } => to_json(bench.as_ref()),
        EventKind::BatchMeasured { batch } => to_json(batch.as_ref()),
        EventKind::DoctorFinished { report } => to_json(report.as_ref()),
        EventKind::GradesFinished { report } => to_json(report.as_ref()),
        _ => String::new(),
    }
}

/// What is known of a check that did not pass, as plain text that wraps at 100 columns. The check has to be inert already.
pub fn explain(check: &Check) -> String {
    anstream::adapter::strip_str(&human::explain(check, false, human::WIDTH)).to_string()
}

/// A result as JSON, nothing in which controls whatever shows it, such as a [`crate::report::Report`] as `backend-labs/result/v1`.
pub fn to_json(result: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(result).unwrap_or_else(|error| format!("{{\"error\": \"{error}\"}}"));
    text.push('\n');
    // Outside of strings JSON is ASCII, and in a string every character may be written as an escape (RFC 8259, 7).
    if text.contains(inert::is_unseen) {
        let unit = |unit: &mut u16| format!("\\u{unit:04x}");
        let escape = |c: char| c.encode_utf16(&mut [0; 2]).iter_mut().map(unit).collect::<String>();
        text = text.chars().map(|c| if inert::is_unseen(c) { escape(c) } else { c.to_string() }).collect();
    }
    text.replace("##", "#\\u0023")
}
