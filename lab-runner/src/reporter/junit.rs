//! The result as JUnit XML, which every CI system reads.

use std::time::Duration;

use lab_protocol::{SkipReason, Verdict};
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use crate::report::{Check, Outcome, Report};

/// The report as JUnit XML: one suite for the lab, one case for each check. What kept the whole from being graded is a
/// case of its own, as most readers show nothing else.
pub fn to_junit(report: &Report) -> String {
    let report = &super::inert::report(report);
    let mut suite = TestSuite::new(&report.lab);
    suite.set_timestamp(report.started_at);
    suite.set_time(Duration::from_millis(report.duration_ms));
    let score = [("score", report.score.to_string()), ("max_score", report.max_score.to_string())];
    let score = score.into_iter().filter(|_| report.has_score());
    let schema = [("schema", report.schema.clone())].into_iter();
    for (name, value) in schema.chain(score).chain([("seed", report.seed.to_string())]) {
        suite.add_property((name, value.as_str()));
    }
    for check in &report.checks {
        suite.add_test_case(case(report, check));
    }
    if let Some(whole) = whole_case(report) {
        suite.add_test_case(whole);
    }
    let mut junit = quick_junit::Report::new("backend-labs");
    junit.set_timestamp(report.started_at);
    junit.set_time(Duration::from_millis(report.duration_ms));
    junit.add_test_suite(suite);
    junit.to_string().unwrap_or_default()
}

fn case(report: &Report, check: &Check) -> TestCase {
    let status = match check.verdict {
        Verdict::Passed => TestCaseStatus::success(),
        Verdict::Failed | Verdict::TimedOut => failure(NonSuccessKind::Failure, check),
        Verdict::Error => failure(NonSuccessKind::Error, check),
        Verdict::Skipped => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(skip_message(check));
            status
        }
    };
    let mut case = TestCase::new(check.id.as_str(), status);
    case.set_classname(format!("{}.task-{}", report.lab, check.task));
    case.set_time(Duration::from_millis(check.duration_ms));
    case.add_property(("points", check.points.to_string().as_str()));
    case.add_property(("max_points", check.max_points.to_string().as_str()));
    if !check.server_log.is_empty() {
        case.set_system_out(check.server_log.join("\n"));
    }
    case
}

fn failure(kind: NonSuccessKind, check: &Check) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(format!("{}: {}", check.title, check.message.as_deref().unwrap_or_default()));
    status.set_type(if check.verdict == Verdict::TimedOut { "timed_out" } else { "check" });
    status.set_description(anstream::adapter::strip_str(&super::human::explain(check, false, 100)).to_string());
    status
}

fn skip_message(check: &Check) -> String {
    match &check.skip_reason {
        Some(SkipReason::NeedsFailed { check }) => format!("needs `{check}`, which did not pass"),
        Some(SkipReason::NotApplicable { message }) => message.clone(),
        None => String::new(),
    }
}

fn whole_case(report: &Report) -> Option<TestCase> {
    let diagnostics = report.diagnostics.as_ref()?;
    let kind = match report.outcome {
        Outcome::InfrastructureError => NonSuccessKind::Error,
        _ => NonSuccessKind::Failure,
    };
    let (name, word) = match report.outcome {
        Outcome::BuildFailed => ("build", "build_failed"),
        Outcome::StartFailed => ("start", "start_failed"),
        _ => ("infrastructure", "infrastructure_error"),
    };
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(diagnostics.message.as_str());
    status.set_type(word);
    status.set_description(diagnostics.details.join("\n\n"));
    let mut case = TestCase::new(name, status);
    case.set_classname(report.lab.as_str());
    Some(case)
}
