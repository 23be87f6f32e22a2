//! The slow way to compare with: one check after the other, each with a container of its own for each service.

use std::time::Instant;

use lab_runner::bench::OneByOne;
use lab_runner::context::RunContext;
use lab_runner::error::{Error, ExpectedError as _};
use lab_runner::report::Report;
use lab_runner::workspace::Lab;
use lab_services::{FreshContainers, ProviderError};

use super::{check, exact_millis};

/// Runs each check of `report` by itself, with fresh containers, and adds up: their start and end, and the check's own
/// time. What the runner needs around that is left out, which favours this side.
pub(super) async fn one_by_one(
    run: &RunContext,
    lab: &Lab,
    report: &Report,
    arguments: &dyn Fn(&[&str]) -> Vec<String>,
    check_ms: f64,
    say: &dyn Fn(String),
) -> Result<OneByOne, String> {
    let services = &lab.manifest.services;
    if services.is_empty() {
        return Err("the lab needs no services".into());
    }
    let containers: Result<Vec<FreshContainers>, ProviderError> =
        services.iter().map(|service| FreshContainers::of(*service)).collect();
    let containers = containers.map_err(|error| error.to_string())?;
    let (mut total, mut around_all) = (0.0, 0.0);
    for (number, one) in report.checks.iter().enumerate() {
        say(format!("one by one: check {} of {}, {}", number + 1, report.checks.len(), one.id));
        let (around, own) = alone(run, &containers, &one.id, arguments).await?;
        around_all += around;
        total += around + own;
    }
    Ok(OneByOne {
        checks: report.checks.len(),
        total_ms: total,
        containers_ms: around_all,
        against_check: total / check_ms,
    })
}

/// One check with fresh containers: the time around it, and its own.
async fn alone(
    run: &RunContext,
    containers: &[FreshContainers],
    id: &str,
    arguments: &dyn Fn(&[&str]) -> Vec<String>,
) -> Result<(f64, f64), String> {
    let began = Instant::now();
    let (mut running, mut env) = (Vec::new(), Vec::new());
    for service in containers {
        let container = service.start().map_err(|error| error.to_string())?;
        env.push((service.service().variable("URL"), container.url.clone()));
        running.push(container);
    }
    let start = exact_millis(began.elapsed());
    // `check` reads the lab first, then the checks' names.
    let mut arguments = arguments(&["--services", "external", "--jobs", "1"]);
    arguments.insert(2, id.to_owned());
    let graded = check(run, &arguments, &env).await.map_err(|error: Error| error.message())?;
    let own = graded.checks.iter().find(|check| check.id == id).map_or(0, |check| check.duration_ms);
    let began = Instant::now();
    drop(running);
    Ok((start + exact_millis(began.elapsed()), own as f64))
}
