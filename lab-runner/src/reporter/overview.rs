//! The labs, how far the learner has come, and what to do next.

use super::style::{dim, good, strong};
use crate::events::LabOverview;
use crate::state::LabProgress;

/// The whole page.
pub(super) fn overview(labs: &[LabOverview]) -> String {
    let mut text = format!("{}\n\n", strong("Backend Labs"));
    let width = labs.iter().map(|lab| lab.title.chars().count()).max().unwrap_or_default();
    for lab in labs {
        let title = format!("{:<width$}", lab.title);
        text.push_str(&format!("  {}  {}  {title}  {}\n", score(&lab.progress), strong(&lab.id), dim(&lab.summary)));
    }
    text.push('\n');
    text.push_str(&next(labs));
    text.push_str(&dim("all commands: `cargo lab --help`\n"));
    text
}

fn score(progress: &LabProgress) -> String {
    match progress.score {
        None => dim("  -/100"),
        Some((score, max)) => {
            let text = format!("{score:>3}/{max:<3}");
            if score == max { good(text) } else { text }
        }
    }
}

fn next(labs: &[LabOverview]) -> String {
    let unfinished = labs.iter().find(|lab| lab.progress.score.is_none_or(|(score, max)| score < max));
    let Some(lab) = unfinished else { return "every lab is done. Well done!\n".to_owned() };
    match &lab.progress.next_check {
        Some(check) => format!("next: `cargo lab check {} {check}`\n", lab.id),
        None => format!("next: read labs/{}/README.md, then `cargo lab check {}`\n", lab.package, lab.id),
    }
}
