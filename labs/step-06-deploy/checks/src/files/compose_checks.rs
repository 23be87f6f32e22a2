//! Task 10, first half: the compose file.

use lab_kit::prelude::*;

use super::compose::{Compose, comes_from_outside, condition, has_healthcheck, settings};
use super::dockerfile_checks::{dockerfile, is_sigterm};
use super::secrets::{is_secret_name, password_in_url};
use super::yaml;

const FILE: &str = "compose.yaml";

fn compose(file: &Value) -> CheckResult<Compose<'_>> {
    Compose::of(file).map_err(|problem| Failure::learner(format!("`{FILE}`: {problem}")))
}

/// "Started" means that a process runs, "healthy" that it can be used (Docker documentation, Control startup and
/// shutdown order in Compose).
#[check(title = "both services have health checks, and the server is started after a healthy database", task = 10, points = 2,
        hints = ["What does `depends_on: [database]` wait for?",
                 "`healthcheck` with `pg_isready` for the database, and `depends_on: {database: {condition: service_healthy}}`.",
                 "The server's own health check asks `/readyz`, here or in the Dockerfile's HEALTHCHECK."])]
async fn compose_health(lab: &Lab) -> CheckResult {
    let file = yaml::read(lab, FILE)?;
    let compose = compose(&file)?;
    let ((app_name, app), (database_name, database)) = (compose.app, compose.database);
    expect_that(has_healthcheck(database), format!("the service `{database_name}` has no health check"))?;
    let in_image = || -> CheckResult<bool> {
        let dockerfile = dockerfile(lab)?;
        let check = dockerfile.effective("HEALTHCHECK");
        Ok(app["healthcheck"].is_null() && check.is_some_and(|it| !it.text.trim().eq_ignore_ascii_case("none")))
    };
    expect_that(has_healthcheck(app) || in_image()?, format!("the service `{app_name}` has no health check"))?;
    let signal = yaml::text(&app["stop_signal"]);
    expect_that(
        signal.is_empty() || is_sigterm(&signal),
        format!("compose stops `{app_name}` by {signal}, and your program waits for SIGTERM"),
    )?;
    let waits = condition(app, database_name);
    if waits.as_deref() == Some("service_healthy") {
        return Ok(());
    }
    Err(Failure::learner(format!("`{app_name}` does not wait until `{database_name}` is healthy"))
        .expected(format!("depends_on: {{{database_name}: {{condition: service_healthy}}}}"))
        .actual(waits.map_or("no depends_on for it".into(), |condition| format!("condition: {condition}"))))
}

/// The file is in the repository, so everybody who can read that has the password (The Twelve-Factor App, III Config;
/// CWE-798; Docker documentation, Set, use, and manage variables in a Compose file).
#[check(title = "the compose file contains no secret and pins the database's image", task = 10, points = 1,
        hints = ["Who can read `POSTGRES_PASSWORD: secret`?",
                 "`POSTGRES_PASSWORD: ${POSTGRES_PASSWORD:?}` takes it from the shell or a `.env` that is not committed. A default, `${X:-secret}`, is a secret in the file again."])]
async fn compose_secrets(lab: &Lab) -> CheckResult {
    let file = yaml::read(lab, FILE)?;
    let compose = compose(&file)?;
    for (service, content) in compose.services {
        let literal = settings(content).find(|(name, value)| {
            let in_url = password_in_url(value).is_some_and(|password| !comes_from_outside(password));
            in_url || is_secret_name(name) && !comes_from_outside(value) && !value.contains("://")
        });
        if let Some((name, _)) = literal {
            return Err(Failure::learner(format!("the secret in `{name}` of `{service}` is in the file"))
                .expected(format!("{name}: ${{{name}:?}}, or a secret in a file")));
        }
    }
    let image = yaml::text(&compose.database.1["image"]);
    expect_that(super::dockerfile_checks::is_pinned(&image), format!("the image `{image}` is not pinned"))
}
