//! Task 2: logging in, and what it must not tell.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use lab_kit::http::{any_number, any_string};
use lab_kit::prelude::*;

use crate::support::{Id, Newcomer, Person};

/// A password is exchanged for tokens, which no cache on the way may store (RFC 6749 §5.1).
#[check(title = "users can log in", task = 2, points = 2, needs = ["register"],
        hints = ["bcrypt::verify compares a password with a hash.",
                 "Look up the account by lower(email); a wrong password is 401.",
                 "Add `Cache-Control: no-store` to every response that contains tokens."])]
async fn login(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let ada = Newcomer::new(lab);
    // never fails alone: `register` asks the same
    let registered = app.post("/register").json(&ada.body()).await?.expect_status(201)?;
    let id = Id::at(&registered, "/user/id")?;
    expect_uncached(registered)?;
    // The same address in another case, as a telephone's keyboard may have it.
    let log_in =
        |password: &str| app.post("/login").json(&json!({"email": ada.email.to_uppercase(), "password": password}));
    let response = log_in(&ada.password).await?.expect_status(200)?;
    let response = response.expect_json(json!({
        "user": {"id": id.json(), "name": ada.name, "role": "customer"},
        "access_token": any_string(), "refresh_token": any_string(), "expires_in": any_number(),
    }))?;
    let is_bearer = |kind: &Value| kind.as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("bearer"));
    expect_uncached(response.expect_json_where("/token_type", "Bearer", is_bearer)?)?;
    log_in(&format!("not-{}", ada.password)).await?.expect_status(401)?;
    Ok(())
}

/// Tokens are for one client, and for no cache on the way.
pub fn expect_uncached(response: Response) -> CheckResult<Response> {
    let uncached = |value: &str| value.to_ascii_lowercase().contains("no-store");
    response.expect_header_where("cache-control", "says no-store", uncached).because("the response contains tokens")
}

/// A failed log-in does not reveal whether the account exists (OWASP ASVS 5.0, 6.3.8).
#[check(title = "a failed log-in does not say why", task = 2, points = 2, needs = ["login"],
        hints = ["Compare your responses for a wrong password and for an unknown address.",
                 "Use one error for both, created in one place."])]
async fn same_answer(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let ada = Person::customer(lab, &app).await?;
    // never fails alone: `login` asks the same of a wrong password
    let wrong = ada.try_password(&app, &ada.wrong_password()).await?.expect_status(401)?;
    let nobody = json!({"email": lab.email(), "password": ada.wrong_password()});
    let unknown = app.post("/login").json(&nobody).await?.expect_status(401)?;
    unknown.expect_body(wrong.body()).because("a wrong password and an unknown address must look the same")
}

/// The time that a response takes must not reveal it either (OWASP Authentication Cheat Sheet, "Authentication
/// Responses").
#[check(title = "a failed log-in takes the same time for everybody", task = 2, points = 2, needs = ["same_answer"], alone,
        hints = ["When is the slow part skipped?",
                 "Always compare the password with a hash: for an unknown address, with one whose password nobody knows.",
                 "That hash must have the same cost as the others."])]
async fn same_time(lab: &Lab) -> CheckResult {
    const TRIES: usize = 5;
    /// A comparison with a hash is the time of the whole answer; without it, the answer is there 20 times as fast. A
    /// cost that differs by two steps makes a factor of 4. What a busy machine does to medians stays below 2, and
    /// what it does once is measured again.
    const FACTOR: f64 = 2.0;
    const ROUNDS: usize = 3;

    let app = lab.start().await?;
    let ada = Person::customer(lab, &app).await?;
    let nobody = || json!({"email": lab.email(), "password": ada.wrong_password()});

    let (mut wrong, mut unknown) = (Vec::new(), Vec::new());
    for round in 1.. {
        for _ in 0..TRIES {
            wrong.push(ada.try_password(&app, &ada.wrong_password()).await?.elapsed());
            unknown.push(app.post("/login").json(&nobody()).await?.elapsed());
        }
        let (of_wrong, of_unknown) = (median(&wrong), median(&unknown));
        let ratio = of_wrong.as_secs_f64() / of_unknown.as_secs_f64().max(1e-6);
        if (1.0 / FACTOR..=FACTOR).contains(&ratio) {
            return Ok(());
        }
        if round == ROUNDS {
            let times =
                format!("{of_wrong:.1?} for a wrong password, {of_unknown:.1?} for an unknown address (medians)");
            return Err(Failure::learner("the time of a failed log-in reveals whether the account exists")
                .expected(format!("times that differ by no more than a factor of {FACTOR}"))
                .actual(times));
        }
    }
    Ok(())
}

