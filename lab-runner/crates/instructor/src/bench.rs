//! Measures how fast grading is, in one run and as ratios: times of one machine say little of another.
//!
//! - the warm check of a solution, with nothing to compile, against its own lower bound: cargo's call with nothing to do
//!   and the longest single check;
//! - the same against the same checks one after the other, with a container started for each, as the examples of
//!   testcontainers do;
//! - from an edit of the solution to the verdict of one check, and of the lab, against cargo's part of it;
//! - what the runner adds before the first check begins: services ready, the server started once, cargo's time not.

mod batch;
mod containers;
mod edits;

use std::process::Stdio;
use std::time::{Duration, Instant};

use lab_runner::bench::Bench;
use lab_runner::context::RunContext;
use lab_runner::engine::Engine;
use lab_runner::error::Error;
use lab_runner::events::EventKind;
use lab_runner::helper;
use lab_runner::report::{Outcome, Report};
use lab_runner::workspace::Lab;
use tokio::process::Command;

pub use batch::{Measure, batch};

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

/// Runs `cargo lab`, as a user does, and reads its result.
async fn check(run: &RunContext, arguments: &[String], env: &[(String, String)]) -> Result<Report, Error> {
    let program =
        helper::runner().ok_or_else(|| Error::Fault("where the runner's own program is cannot be told".into()))?;
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
