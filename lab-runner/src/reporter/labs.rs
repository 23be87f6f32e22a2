//! What instructors are told of a lab that was made, and of sources that were formatted.

use std::fmt::Write as _;
use std::time::Duration;

use camino::Utf8PathBuf;

use super::style::{bad, dim, good, strong};
use super::{inert, tried};
use crate::engine::OwnTests;
use crate::events::{CreatedCourse, CreatedLab};

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

/// What was written, where the grader is, and what to do next.
pub(super) fn course(course: &CreatedCourse) -> String {
    let CreatedCourse { folder, title, sources } = course;
    let mut text = format!(
        "{} {}: {}, a git repository without labs\n",
        good("made"),
        inert::line(folder.as_str()),
        inert::line(title)
    );
    let _ = writeln!(text, "  the grader and the kit are those in {}", inert::line(sources.as_str()));
    let _ = writeln!(text, "\n{}", strong("next"));
    let rows = [
        (format!("cd {}", inert::line(&tried::quoted(folder.as_str()))), ""),
        ("cargo lab new lab-01 --slug NAME".to_owned(), "the first lab; it chooses the word that all ids begin with"),
        ("cargo lab audit lab-01".to_owned(), "the proof that it grades fairly"),
        ("cargo lab export kit ../kit".to_owned(), "what learners get"),
    ];
    for (command, what) in rows {
        let _ = writeln!(text, "{}", format!("  {command:<36}{}", dim(what)).trim_end());
    }
    text
}

/// What became of the tests that a lab's submission brings along; what was printed, only where they do not pass.
pub(super) fn tested(lab: &str, tests: &OwnTests) -> String {
    let seconds = Duration::from_millis(tests.took_ms).as_secs_f64();
    match tests {
        OwnTests { passed: true, run: 0, .. } => format!("{}  {lab}  it has no tests of its own\n", bad("no tests")),
        OwnTests { passed: true, run, .. } => {
            let noun = if *run == 1 { "test" } else { "tests" };
            format!("{}  {lab}  {run} {noun}, {seconds:.1} s\n", good("passed"))
        }
        OwnTests { output, .. } => {
            let lines: String = output.lines().map(|line| format!("  {}\n", inert(line))).collect();
            format!("{}  {lab}\n{lines}", bad("failed"))
        }
    }
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