/// Hashing is CPU work; on the threads that serve requests it stops everybody (tokio, "CPU-bound tasks and blocking
/// code").
#[check(title = "the server stays responsive while passwords are hashed", task = 2, points = 2, needs = ["login"], alone,
        hints = ["What else can a thread of the runtime do while bcrypt computes?",
                 "tokio::task::spawn_blocking runs a closure on a thread where nothing else waits.",
                 "Don't compute more hashes at once than there are cores: a semaphore makes the rest wait in line."])]
async fn server_stays_awake(lab: &Lab) -> CheckResult {
    /// Enough to keep every thread of a runtime busy that has one for each core, several times over.
    const LOG_INS_FOR_EACH_CORE: usize = 6;
    const ROUNDS: usize = 3;

    let app = lab.start().await?;
    let ada = Person::customer(lab, &app).await?;
    let log_ins = LOG_INS_FOR_EACH_CORE * std::thread::available_parallelism().map_or(2, usize::from);
    let mut seen = Vec::new();
    for _ in 0..ROUNDS {
        let (slowest, all) = health_meanwhile(lab, &app, &ada, log_ins).await?;
        lab.note(format!("{log_ins} log-ins took {all:.1?}, the slowest request for /health meanwhile {slowest:.1?}"));
        // Relative to the log-ins: a slow machine makes both slow. Where hashes hold up everything, a request waits
        // for most of the log-ins; where they do not, it takes a few hundredths of the time. One that was slow for
        // another reason is measured again.
        if slowest * 6 <= all {
            return Ok(());
        }
        seen.push(format!("{slowest:.1?} of {all:.1?}"));
    }
    Err(Failure::learner("requests wait while passwords are hashed")
        .expected(format!("while {log_ins} log-ins are answered, no GET /health takes more than a sixth of the time they take together"))
        .actual(format!("the slowest took {}", seen.join(", then "))))
}

/// Sends the log-ins at once and meanwhile one request for /health after the other. Gives the time of the slowest of
/// these, and of all the log-ins.
async fn health_meanwhile(lab: &Lab, app: &App, ada: &Person, log_ins: usize) -> CheckResult<(Duration, Duration)> {
    const LIMIT: Duration = Duration::from_secs(18);
    let done = AtomicBool::new(false);
    let began = Instant::now();
    let all = async {
        let requests = (0..log_ins).map(|_| ada.try_password(app, &ada.password).within(LIMIT));
        let answers = lab.burst(requests).await;
        done.store(true, Ordering::SeqCst);
        (answers, began.elapsed())
    };
    let health = async {
        let mut slowest = Duration::ZERO;
        while !done.load(Ordering::SeqCst) {
            let asked = Instant::now();
            app.get("/health").within(LIMIT).await?.expect_status(200)?;
            slowest = slowest.max(asked.elapsed());
            // The transcript need not hold hundreds of them.
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        CheckResult::Ok(slowest)
    };
    let ((answers, took), slowest) = tokio::join!(all, health);
    for answer in answers? {
        answer.expect_status(200)?;
    }
    Ok((slowest?, took))
}

fn median(times: &[Duration]) -> Duration {
    lab_kit::percentile(times, 50).unwrap_or_default()
}
