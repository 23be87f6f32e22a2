//! Task 5: sessions.

use std::collections::HashSet;

use lab_kit::guess::differing_bits;
use lab_kit::prelude::*;
use tokio::time::{Instant, sleep};

use crate::support::{Customer, cookie};

/// How many log-ins one customer makes at once.
const LOG_INS: usize = 64;
/// How many bits of a cookie must differ from log-in to log-in. A clock that counts nanoseconds and the number of a log-in
/// have 35 in such a burst, the shortest cookie of random digits has 53.
const LEAST_BITS: f64 = 48.0;

/// How often an unused session is looked at, for 10 seconds.
const LOOKS: u32 = 25;
const EVERY: Duration = Duration::from_millis(400);

/// A session is a fresh secret, given to users who have proved who they are (OWASP Session Management Cheat Sheet,
/// "Session ID Content", "Session ID Regeneration").
#[check(title = "a card starts a session", task = 5, points = 1,
        hints = ["If you try by hand, which status do POST /sessions and GET /session return, and which Set-Cookie?",
                 "Generate a new random value for every log-in, whatever cookie the client sends along."])]
async fn session(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let customer = Customer::insert(lab, lab.number(1, 90)).await?;
    let other = Customer::insert(lab, 0).await?;
    app.get("/session").await?.expect_status(401)?;
    app.post("/sessions").json(&json!({ "card": lab.word() })).await?.expect_status(401)?;
    let first = customer.session(&app).await?;
    customer.log_in(&app).await?.expect_json(customer.json())?;
    let second = customer.session(&app).await?;
    expect_that(first != second, "two log-ins got the same cookie")?;
    for session in [&first, &second] {
        customer.expect_in(app.get("/session").cookie("session", session).await?)?;
    }
    // A browser that has a session is logged in again, by somebody else and by the same customer.
    for next in [&other, &customer] {
        let (sent, elsewhere) = (customer.session(&app).await?, customer.session(&app).await?);
        let fresh = log_in_again(&app, next, &customer, &sent).await?;
        next.expect_in(app.get("/session").cookie("session", fresh).await?)?;
        let answer = app.get("/session").cookie("session", elsewhere).await?;
        customer.expect_in(answer).because("another browser's session has nothing to do with a log-in in this one")?;
    }
    // One that nobody was given, also where it looks like one that somebody was.
    let forged: String = first.chars().rev().collect();
    for unknown in [forged, lab.word()] {
        app.get("/session").cookie("session", unknown).await?.expect_status(401)?;
    }
    // And one that a client made up before it logged in.
    let planted = format!("{}{}", lab.word(), lab.word());
    let answer = customer.log_in(&app).cookie("session", &planted).await?.expect_status(201)?;
    expect_that(
        !answer.headers("set-cookie").iter().any(|field| field.contains(&planted)),
        "a log-in took over the cookie that the client sent",
    )?;
    app.get("/session").cookie("session", &planted).await?.expect_status(401)?;
    Ok(())
}

/// Logs in with a cookie that belongs to a session of `owner`, and gives the new one. What was sent along may end with that,
/// as OWASP advises (Session Management Cheat Sheet, "Renew the Session ID After Any Privilege Level Change"), or go on; it
/// is never somebody else's.
async fn log_in_again(app: &App, next: &Customer, owner: &Customer, sent: &str) -> CheckResult<String> {
    let answer = next.log_in(app).cookie("session", sent).await?.expect_status(201)?;
    expect_that(
        !answer.headers("set-cookie").iter().any(|field| field.contains(sent)),
        "a log-in took over the cookie that the client sent",
    )?;
    let earlier = app.get("/session").cookie("session", sent).await?.expect_status_in(&[200, 401])?;
    if earlier.status() == 200 {
        owner.expect_in(earlier).because("a log-in makes a session of its own, and gives nobody's to somebody else")?;
    }
    cookie(&answer)
}

