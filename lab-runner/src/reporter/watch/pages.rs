//! The pages that a key opens: hints, transcript, log, every result, the README. Each is as long as it has to be.

use lab_protocol::{Exchange, Happening, TranscriptEntry};

use super::super::human;
use super::super::inert::inert;
use super::super::style::dim;
use super::model::Model;
use crate::guide::LabGuide;
use crate::report::Check;

/// What is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Page {
    /// The result on one screen.
    Result,
    /// The hints of the failure that is shown.
    Hints,
    /// All that happened in it.
    Transcript,
    /// What the server wrote meanwhile.
    Log,
    /// Every result and every failure.
    All,
    /// The lab's README.
    Readme,
}

impl Page {
    /// The page that `letter` opens.
    pub(super) fn of(letter: char) -> Option<Self> {
        Some(match letter {
            'h' => Self::Hints,
            't' => Self::Transcript,
            'l' => Self::Log,
            'a' => Self::All,
            'o' => Self::Readme,
            _ => return None,
        })
    }

    /// Its title.
    pub(super) fn title(self, model: &Model, check: Option<&Check>) -> String {
        let of = check.map(|check| format!(" of {}", inert(&check.id))).unwrap_or_default();
        match self {
            Self::Result => String::new(),
            Self::Hints => format!("hints{of}"),
            Self::Transcript => format!("transcript{of}"),
            Self::Log => {
                let program = check.is_some_and(|check| check.of_program);
                let who = if program { "your program wrote to standard error" } else { "your server wrote" };
                format!("what {who}{}", of.replacen(" of ", " in ", 1))
            }
            Self::All => format!("every result of {}", inert(&model.lab)),
            Self::Readme => format!("README of {}", inert(&model.lab)),
        }
    }
}

/// The hints of `check` that have been seen, of which there are as many as its failures have earned and were asked for.
pub(super) fn hints(guide: &LabGuide, lab: &str, check: Option<&Check>) -> Vec<String> {
    let Some(check) = check else { return nothing_failed() };
    let shown = hints_shown(guide, check);
    lines(&human::hints(lab, &check.id, &check.title, &check.hints[..shown], check.hints.len()))
}

/// How many hints of `check` are on the screen now.
pub(super) fn hints_shown(guide: &LabGuide, check: &Check) -> usize {
    // What is on the screen has failed once more than was known before the run.
    let known = guide.known.get(&check.id).cloned().unwrap_or_default().after(check);
    known.hints_shown(check.hints.len())
}

/// All that happened in `check`: first in short, equal things counted, then every message in full.
pub(super) fn transcript(check: Option<&Check>, width: usize) -> Vec<String> {
    let Some(check) = check else { return nothing_failed() };
    if check.transcript.is_empty() {
        return vec!["nothing was recorded".to_owned()];
    }
    let mut text = human::happened(&check.transcript, width, usize::MAX);
    text.push(String::new());
    text.push(dim("in full, in milliseconds since the run began"));
    check.transcript.iter().for_each(|entry| text.extend(in_full(entry)));
    text
}

fn in_full(entry: &TranscriptEntry) -> Vec<String> {
    let (mark, text) = match &entry.what {
        Happening::Sent { text, .. } => ("→".to_owned(), text.clone()),
        Happening::Received { text, .. } => ("←".to_owned(), text.clone()),
        Happening::Exchange(Exchange { asked, answer: Some(answer), .. }) => {
            (" ".to_owned(), format!("{}\n⇒ {answer}", asked.text()))
        }
        Happening::Exchange(exchange) => (" ".to_owned(), exchange.asked.text().to_owned()),
        Happening::Log { line, .. } => ("|".to_owned(), line.clone()),
        Happening::Note { text, mark } => (human::sign_of_note(text, mark.as_ref()).to_owned(), text.clone()),
    };
    let at = format!("{:>7}", entry.at_us / 1000);
    let line = |(index, line): (usize, &str)| {
        let before = if index == 0 { format!("{} {mark}", dim(&at)) } else { " ".repeat(9) };
        format!("{before} {}", inert(line))
    };
    text.lines().enumerate().map(line).collect()
}

/// What the server wrote in `check`, or a program to standard error.
pub(super) fn log(check: Option<&Check>) -> Vec<String> {
    let Some(check) = check else { return nothing_failed() };
    let written = check.transcript.iter().filter_map(|entry| match &entry.what {
        Happening::Log { line, .. } => Some(line),
        _ => None,
    });
    let mut text: Vec<String> = written.map(|line| inert(line).into_owned()).collect();
    if text.is_empty() {
        text = check.server_log.iter().map(|line| inert(line).into_owned()).collect();
    }
    if text.is_empty() { vec!["nothing".to_owned()] } else { text }
}

/// Every result and every failure, or why there is none.
pub(super) fn all(model: &Model, width: usize) -> Vec<String> {
    match model.nothing_checked().or(model.graded.as_ref()) {
        Some(report) => lines(&human::whole(report, width)),
        None => vec!["there is no result yet".to_owned()],
    }
}

/// The README, and the line at which `task` begins.
pub(super) fn readme(text: &str, task: Option<u32>, width: usize) -> (Vec<String>, usize) {
    let options = textwrap::Options::new(width.max(1)).break_words(true);
    let (mut wrapped, mut at) = (Vec::new(), 0);
    let heading = task.map(|task| format!("Task {task}:"));
    for line in text.lines() {
        let title = line.trim_start_matches('#').trim_start();
        if line.starts_with('#') && heading.as_ref().is_some_and(|heading| title.starts_with(heading)) {
            at = wrapped.len();
        }
        // What is drawn keeps its shape.
        let drawn = line.starts_with([' ', '|', '\t']) || line.chars().count() <= width;
        match drawn {
            true => wrapped.push(inert(line).into_owned()),
            false => wrapped.extend(textwrap::wrap(&inert(line), &options).into_iter().map(String::from)),
        }
    }
    (wrapped, at)
}

fn nothing_failed() -> Vec<String> {
    vec!["no check has failed".to_owned()]
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}
