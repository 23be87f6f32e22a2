//! `cargo lab` alone: the labs, how far one has come, and what to do next.

use std::io::Write as _;

use super::choose;
use crate::error::Error;
use crate::exit::ExitCode;
use crate::reporter::{Live, Reporter, Style, dim, good, strong};
use crate::state::{LabMemory, Memory};
use crate::workspace::Lab;

/// Shows the labs.
pub(super) fn run() -> Result<ExitCode, Error> {
    let reporter = Reporter::new(Style::default());
    let workspace = choose::open(&reporter)?;
    let memory = Memory::of(&workspace);
    let mut text = format!("{}\n\n", strong("Backend Labs"));
    let width = workspace.labs.iter().map(|lab| lab.manifest.title.chars().count()).max().unwrap_or_default();
    for lab in &workspace.labs {
        let known = memory.lab(lab.id());
        let title = format!("{:<width$}", lab.manifest.title);
        text.push_str(&format!("  {}  {}  {title}  {}\n", score(&known), strong(lab.id()), dim(&lab.manifest.summary)));
    }
    text.push('\n');
    text.push_str(&next(&workspace.labs, &memory));
    text.push_str(&dim("all commands: `cargo lab --help`\n"));
    Live::silent().aside(|| {
        let _ = write!(anstream::stdout(), "{text}");
    });
    Ok(ExitCode::Passed)
}

fn score(known: &LabMemory) -> String {
    match known.score {
        None => dim("  -/100"),
        Some((score, max)) => {
            let text = format!("{score:>3}/{max:<3}");
            if score == max { good(text) } else { text }
        }
    }
}

fn next(labs: &[Lab], memory: &Memory) -> String {
    let unfinished = labs.iter().find(|lab| memory.lab(lab.id()).score.is_none_or(|(score, max)| score < max));
    let Some(lab) = unfinished else { return "every lab is done: well done\n".to_owned() };
    let known = memory.lab(lab.id());
    match known.next_check {
        Some(check) => format!("next: `cargo lab check {} {check}`\n", lab.id()),
        None => {
            format!("next: read labs/{}/README.md, then `cargo lab check {}`\n", lab.package(), lab.id())
        }
    }
}