/// Whoever guesses a cookie's value is logged in as somebody else (OWASP Session Management Cheat Sheet, "Session ID
/// Entropy": at least 64 bits; RFC 4086 §2).
#[check(title = "nobody can guess a session's cookie", task = 5, points = 1, needs = ["session"],
        hints = ["You log in. What do you know then of the cookie of whoever logged in just before you?",
                 "Clocks, counters and a customer's number are no secrets, and neither is a random number generator whose seed \
                  others know.",
                 "Take 16 bytes or more from a cryptographic random number generator, such as `rand::random`."])]
async fn unguessable(lab: &Lab) -> CheckResult {
    let apps = [lab.start().await?, lab.start().await?];
    // One customer on two instances, so that nothing tells the log-ins apart but what the server adds.
    let customer = Customer::insert(lab, 5).await?;
    let answers = lab.burst((0..LOG_INS).map(|index| customer.log_in(&apps[index % 2]))).await?;
    let values: Vec<_> = answers.iter().map(cookie).collect::<CheckResult<_>>()?;
    let different: HashSet<_> = values.iter().collect();
    expect_equal(
        &format!("how many different cookies {LOG_INS} log-ins of one customer got"),
        &different.len(),
        &LOG_INS,
    )?;
    let bits = differing_bits(&values);
    if bits >= LEAST_BITS {
        return Ok(());
    }
    Err(Failure::learner(format!("the cookies of {LOG_INS} log-ins differ in so little that they can be guessed"))
        .expected("values that are random for the most part, at least 64 bits of each")
        .actual(format!(
            "about {bits:.0} bits that differ, as between these two:\n{}\n{}",
            values[0],
            values[LOG_INS - 1]
        )))
}

/// A client that is refused for who it is must be told how to show who it is (RFC 9110 §11.6.1, §15.5.2: a 401 has at
/// least one challenge).
#[check(title = "401 comes with a challenge", task = 5, points = 1, needs = ["session"],
        hints = ["Which header must every 401 have?",
                 "`WWW-Authenticate` with a scheme of your own will do for cookies: `Session realm=\"box office\"`."])]
async fn challenge(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let requests = [
        app.get("/session"),
        app.get("/session").cookie("session", lab.word()),
        app.post("/sessions").json(&json!({ "card": lab.word() })),
    ];
    for request in requests {
        // never fails alone: `session` asks for the same statuses
        let answer = request.await?.expect_status(401)?;
        answer.expect_header_where("WWW-Authenticate", "names a scheme", |value| !value.trim().is_empty())?;
    }
    Ok(())
}

/// Cookies come in one header, separated by semicolons, and yours is not the only one (RFC 6265 §4.2.1, §5.4).
#[check(title = "the session's cookie is found among others", task = 5, points = 1, needs = ["session"],
        hints = ["What does your parser make of `theme=dark; session=…; lang=de`, and of `my-session=…`?",
                 "Split at semicolons, trim, and compare whole names. The crate `axum-extra` has `CookieJar`."])]
async fn cookie_among_others(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let customer = Customer::insert(lab, 5).await?;
    let session = customer.session(&app).await?;
    let (one, two) = (lab.word(), lab.word());
    for cookies in [
        format!("theme={one}; session={session}; lang={two}"),
        format!("my-session={one}; session={session}"),
        format!("session={session}; sessions={two}"),
        format!("{one}=x=y=; session={session}"),
    ] {
        customer
            .expect_in(app.get("/session").header("Cookie", &cookies).await?)
            .because("the session's cookie is one of several")?;
    }
    for others in [format!("my-session={session}; sessions={session}"), format!("Session={session}; SESSION={session}")]
    {
        app.get("/session")
            .header("Cookie", others)
            .await?
            .expect_status(401)
            .because("the names of cookies are compared letter by letter, and none of these is `session`")?;
    }
    Ok(())
}

/// A user who logs out must be out: everywhere, at once (OWASP ASVS 5.0, V7.4.1).
#[check(title = "a log-out ends the session", task = 5, points = 1, needs = ["session"],
        hints = ["Deleting the cookie is not enough: somebody may have copied it.", "Delete the session in Redis."])]
