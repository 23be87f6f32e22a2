//! How a report comes together: facts as they are gathered, then the checks the suite reported.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use lab_protocol::{CheckInfo, CheckReport, Happening, Mark, TranscriptEntry, Verdict, millis};

use super::{
    Check, Diagnostics, ExpectedCheck, Outcome, Report, SCHEMA, Submission, SuiteIdentity, Timings, UsedService, score,
};

/// What is known of a run before its result is.
#[derive(Debug, Clone)]
pub struct RunFacts {
    /// The run's id.
    pub run_id: String,
    /// The lab's id.
    pub lab: String,
    /// The lab's title.
    pub title: String,
    /// The lab's version.
    pub lab_version: u32,
    /// What is graded.
    pub submission: Submission,
    /// The SHA-256 of the suite's program, once it is there.
    pub suite_sha256: Option<String>,
    /// Where all random data comes from.
    pub seed: u64,
    /// The services in use.
    pub services: BTreeMap<String, UsedService>,
    /// What kept the submission from the machine.
    pub isolation: String,
    /// When grading began.
    pub started_at: DateTime<Utc>,
    /// Where the time went.
    pub timings: Timings,
    /// The SHA-256 of the lab's manifest.
    pub manifest_sha256: Option<String>,
    /// The checks that the suite was to report.
    pub expected: Vec<ExpectedCheck>,
    /// Whether only some checks were asked for.
    pub partial: bool,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// What became of a run.
#[derive(Debug, Clone)]
pub enum RunOutcome {
    /// The suite ran: the checks that were expected of it, and what it reported.
    Checks {
        /// What was expected.
        expected: Vec<CheckInfo>,
        /// What came.
        reported: Vec<CheckReport>,
        /// Why some may not have come.
        interruption: Option<String>,
    },
    /// No check was run.
    Nothing(Outcome, Diagnostics),
}

impl RunOutcome {
    /// A service or another thing that is not the submission's failed.
    pub fn infrastructure(message: impl Into<String>, hints: Vec<String>) -> Self {
        let diagnostics = Diagnostics { message: message.into(), hints, ..Diagnostics::default() };
        Self::Nothing(Outcome::InfrastructureError, diagnostics)
    }

