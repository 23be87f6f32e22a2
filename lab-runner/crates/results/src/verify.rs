//! `cargo lab verify`: whether files are what a grader has signed, and whether a result is in accord with itself. Nothing is
//! asked of anybody else, so that it can be done offline.

use std::fmt::Write as _;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use ed25519_dalek::VerifyingKey;
use lab_protocol::Verdict;
use lab_runner::report::{Report, SCHEMA};
use lab_runner::reporter::inert;

use crate::{signature, words};

/// What is said of `files`, a line or two each, and whether all of them hold.
#[must_use]
pub fn verify(files: &[Utf8PathBuf], key: &VerifyingKey) -> (String, bool) {
    let mut text = String::new();
    let mut all = true;
    for file in files {
        match one(file, key) {
            Ok(what) => {
                let _ = writeln!(text, "{}: signed with this key{what}", inert(file.as_str()));
            }
            Err(why) => {
                all = false;
                let _ = writeln!(text, "{}: NOT VERIFIED: {}", inert(file.as_str()), inert(&why));
            }
        }
    }
    (text, all)
}

fn one(file: &Utf8Path, key: &VerifyingKey) -> Result<String, String> {
    let content = fs::read(file).map_err(|error| format!("it cannot be read: {error}"))?;
    signature::check(file, &content, key)?;
    // The gradebook and the like: the signature is all there is to check.
    let Ok(report) = serde_json::from_slice::<Report>(&content) else { return Ok(String::new()) };
    consistent(&report)?;
    Ok(facts(&report))
}

/// What a result claims, for whoever compares it with what was handed in and with the suite that should have graded.
fn facts(report: &Report) -> String {
    let hash = |hash: &Option<String>| hash.clone().unwrap_or_else(|| "none".to_owned());
    let environment: Vec<String> = report.environment.iter().map(|(name, value)| format!("{name} {value}")).collect();
    let text = format!(
        "\n  {} {}: {}\n  submission {}\n  suite {}\n  manifest {}\n  cargo lab {}, isolation {}, seed {}, {}",
        report.lab,
        report.title,
        words::line(report),
        hash(&report.submission.sha256),
        hash(&report.suite.sha256),
        hash(&report.manifest_sha256),
        report.runner_version,
        report.isolation,
        report.seed,
        environment.join(", "),
    );
    inert(&text).into_owned()
}

/// A result whose parts contradict each other was not written by `cargo lab`, whoever has signed it.
///
/// # Errors
/// What contradicts what.
pub fn consistent(report: &Report) -> Result<(), String> {
    if report.schema != SCHEMA {
        return Err(format!("it is of the schema {}", report.schema));
    }
    let reported = report.checks.iter().map(|check| (&check.id, check.max_points));
    let expected = report.expected.iter().map(|check| (&check.id, check.max_points));
    if !report.checks.is_empty() && !reported.eq(expected) {
        return Err("it does not list the checks that its suite was to report".to_owned());
    }
    let wrong = |check: &&lab_runner::report::Check| {
        check.points != if check.verdict == Verdict::Passed { check.max_points } else { 0 }
    };
    if let Some(check) = report.checks.iter().find(wrong) {
        return Err(format!("the points of `{}` are not those of its verdict", check.id));
    }
    let counted = || report.checks.iter().filter(|check| check.counted);
    let sums = (counted().map(|check| check.points).sum::<u32>(), counted().map(|check| check.max_points).sum::<u32>());
    if sums != (report.score, report.max_score) {
        return Err(format!(
            "its score is {} of {}, and its checks have {} of {}",
            report.score, report.max_score, sums.0, sums.1
        ));
    }
    Ok(())
}
