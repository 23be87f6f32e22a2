//! Task 1: configuration comes from the environment, and a mistake in it ends the start.

use lab_kit::prelude::*;
use lab_postgres::LabPostgres as _;

use crate::support::{Office, SOON};

/// A server that guesses runs against the wrong database, or lets everybody in; one that exits says what to fix (The
/// Twelve-Factor App, III Config).
#[check(title = "if a required variable is missing, the server exits and names it", task = 1, points = 3,
        hints = ["Start the server with `env -u API_TOKEN`. What does it print, and what is `$?` afterwards?",
                 "`unwrap_or_default()` is a guess. Read every variable before anything else, and return an error that names it."])]
async fn config_missing(lab: &Lab) -> CheckResult {
    for name in ["DATABASE_URL", "API_TOKEN"] {
        let without = format!("{name} was not set");
        let office = Office::new(lab);
        let app = office.server(lab).env_remove(name).without_waiting().start().await?;
        expect_refused(lab, app, &office, name).await.because(&without)?;
    }
    let office = Office::new(lab);
    let app = office.server(lab).env("API_TOKEN", "").without_waiting().start().await?;
    expect_refused(lab, app, &office, "API_TOKEN").await.because("API_TOKEN was empty")
}

/// A value that cannot be parsed was meant to be something: replacing it with a default hides the mistake (The
/// Twelve-Factor App, III Config; OWASP, Logging Cheat Sheet, Data to exclude).
#[check(title = "if a variable is invalid, the server exits without printing its value", task = 1, points = 3,
        hints = ["What happens with `REQUEST_TIMEOUT_MS=soon`? Does your message, or the parser's error inside it, quote the value?",
                 "`.parse().unwrap_or(10_000)` swallows the mistake. The error should name the variable but not its value, which may contain a password."])]
async fn config_invalid(lab: &Lab) -> CheckResult {
    let url = format!("{} is no url", lab.word());
    let wrong = [
        ("REQUEST_TIMEOUT_MS", "soon"),
        ("SHUTDOWN_TIMEOUT_MS", "5s"),
        ("MAX_IN_FLIGHT", "-1"),
        ("DRAIN_DELAY_MS", "a while"),
        ("MAX_BODY_BYTES", "64k"),
        ("DATABASE_MAX_CONNECTIONS", "ten"),
        ("DATABASE_URL", url.as_str()),
    ];
    for (name, value) in wrong {
        let office = Office::new(lab);
        let app = office.server(lab).env(name, value).without_waiting().start().await?;
        expect_refused(lab, app, &office, name).await.because(&format!("{name} was `{value}`"))?;
    }
    Ok(())
}

/// Fails unless the server ends by itself with a code that says so, and names the variable without any secret.
async fn expect_refused(lab: &Lab, mut app: App, office: &Office, name: &str) -> CheckResult {
    let exit = app.exited(SOON).await?;
    expect_that(exit.code.is_some_and(|code| code != 0), format!("the server ended with {exit}"))
        .because("a failed start ends with an exit code other than 0")?;
    lab.eventually(&format!("the log names {name}"), Duration::from_secs(2), || async {
        let log = app.log();
        let named = log.iter().any(|line| line.contains(name));
        expect_that(named, format!("no line contains `{name}`: {}", log.join(" / ")))
    })
    .await?;
    let url = lab.postgres().await?.url().to_owned();
    let password = url.split(['/', ':', '@']).nth(4).unwrap_or_default().to_owned();
    let log = app.log().join("\n");
    let secrets = [
        ("the value of API_TOKEN", office.token.as_str()),
        ("the password in DATABASE_URL", password.as_str()),
        ("the value of DATABASE_URL", "is no url"),
    ];
    for (what, secret) in secrets {
        expect_that(secret.is_empty() || !log.contains(secret), format!("{what} appears in the log"))?;
    }
    Ok(())
}
