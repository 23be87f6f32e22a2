//! What is told of learner kits that were written or brought up to date.

use std::fmt::Write as _;

use super::inert;
use super::style::{bad, dim, good, strong};
use crate::learner_kit::{Exported, KitChange, Updated};

/// What was written, and what to do with it.
pub(super) fn exported(kit: &Exported) -> String {
    let Exported { folder, labs, platform, commit, bytes, recorded } = kit;
    let noun = if labs.len() == 1 { "lab" } else { "labs" };
    let of = commit.as_ref().map(|commit| format!(", of commit {}", short(commit))).unwrap_or_default();
    let (folder, size) = (inert(folder.as_str()), bytes.div_ceil(1 << 20));
    let mut text = format!("{} {folder}\n", good("written"));
    let _ = writeln!(text, "  {} {noun} for {platform}, {size} MB{of}: {}", labs.len(), labs.join(", "));
    let _ = writeln!(text, "  no check, solution or mutant was found in any of its files");
    let first = labs.first().map_or("LAB", String::as_str);
    let _ = writeln!(text, "\n{}", strong("next"));
    let _ = writeln!(
        text,
        "  {:<36}{}",
        format!("cd {folder}"),
        dim("a git repository of its own, to be pushed or packed")
    );
    let _ = writeln!(text, "  {:<36}{}", format!("cargo lab check {first}"), dim("what a learner sees first"));
    if !recorded.is_empty() {
        let _ = writeln!(text, "\nlearners have these versions now, which is recorded; commit these files:");
        for path in recorded {
            let _ = writeln!(text, "  {}", inert(path.as_str()));
        }
    }
    text
}

/// What became of each file, and what is left to do.
pub(super) fn updated(kit: &Updated) -> String {
    let Updated { folder, from, to, files, committed } = kit;
    let mut text = format!("{} {}: from {from} to {to}\n", good("updated"), inert(folder.as_str()));
    for (path, change) in files {
        let _ = writeln!(text, "  {}  {}{}", word(*change), inert(path.as_str()), explanation(path.as_str(), *change));
    }
    if files.is_empty() {
        let _ = writeln!(text, "  no file outside of kit/ has changed");
    }
    let open = files.iter().any(|(_, change)| matches!(change, KitChange::Conflict | KitChange::Beside));
    let _ = match (committed, open) {
        (true, _) => writeln!(text, "all of it is committed"),
        (false, true) => writeln!(text, "nothing is committed: take over what stands beside your files, then commit"),
        (false, false) => writeln!(text, "nothing is committed: `git diff` shows it"),
    };
    text
}

fn word(change: KitChange) -> String {
    match change {
        KitChange::Added => good("added   "),
        KitChange::Replaced => good("replaced"),
        KitChange::Removed => good("removed "),
        KitChange::Merged => good("merged  "),
        KitChange::Conflict => bad("conflict"),
        KitChange::Beside => bad("beside  "),
        KitChange::Kept => strong("kept    "),
    }
}

fn explanation(path: &str, change: KitChange) -> String {
    let told = match change {
        KitChange::Added | KitChange::Replaced | KitChange::Removed => return String::new(),
        KitChange::Merged => "your changes and the course's".to_owned(),
        KitChange::Conflict => format!("yours is as it was; {}.merge shows both", inert(path)),
        KitChange::Beside => format!("yours is as it was; the course's is {}.course", inert(path)),
        KitChange::Kept => "you and the course disagree whether it exists; it is as you have it".to_owned(),
    };
    dim(format!("  {told}"))
}

fn short(commit: &str) -> &str {
    commit.get(..10).unwrap_or(commit)
}
