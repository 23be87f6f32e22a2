//! The formats that other programs read, one module each: every one is a reader of the result.

mod classroom;
mod classroom50;
mod csv;
mod ctrf;
mod github;
mod gradescope;
mod junit_strict;
mod lti;
mod prairielearn;

use lab_runner::report::Report;
use lab_runner::reporter::{inert_report, to_junit};
use lab_runner::results::Foreign;
use serde_json::Value;

use crate::ResultsError;

/// A result, and what its submission is called.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    /// The result.
    pub report: &'a Report,
    /// The submission's name.
    pub name: &'a str,
}

/// The result in `format`.
///
/// # Errors
/// The format cannot hold it.
pub fn write(format: Foreign, of: Named<'_>) -> Result<String, ResultsError> {
    let report = inert_report(of.report);
    let of = Named { report: &report, name: of.name };
    Ok(match format {
        Foreign::Junit => to_junit(&report),
        Foreign::JunitStrict => junit_strict::write(of)?,
        Foreign::Github => github::annotations(of),
        Foreign::Summary => github::summary(of),
        Foreign::Gradescope => json(&gradescope::write(of)),
        Foreign::Classroom50 => json(&classroom50::write(of, &|name| std::env::var(name).ok())),
        Foreign::Classroom => classroom::write(of),
        Foreign::Prairielearn => json(&prairielearn::write(of)),
        Foreign::Ctrf => json(&ctrf::write(of)),
        Foreign::Csv => csv::write(of)?,
        Foreign::Lti => json(&lti::write(of)),
    })
}

/// The name of the file for a format, as its reader expects it.
#[must_use]
pub fn file_name(format: Foreign) -> &'static str {
    match format {
        Foreign::Junit => "junit.xml",
        Foreign::JunitStrict => "junit-strict.xml",
        Foreign::Github => "github.txt",
        Foreign::Summary => "summary.md",
        Foreign::Gradescope => "gradescope.json",
        Foreign::Classroom50 => "classroom50.json",
        Foreign::Classroom => "classroom.txt",
        Foreign::Prairielearn => "prairielearn.json",
        Foreign::Ctrf => "ctrf.json",
        Foreign::Csv => "checks.csv",
        Foreign::Lti => "lti.json",
    }
}

/// JSON that nothing in it controls whatever shows it.
fn json(value: &Value) -> String {
    lab_runner::reporter::to_json(value)
}
