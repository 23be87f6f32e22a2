//! What instructors are told of a lab that was made, and of sources that were formatted.

use std::fmt::Write as _;

use camino::Utf8PathBuf;

use super::inert;
use super::style::{bad, dim, good, strong};
use crate::events::CreatedLab;

/// What was written, what changes beside it, and what to do next.
pub(super) fn created(lab: &CreatedLab) -> String {
    let CreatedLab { id, folder, files, services } = lab;
    let needs = match services.as_slice() {
        [] => "which needs no service".to_owned(),
        services => format!("on {}", services.join(" and ")),
    };
    let mut text = format!("{} {folder}: {files} files, a small lab {needs}\n\n", good("made"));
    let rows = [
        ("Cargo.lock", "the next cargo command adds the lab's two packages; commit it along"),
        ("labs/course.toml", "the roadmap: name the steps that the lab serves in its lab.toml"),
        ("README.md", "lists the labs: add a row"),
    ];
    let _ = writeln!(text, "{}", strong("what else changes"));
    for (file, what) in rows {
        let _ = writeln!(text, "  {file:<18}{what}");
    }
    let _ = writeln!(text, "\n{}", strong("next"));
    let rows = [
        (format!("cargo lab check {id} --solution"), "the solution gets all points"),
        (format!("cargo lab audit {id}"), "the proof that it grades fairly"),
        (format!("cargo lab check {id}"), "what a learner sees first"),
    ];
    for (command, what) in rows {
        let _ = writeln!(text, "  {command:<36}{}", dim(what));
    }
    text.push_str(&dim("  Then replace its tasks one by one with yours: CONTRIBUTING.md, \"Add a lab\".\n"));
    text
}

/// The files that were not formatted; `written` tells whether they are now.
pub(super) fn formatted(files: &[Utf8PathBuf], written: bool) -> String {
    let word = if written { good("formatted") } else { bad("unformatted") };
    let mut text: String = files.iter().map(|file| format!("{word}  {}\n", inert(file.as_str()))).collect();
    match (files.len(), written) {
        (0, _) => text.push_str("all files are formatted\n"),
        (_, true) => {}
        (_, false) => text.push_str("`cargo lab fmt` formats them\n"),
    }
    text
}
