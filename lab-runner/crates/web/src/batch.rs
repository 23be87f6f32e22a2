//! The page of a batch: how the points are spread, which checks fail most often, and a line for each submission, which leads
//! to the page of its result.

use camino::Utf8Path;
use lab_runner::grade::{GradeReport, Graded, Standing};
use lab_runner::report::Outcome;
use maud::{Markup, html};

use crate::{WriteError, page, text};

/// Writes index.html to the report folder `report`, and report.html and trace.json beside each of its results.
///
/// # Errors
/// It holds no batch, or a file cannot be read or written.
pub fn write(report: &Utf8Path) -> Result<(), WriteError> {
    let path = report.join("grades.json");
    let read = std::fs::read(&path).map_err(|source| WriteError::File { path: path.clone(), source })?;
    let grades: GradeReport = serde_json::from_slice(&read).map_err(|source| WriteError::Format { path, source })?;
    for graded in &grades.submissions {
        let folder = report.join("submissions").join(&graded.folder);
        // What could not be read has no result.
        if folder.join("result.json").is_file() {
            crate::write(&folder)?;
        }
    }
    let title = text::title(&format!("{} {}: {} submissions", grades.lab, grades.title, grades.submissions.len()), 200);
    let content = page::page(&title, Some(&page::policy(&[], "'none'")), &[], &body(&grades));
    let path = report.join("index.html");
    std::fs::write(&path, content).map_err(|source| WriteError::File { path, source })
}

fn body(grades: &GradeReport) -> Markup {
    html! {
        header.top {
            h1 { (text::title(&grades.lab, 40)) " " (text::title(&grades.title, 80)) }
            p.score { (grades.submissions.len()) " submissions, " (grades.ungraded().count()) " without a grade"
                @if grades.missing().next().is_some() { ", " (grades.missing().count()) " missing" }
            }
            p.facts { "isolation " (text::title(&grades.isolation, 40)) " · seed " (grades.seed) " · suite " (text::title(&grades.suite_sha256, 12)) }
        }
        main.readme {
            h2 { "Points" }
            table {
                @for (label, count) in spread(grades) { tr { td { (label) " %" } td { (count) } } }
            }
            @if !grades.checks.is_empty() {
                h2 { "Checks that failed most often" }
                table {
                    @for check in &grades.checks {
                        tr { td { (check.failed) } td { code { (text::title(&check.id, 60)) } } td { (text::title(&check.title, 200)) } }
                    }
                }
            }
            h2 { "Submissions" }
            table {
                @for graded in &grades.submissions { (row(graded)) }
            }
        }
        footer { "Written by cargo lab " (text::title(&grades.runner_version, 20)) "." }
    }
}

fn row(graded: &Graded) -> Markup {
    let name = text::title(&graded.name, 80);
    html! {
        tr {
            td {
                @match graded.outcome {
                    Some(_) => a href=(format!("submissions/{}/report.html", graded.folder)) { (name) },
                    None => (name),
                }
            }
            td { (points(graded)) }
            td { @if let Some(why) = &graded.message { (text::title(why, 200)) } }
        }
    }
}

fn points(graded: &Graded) -> String {
    match (graded.outcome, graded.score, graded.max_score) {
        (Some(Outcome::BuildFailed), ..) => "does not build".to_owned(),
        (Some(Outcome::StartFailed), ..) => "does not start".to_owned(),
        (Some(_), Some(score), Some(max)) => format!("{score}/{max}"),
        (Some(_), ..) => "not graded".to_owned(),
        (None, ..) if graded.standing == Standing::Missing => "missing".to_owned(),
        (None, ..) => "cannot be read".to_owned(),
    }
}

/// How many have how much, in tenths of what could be had, the best first.
fn spread(grades: &GradeReport) -> Vec<(String, usize)> {
    let tenth = |graded: &Graded| Some(10 * u64::from(graded.score?) / u64::from(graded.max_score?).max(1));
    let tenths: Vec<u64> = grades.submissions.iter().filter_map(tenth).collect();
    let label =
        |tenth: u64| if tenth == 10 { "100".to_owned() } else { format!("{}–{}", 10 * tenth, 10 * tenth + 9) };
    (0..=10).rev().map(|tenth| (label(tenth), tenths.iter().filter(|one| **one == tenth).count())).collect()
}
