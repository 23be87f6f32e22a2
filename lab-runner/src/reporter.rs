//! Reporters: they hear what the engine tells and are the only ones that print results.
//!
//! Results go to standard output in the format that was asked for, progress and warnings to standard error.

mod audit;
mod bench;
mod files;
mod host;
mod human;
mod junit;
mod live;
mod paint;

use std::io::Write as _;
use std::sync::{Mutex, PoisonError};

use camino::Utf8PathBuf;

use crate::error::Error;
use crate::events::{Listener, Progress};
use crate::report::Report;

pub use audit::audit_table;
pub use bench::bench_table;
pub use host::Host;
pub use human::Human;
pub use junit::to_junit;
pub use live::Live;
pub use paint::{bad, dim, good, strong, warn};

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
    /// The folder to write result.json, junit.xml and report.txt to.
    pub folder: Option<Utf8PathBuf>,
}

/// Tells one run as its [`Style`] has it.
#[derive(Debug)]
pub struct Reporter {
    style: Style,
    live: Live,
    human: Mutex<Human>,
}

impl Reporter {
    /// A reporter for one run.
    pub fn new(style: Style) -> Self {
        let live = if style.quiet { Live::silent() } else { Live::new() };
        let human = Mutex::new(Human::new(style.all_hints));
        Self { style, live, human }
    }

    /// Writes the files that `--report` asks for.
    ///
    /// # Errors
    /// They cannot be written.
    pub fn save(&self, report: &Report) -> Result<(), Error> {
        self.style.folder.as_deref().map_or(Ok(()), |folder| files::write(folder, report))
    }

    fn tell(&self, text: &str) {
        // A reader that has gone, such as `head`, is no error of ours.
        self.live.aside(|| {
            let _ = write!(anstream::stdout(), "{text}");
        });
    }
}

impl Listener for Reporter {
    fn hear(&self, progress: Progress) {
        self.live.hear(&progress);
        match self.style.format {
            Format::Human => {
                let mut human = self.human.lock().unwrap_or_else(PoisonError::into_inner);
                let text = if self.style.quiet { human::quiet(&progress) } else { human.hear(&progress) };
                self.tell(&text);
            }
            Format::Json => {
                if let Progress::Finished(report) = &progress {
                    self.tell(&to_json(report));
                }
            }
            Format::Junit => {
                if let Progress::Finished(report) = &progress {
                    self.tell(&to_junit(report));
                }
            }
        }
    }
}

/// The report as `backend-labs/result/v1`.
pub fn to_json(report: &Report) -> String {
    let mut text = serde_json::to_string_pretty(report).unwrap_or_else(|error| format!("{{\"error\": \"{error}\"}}"));
    text.push('\n');
    text
}

/// Tells on standard error what goes on, a line each: for commands that do many things in a row.
#[derive(Debug, Default)]
pub struct Narrator(Live);

impl Narrator {
    /// A narrator.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Listener for Narrator {
    fn hear(&self, progress: Progress) {
        match progress {
            Progress::Doing(text) => self.0.say(&text),
            Progress::Warning { .. } | Progress::Building { .. } | Progress::Built { .. } => self.0.hear(&progress),
            _ => {}
        }
    }
}
