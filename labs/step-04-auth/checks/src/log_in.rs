//! Task 2: logging in, and what it must not tell.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use lab_kit::id::Id;
use lab_kit::prelude::*;

use crate::support::{HASHING, Newcomer, Person, expect_no_password, expect_tokens};

/// A password is exchanged for tokens, which no cache on the way may store (RFC 6749 §5.1).
#[check(title = "users can log in", task = 2, points = 2, needs = ["register"],
        hints = ["bcrypt::verify compares a password with a hash.",
                 "Look up the account by lower(email); a wrong password is 401.",
                 "Add `Cache-Control: no-store` to every response that contains tokens."])]
async fn login(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    // Written as a telephone's keyboard has it.
    let ada = Newcomer { email: format!("Ada-{}", lab.email()), ..Newcomer::new(lab) };
    // never fails alone: `register` asks the same
    let registered = app.post("/register").json(&ada.body()).await?.expect_status(201)?;
    let id = Id::of(&registered, "/user/id")?;
    expect_uncached(registered)?;
    let log_in = |email: &str, password: Value| {
        app.post("/login").json(&json!({"email": email, "password": password})).within(HASHING)
    };
    for email in [ada.email.to_uppercase(), ada.email.to_lowercase()] {
        let response = log_in(&email, json!(ada.password)).await?.expect_status(200)?;
        let response =
            response.expect_json(json!({"user": {"id": id.json(), "name": ada.name, "role": "customer"}}))?;
        expect_uncached(expect_no_password(expect_tokens(response)?, &ada.password)?)?;
    }

    let password = &ada.password;
    let (shorter, last) = password.split_at(password.len() - 1);
    let wrong = [
        format!("not-{password}"),
        password.to_lowercase(),
        password.to_uppercase(),
        format!(" {password} "),
        shorter.to_owned(),
        last.to_owned(),
    ];
    for wrong in wrong {
        log_in(&ada.email, json!(wrong)).await?.expect_status(401)?;
    }
    for nothing in [json!(""), json!(null), json!(true), json!([]), json!({})] {
        let answer = log_in(&ada.email, nothing).await?.expect_status_in(&[400, 401, 422]);
        answer.because("this is no password, and so not the right one")?;
    }
    let missing = app.post("/login").json(&json!({"email": ada.email})).await?;
    missing.expect_status_in(&[400, 401, 422]).because("there is no password")?;
    // Where `_` and `%` stand for any characters, an address of these is everybody's.
    for pattern in [ada.email.to_lowercase().replacen('l', "_", 1), "%".into(), "%@example.com".into()] {
        let answer = log_in(&pattern, json!(password)).await?.expect_status_in(&[400, 401, 422]);
        answer.because("nobody has this address")?;
    }

    let spaced = Newcomer::with_password(lab, format!("  {}  ", lab.word())).register(&app).await?;
    spaced.log_in(&app).await.because("spaces belong to a password like every other character")?;
    // never fails alone: who trims on one side only lets nobody in here, and who trims on both has failed above
    spaced.try_password(&app, spaced.password.trim()).await?.expect_status(401)?;
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
    expect_the_same(unknown, &wrong).because("a wrong password and an unknown address must look the same")
}

/// Expects two answers of one status that nobody can tell apart: in the body, in which headers they have, and in those
/// that say why.
pub fn expect_the_same(answer: Response, other: &Response) -> CheckResult {
    let names = |of: &Response| {
        let mut names: Vec<String> = of.all_headers().iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
        names.sort_unstable();
        names
    };
    answer.clone().expect_body(other.body())?;
    for name in ["www-authenticate", "content-type", "location"] {
        expect_equal(&format!("{name} of one and of the other"), &answer.headers(name), &other.headers(name))?;
    }
    expect_equal("the names of the headers of one and of the other", &names(&answer), &names(other))
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
                 "tokio::task::spawn_blocking runs a closure on a thread where nothing else waits. Registering hashes, too.",
                 "Don't compute more hashes at once than there are cores: a semaphore makes the rest wait in line."])]
async fn server_stays_awake(lab: &Lab) -> CheckResult {
    /// Enough to keep every thread of a runtime busy that has one for each core, several times over.
    const LOG_INS_FOR_EACH_CORE: usize = 6;
    const ROUNDS: usize = 3;

    let app = lab.start().await?;
    let ada = Person::customer(lab, &app).await?;
    let count = LOG_INS_FOR_EACH_CORE * std::thread::available_parallelism().map_or(2, usize::from);
    let log_in = || ada.try_password(&app, &ada.password);
    let register = || app.post("/register").json(&Newcomer::new(lab).body());
    let kinds: [(&str, u16, &(dyn Fn() -> Request + Sync)); 2] =
        [("log-ins", 200, &log_in), ("registrations", 201, &register)];
    for (kind, status, request) in kinds {
        let mut seen = Vec::new();
        while seen.len() < ROUNDS {
            let (slowest, all) = health_meanwhile(lab, &app, (0..count).map(|_| request()), status).await?;
            lab.note(format!("{count} {kind} took {all:.1?}, the slowest request for /health meanwhile {slowest:.1?}"));
            // Relative to all of them: a slow machine makes both slow. Where hashes hold up everything, a request waits
            // for most of them; where they do not, it takes a few hundredths of the time. One that was slow for another
            // reason is measured again.
            if slowest * 6 <= all {
                break;
            }
            seen.push(format!("{slowest:.1?} of {all:.1?}"));
        }
        if seen.len() == ROUNDS {
            return Err(Failure::learner("requests wait while passwords are hashed")
                .expected(format!("while {count} {kind} are answered, no GET /health takes more than a sixth of the time they take together"))
                .actual(format!("the slowest took {}", seen.join(", then "))));
        }
    }
    Ok(())
}

/// Sends the requests at once and meanwhile one for /health after the other. Gives the time of the slowest of these, and
/// of all the requests.
async fn health_meanwhile(
    lab: &Lab,
    app: &App,
    requests: impl Iterator<Item = Request>,
    status: u16,
) -> CheckResult<(Duration, Duration)> {
    const LIMIT: Duration = Duration::from_secs(18);
    let done = AtomicBool::new(false);
    let began = Instant::now();
    let all = async {
        let answers = lab.burst(requests.map(|request| request.within(LIMIT))).await;
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
        answer.expect_status(status)?;
    }
    Ok((slowest?, took))
}

fn median(times: &[Duration]) -> Duration {
    lab_kit::percentile(times, 50).unwrap_or_default()
}
