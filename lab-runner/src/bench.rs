//! Measures how fast grading is, in one run and as ratios: times of one machine say little of another.
//!
//! - the warm check of a solution, with nothing to compile, against its own lower bound: cargo's call with nothing to do
//!   and the longest single check;
//! - the same against the same checks one after the other, with a container started for each, as the examples of
//!   testcontainers do;
//! - from an edit of the solution to the verdict of one check, and of the lab, against cargo's part of it;
//! - what the runner adds before the first check begins: services ready, the server started once, cargo's time not.

mod containers;
mod edits;

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::process::Command;

use crate::context::RunContext;
use crate::engine::Engine;
use crate::error::Error;
use crate::events::EventKind;
use crate::report::{Outcome, Report};
use crate::workspace::Lab;

pub use edits::{Edits, Waited};

/// What was measured: `backend-labs/bench/v1`. Times in milliseconds, medians.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Bench {
    /// The format's name and version.
    pub schema: String,
    /// The lab whose solution was checked.
    pub lab: String,
    /// How often each thing was measured.
    pub rounds: u32,
    /// The providers of its services.
    pub providers: Vec<String>,
    /// The warm check, from the start of the program to its end.
    pub check_ms: f64,
    /// Cargo's call with nothing to do.
    pub cargo_ms: f64,
    /// The longest single check.
    pub longest_ms: f64,
    /// The check that takes longest.
    pub longest: String,
    /// The warm check against cargo's call and the longest check together. The aim: under 2.
    pub against_bound: f64,
    /// What the runner adds before the first check begins. The aim: under 200.
    pub added_ms: f64,
    /// From an edit to its verdict.
    pub edits: Edits,
    /// All checks one after the other, each with containers of its own, or why that was not measured.
    pub one_by_one: Result<OneByOne, String>,
}

/// The checks one after the other, with containers for each.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OneByOne {
    /// How many checks there are.
    pub checks: usize,
    /// All of it.
    pub total_ms: f64,
    /// The part of it in which containers are started and removed.
    pub containers_ms: f64,
    /// How many times as long as the warm check. The aim: at least 10.
    pub against_check: f64,
}

/// Measures the check of `lab`'s solution.
///
/// # Errors
/// The solution does not pass, or a program cannot be started.
pub async fn bench(engine: &Engine, lab: &Lab, rounds: u32, services: &str, run: &RunContext) -> Result<Bench, Error> {
    let say = |text: String| run.emit(EventKind::Step { text });
    say("warming up".into());
    let arguments = |more: &[&str]| -> Vec<String> {
        ["check", lab.id(), "--solution", "--format", "json"].iter().chain(more).map(ToString::to_string).collect()
    };
    let warm = arguments(&["--services", services]);
    // Twice: the first may start containers and compile, the second learns how long each check takes.
    check(run, &warm, &[]).await?;
    check(run, &warm, &[]).await?;
    let (mut checks, mut cargos, mut added, mut longest) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut last = None;
    for round in 1..=rounds {
        say(format!("round {round} of {rounds}"));
        let (began, called) = (Instant::now(), chrono::Utc::now());
        let report = check(run, &warm, &[]).await?;
        checks.push(exact_millis(began.elapsed()));
        cargos.push(exact_millis(engine.cargo_again(lab, run).await?));
        let startup = (report.started_at - called).num_microseconds().unwrap_or_default() as f64 / 1000.0;
        let first = report.timings.first_check_ms.unwrap_or_default() as f64;
        added.push(startup + first - report.timings.cargo_ms.unwrap_or_default() as f64);
        longest.extend(report.checks.iter().map(|check| check.duration_ms as f64).reduce(f64::max));
        last = Some(report);
    }
    let report = last.ok_or_else(|| Error::usage("nothing to measure in zero rounds"))?;
    let (check_ms, cargo_ms, longest_ms) = (median(checks), median(cargos), median(longest));
    let slowest = report.checks.iter().max_by_key(|check| check.duration_ms);
    say("editing".into());
    let edits = edits::edits(&engine.folder()?, lab, rounds, services, run).await?;
    let one_by_one = containers::one_by_one(run, lab, &report, &arguments, check_ms, &say).await;
    Ok(Bench {
        schema: "backend-labs/bench/v1".to_owned(),
        lab: lab.id().to_owned(),
        rounds,
        providers: report.services.iter().map(|(name, service)| format!("{name} ({})", service.provider)).collect(),
        check_ms,
        cargo_ms,
        longest_ms,
        longest: slowest.map(|check| check.id.clone()).unwrap_or_default(),
        against_bound: check_ms / (cargo_ms + longest_ms),
        added_ms: median(added),
        edits,
        one_by_one,
    })
}

/// Runs this very program, as a user does, and reads its result.
async fn check(run: &RunContext, arguments: &[String], env: &[(String, String)]) -> Result<Report, Error> {
    let program = std::env::current_exe()
        .map_err(|error| Error::Fault(format!("cannot find the path of my own executable: {error}")))?;
    let mut command = Command::new(program);
    command.args(arguments).envs(env.iter().cloned()).stdin(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    let output = tokio::select! {
        output = command.output() => output.map_err(|error| Error::Fault(format!("cannot start another cargo lab: {error}")))?,
        () = run.cancel().cancelled() => return Err(Error::Interrupted),
    };
    let report: Report = serde_json::from_slice(&output.stdout).map_err(|_| {
        let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Error::Infrastructure { message: format!("the check returned no result: {message}"), hints: Vec::new() }
    })?;
    if report.outcome != Outcome::Graded || report.score < report.max_score {
        let failed: Vec<&str> = report.failures().map(|check| check.id.as_str()).collect();
        let message = format!("the solution has {}/{}: {}", report.score, report.max_score, failed.join(", "));
        return Err(Error::Infrastructure {
            message,
            hints: vec!["only a solution that passes can be measured".into()],
        });
    }
    Ok(report)
}

fn exact_millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