async fn log_out(lab: &Lab) -> CheckResult {
    let (app, other) = (lab.start().await?, lab.start().await?);
    let customer = Customer::insert(lab, 5).await?;
    let (ended, kept) = (customer.session(&app).await?, customer.session(&app).await?);
    customer.expect_in(other.get("/session").cookie("session", &ended).await?)?;
    app.delete("/session").cookie("session", &ended).await?.expect_status_in(&[200, 204])?;
    for app in [&other, &app] {
        app.get("/session").cookie("session", &ended).await?.expect_status(401)?;
        customer.expect_in(app.get("/session").cookie("session", &kept).await?)?;
    }
    Ok(())
}

/// A process keeps nothing that a later request needs: another process may get that request (The Twelve-Factor App, VI
/// Processes).
#[check(title = "sessions survive a restart and are valid on every instance", task = 5, points = 2, needs = ["session"],
        hints = ["Where is a session when your process ends?", "Keep it in Redis, under a key made from the cookie's value."])]
async fn session_survives(lab: &Lab) -> CheckResult {
    let (mut app, other) = (lab.start().await?, lab.start().await?);
    let customer = Customer::insert(lab, 5).await?;
    let session = customer.session(&app).await?;
    customer.expect_in(other.get("/session").cookie("session", &session).await?)?;
    app.restart().await?;
    customer.expect_in(app.get("/session").cookie("session", &session).await?)
}

/// A browser left open is a door left open, for as long as the session lasts (OWASP ASVS 5.0, V7.3.1).
#[check(title = "a session that is not used ends", task = 5, points = 2, needs = ["session"],
        hints = ["When does your session end, if SESSION_IDLE_SECONDS is 2?",
                 "Give the key an expiry, and renew it with every use: `GETEX key EX seconds`."])]
async fn idle_expiry(lab: &Lab) -> CheckResult {
    let app = lab.server().env("SESSION_IDLE_SECONDS", "2").start().await?;
    let customer = Customer::insert(lab, 5).await?;
    // To look at a session is to use it: so each of these is looked at once.
    let began = Instant::now();
    let idle = lab.burst((0..LOOKS).map(|_| customer.log_in(&app))).await?;
    let idle: Vec<_> = idle.iter().map(cookie).collect::<CheckResult<_>>()?;
    let mut busy = customer.session(&app).await?;
    let mut used = Instant::now();
    for unused in idle {
        let answer = app.get("/session").cookie("session", &busy).await?;
        if used.elapsed() < Duration::from_millis(900) {
            customer.expect_in(answer).because("this session was used within the last second")?;
        } else {
            // The machine stopped for so long that nobody used it in time.
            busy = customer.session(&app).await?;
        }
        used = Instant::now();
        // never fails alone: `session` asks the same of a session that is valid and of one that is not
        let answer = app.get("/session").cookie("session", &unused).await?.expect_status_in(&[200, 401])?;
        if answer.status() == 401 {
            return expect_late(began);
        }
        sleep(EVERY).await;
    }
    Err(Failure::learner("10 seconds after it started, a session that nobody used is still valid")
        .expected("401 after SESSION_IDLE_SECONDS, which is 2"))
}

/// A stolen session must end, however busily it is used (OWASP ASVS 5.0, V7.3.2).
#[check(title = "a session ends eventually, however much it is used", task = 5, points = 2, needs = ["session"],
        hints = ["Every use extends the session. For how long?",
                 "Store the start time in the session, and end it SESSION_MAX_SECONDS after that, whatever Redis says."])]
async fn absolute_expiry(lab: &Lab) -> CheckResult {
    let app = lab.server().env("SESSION_MAX_SECONDS", "2").start().await?;
    let customer = Customer::insert(lab, 5).await?;
    let session = customer.session(&app).await?;
    let began = Instant::now();
    lab.eventually("a session that is used all the time ends", Duration::from_secs(10), || async {
        app.get("/session").cookie("session", &session).await?.expect_status(401)
    })
    .await?;
    expect_late(began)
}

/// An expiry of two seconds may come a second early; one that comes at once is none.
fn expect_late(began: Instant) -> CheckResult {
    let life = began.elapsed();
    expect_that(life > Duration::from_millis(800), format!("the session ended after {life:.1?}"))
        .because("it should have lasted 2 seconds, give or take one")
}
