//! What became of the patches of mutants, for people.

use std::fmt::Write as _;

use super::inert;
use super::style::{bad, dim, good, strong};
use crate::events::MutantRefresh;
use crate::submission::mutant::Refreshed;

/// A line for each patch that changed or cannot be carried over, and how many of each kind there are. `written` tells
/// whether they were rewritten.
pub fn refresh_table(mutants: &[MutantRefresh], written: bool) -> String {
    let mut text = String::new();
    for mutant in mutants {
        let told = match (&mutant.refreshed, &mutant.cannot) {
            (Some(Refreshed::Current), _) => continue,
            (Some(Refreshed::Moved { .. }), _) => "its lines have moved".to_owned(),
            (Some(Refreshed::Merged { base, .. }), _) => format!("merged with what changed since {base}"),
            (Some(Refreshed::Placed { .. }), _) => "its context has changed; look at what it does now".to_owned(),
            (None, why) => {
                let why = inert(why.as_deref().unwrap_or_default());
                let _ = writeln!(text, "{}  {}  {why}", bad("cannot "), strong(&mutant.name));
                continue;
            }
        };
        let word = if written { "rewrote" } else { "would  " };
        let _ = writeln!(text, "{}  {}  {}", good(word), mutant.path, dim(told));
    }
    let current = count(mutants, |mutant| mutant.refreshed == Some(Refreshed::Current));
    let cannot = count(mutants, |mutant| mutant.cannot.is_some());
    let changed = mutants.len() - current - cannot;
    let patches = if mutants.len() == 1 { "patch" } else { "patches" };
    let verb = if written { "rewritten" } else { "to be rewritten" };
    let _ =
        writeln!(text, "{} {patches}: {current} fit, {changed} {verb}, {cannot} cannot be carried over", mutants.len());
    text.push_str(&next(mutants));
    text
}

fn count(mutants: &[MutantRefresh], which: impl Fn(&MutantRefresh) -> bool) -> usize {
    mutants.iter().filter(|mutant| which(mutant)).count()
}

/// That a patch applies does not say that its mistake is still one.
fn next(mutants: &[MutantRefresh]) -> String {
    let guessed =
        |mutant: &&MutantRefresh| matches!(mutant.refreshed, Some(Refreshed::Merged { .. } | Refreshed::Placed { .. }));
    let mut labs: Vec<(&str, Vec<&str>)> = Vec::new();
    for mutant in mutants.iter().filter(guessed) {
        match labs.last_mut().filter(|(lab, _)| *lab == mutant.lab) {
            Some((_, names)) => names.push(&mutant.name),
            None => labs.push((&mutant.lab, vec![&mutant.name])),
        }
    }
    let line =
        |(lab, names): &(&str, Vec<&str>)| format!("prove them: cargo lab audit {lab} --mutants {}\n", names.join(","));
    labs.iter().map(line).collect()
}
