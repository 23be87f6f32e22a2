//! Task 3: the secret that tokens are signed with.

use lab_kit::prelude::*;
use lab_kit::rand::RngExt as _;

use crate::support::Person;

/// A secret with a default is known to everybody who can read the source (OWASP ASVS 5.0, 13.3.1; 12-factor app, III).
#[check(title = "without JWT_SECRET the server does not start", task = 3, points = 2,
        hints = ["What are your tokens signed with when nobody set the variable?",
                 "Read it when the server starts; if it is missing or empty, print its name and exit with an error."])]
async fn secret_missing(lab: &Lab) -> CheckResult {
    for builder in [lab.server().env_remove("JWT_SECRET"), lab.server().env("JWT_SECRET", "")] {
        let mut app = builder.without_waiting().start().await?;
        expect_refusal_to_start(lab, &mut app, "JWT_SECRET").await?;
    }
    Ok(())
}

/// HS256 needs a key of 256 bits or more, and a key does not belong in a log (RFC 7518 §3.2; OWASP ASVS 5.0, 16.2.5).
#[check(title = "a short secret is refused, and none is ever printed", task = 3, points = 2, needs = ["register"],
        hints = ["How long must an HMAC key be for SHA-256?",
                 "32 bytes or more. The message names the variable, not its value."])]
async fn secret_short(lab: &Lab) -> CheckResult {
    let short = secret_of(lab, 31);
    let mut app = lab.server().env("JWT_SECRET", &short).without_waiting().start().await?;
    expect_refusal_to_start(lab, &mut app, "JWT_SECRET").await?;
    expect_unprinted(&app, &short)?;

    let long = secret_of(lab, 32);
    let app = lab.server().env("JWT_SECRET", &long).start().await.because("32 bytes are enough")?;
    let ada = Person::customer(lab, &app).await?;
    // What becomes of the log-ins, `login` asks; here it is what they leave behind.
    for password in [&ada.wrong_password(), &ada.password] {
        ada.try_password(&app, password).await?;
    }
    expect_unprinted(&app, &long)?;
    expect_unprinted(&app, &ada.password)?;
    drop(app);

    // Bytes of the text as given: spaces are some, and é is two.
    let odd = format!(" éééé{} ", secret_of(lab, 22));
    lab.server().env("JWT_SECRET", &odd).start().await.because("32 bytes are enough, whatever the characters")?;
    Ok(())
}

/// A random secret of `length` letters and digits.
pub fn secret_of(lab: &Lab, length: usize) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    lab.random(|random| (0..length).map(|_| char::from(LETTERS[random.random_range(0..LETTERS.len())])).collect())
}

/// Expects the server to exit with an error that names `variable`.
pub async fn expect_refusal_to_start(lab: &Lab, app: &mut App, variable: &str) -> CheckResult {
    let limit = Duration::from_secs(10);
    if app.ready(limit).await.is_ok() {
        return Err(Failure::learner(format!("the server starts, whatever {variable} is"))
            .expected(format!("it exits with a status other than 0 and names {variable}")));
    }
    let exit = app.exited(Duration::from_secs(1)).await?;
    if exit.code == Some(0) {
        return Err(Failure::learner("the server exits with status 0, as if all were well").expected("another status"));
    }
    // The last lines may still be on their way when the process is gone.
    lab.eventually("the output says what is wrong", Duration::from_secs(3), || async {
        let log = app.log();
        let named = log.iter().any(|line| line.contains(variable));
        if named {
            return Ok(());
        }
        Err(Failure::learner(format!("the server exits without naming {variable}"))
            .expected(format!("a line with {variable} on standard output or standard error"))
            .actual(if log.is_empty() { "nothing was printed".to_owned() } else { log.join("\n") }))
    })
    .await
}

fn expect_unprinted(app: &App, secret: &str) -> CheckResult {
    let printed = app.log().into_iter().find(|line| line.contains(secret));
    printed.map_or(Ok(()), |line| Err(Failure::learner("the server prints a secret").actual(line)))
}