    /// The report of the run that `facts` tell of and that took `duration`.
    pub fn into_report(self, facts: RunFacts, duration: Duration) -> Report {
        let (outcome, diagnostics, mut checks) = match self {
            Self::Nothing(outcome, diagnostics) => (outcome, Some(diagnostics), Vec::new()),
            Self::Checks { expected, reported, interruption } => {
                let checks = match_up(&expected, reported, interruption.as_deref());
                let ours = checks.iter().find(|check| check.verdict == Verdict::Error);
                // What happened to the first is, most often, what happened.
                let message = interruption.or_else(|| ours.and_then(|check| check.message.clone()));
                let diagnostics = ours.and(message).map(|message| Diagnostics { message, ..Diagnostics::default() });
                let ours = ours.is_some();
                (if ours { Outcome::InfrastructureError } else { Outcome::Graded }, diagnostics, checks)
            }
        };
        for check in &mut checks {
            check.tried_in_place(&facts.lab, &facts.submission);
        }
        let (score, max_score) = score::score(&mut checks);
        Report {
            schema: SCHEMA.to_owned(),
            run_id: facts.run_id,
            runner_version: env!("CARGO_PKG_VERSION").to_owned(),
            lab: facts.lab,
            title: facts.title,
            lab_version: Some(facts.lab_version),
            submission: facts.submission,
            suite: SuiteIdentity { sha256: facts.suite_sha256 },
            seed: facts.seed,
            services: facts.services,
            isolation: facts.isolation,
            outcome,
            score,
            max_score,
            partial: facts.partial,
            started_at: facts.started_at,
            duration_ms: millis(duration),
            timings: facts.timings,
            diagnostics,
            notes: facts.notes,
            manifest_sha256: facts.manifest_sha256,
            environment: environment(),
            expected: facts.expected,
            checks,
        }
    }
}

/// The machine, as far as a verdict could depend on it.
fn environment() -> BTreeMap<String, String> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let facts = [
        ("os", std::env::consts::OS.to_owned()),
        ("arch", std::env::consts::ARCH.to_owned()),
        ("processors", processors.to_string()),
    ];
    facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A report lists exactly what was expected: what is missing is a fault of ours, what is too much is dropped.
fn match_up(expected: &[CheckInfo], reported: Vec<CheckReport>, interruption: Option<&str>) -> Vec<Check> {
    let mut reported: BTreeMap<String, CheckReport> =
        reported.into_iter().map(|report| (report.id.clone(), report)).collect();
    let find = |info: &CheckInfo| match reported.remove(&info.id) {
        Some(report) => Check::new(info, report),
        None => {
            let mut check = Check::unreported(info);
            if let Some(reason) = interruption {
                check.message = Some(format!("not graded: {reason}"));
            }
            check
        }
    };
    expected.iter().map(find).collect()
}

impl Check {
    /// The result of a check that its suite reported.
    pub fn new(info: &CheckInfo, report: CheckReport) -> Self {
        let explanation = report.explanation.unwrap_or_default();
        let passed = report.verdict == Verdict::Passed;
        let case_hint = explanation.hint.filter(|_| !passed);
        let own = if passed { &[] } else { info.hints.as_slice() };
        let hints: Vec<String> = case_hint.iter().chain(own).cloned().collect();
        Self {
            verdict: report.verdict,
            points: if passed { info.points } else { 0 },
            skip_reason: report.skip_reason,
            started_us: report.started_us,
            duration_ms: report.duration_ms,
            message: (!explanation.message.is_empty()).then_some(explanation.message),
            sent: explanation.sent,
            received: explanation.received,
            expected: explanation.expected,
            actual: explanation.actual,
            diff: explanation.diff,
            why: explanation.because.unwrap_or_else(|| info.why.clone()),
            hint: hints.first().cloned(),
            hints,
            case_hint,
            reproduce: explanation.reproduce,
            server_log: explanation.server_log,
            of_program: ran_a_program(&report.transcript),
            transcript: report.transcript,
            asked_again: report.asked_again,
            places: explanation.places,
            ..Self::unreported(info)
        }
    }

    /// A check that was expected and never reported.
    pub fn unreported(info: &CheckInfo) -> Self {
        Self {
            id: info.id.clone(),
            title: info.title.clone(),
            task: info.task,
            points: 0,
            max_points: info.points,
            verdict: Verdict::Error,
            skip_reason: None,
            started_us: None,
            duration_ms: 0,
            message: Some(
                "the suite ended without a verdict on this check: an internal error of the grader".to_owned(),
            ),
            sent: None,
            received: None,
            expected: None,
            actual: None,
            diff: Vec::new(),
            why: info.why.clone(),
            source: info.source.clone(),
            hint: None,
            hints: Vec::new(),
            case_hint: None,
            reproduce: None,
            server_log: Vec::new(),
            of_program: false,
            held_out: info.held_out,
            counted: true,
            transcript: Vec::new(),
            asked_again: None,
            places: Vec::new(),
        }
    }
}

/// Whether what happened is a program's runs, and nothing is a server's.
fn ran_a_program(transcript: &[TranscriptEntry]) -> bool {
    let is_servers = |entry: &TranscriptEntry| match &entry.what {
        Happening::Sent { port, .. } | Happening::Log { port, .. } => port.is_some(),
        Happening::Note { mark, .. } => matches!(mark, Some(Mark::Ready { .. } | Mark::Ended { .. })),
        _ => false,
    };
    // As the kit tells of a run's end.
    let is_run =
        |entry: &TranscriptEntry| matches!(&entry.what, Happening::Note { text, .. } if text.starts_with("run "));
    transcript.iter().any(is_run) && !transcript.iter().any(is_servers)
}
