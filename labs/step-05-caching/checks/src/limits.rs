//! Task 6: the rate limit.

use std::net::Ipv4Addr;

use lab_kit::prelude::*;
use lab_redis::LabRedis as _;

use crate::support::{Customer, attempt, is_refused, until_refused, wait_as_told};

/// What `Retry-After` may say more than the window is long: whole seconds are rounded up.
const ROUNDED: Duration = Duration::from_secs(1);

/// A server that checks first and counts afterwards lets in everybody who arrives in between (Redis documentation,
/// `INCR`, "Pattern: Rate limiter"; CWE-367).
#[check(title = "the limit holds across all instances and for simultaneous attempts", task = 6, points = 3,
        hints = ["Ten requests arrive at the same moment. What do they read before the first of them has written?",
                 "`INCR` counts and returns the count in one step. Decide by what it returns.",
                 "With a counter in the server's memory, each instance has its own."])]
async fn rate_limit(lab: &Lab) -> CheckResult {
    let server = || lab.server().env("RATE_LIMIT", "10").env("RATE_WINDOW_SECONDS", "3600");
    let (app, other) = (server().start().await?, server().start().await?);
    // Late answers make attempts overlap, as they do with a Redis on another machine.
    lab.redis().await?.proxy().delay(Duration::from_millis(10));
    let answers = lab.burst((0..20).map(|index| attempt(lab, if index % 2 == 0 { &app } else { &other }))).await?;
    let mut passed = 0;
    for answer in answers {
        let answer = answer.expect_status_in(&[401, 429])?;
        if is_refused(&answer) {
            answer
                .expect_header_where("Retry-After", "says when to try again", |value| !value.is_empty())
                .because("whoever is refused has to know when to come back (RFC 6585 §4)")
                .hint("How does a client that was refused know when the window ends?")?;
        } else {
            passed += 1;
        }
    }
    if passed != 10 {
        return Err(Failure::learner(format!(
            "of 20 simultaneous attempts on two instances, {passed} were not refused"
        ))
        .expected("10, as RATE_LIMIT says, and 429 for the others")
        .actual(format!("{passed} were not refused")));
    }
    for app in [&other, &app] {
        attempt(lab, app).await?.expect_status(429)?;
    }
    Ok(())
}

/// A limit that never ends is a ban, and a client that is told when to come back must be let in then (RFC 6585 §4, RFC
/// 9110 §10.2.3).
#[check(title = "the window ends when Retry-After says", task = 6, points = 2, needs = ["rate_limit"],
        hints = ["Look at your counter's `TTL`: -1 means that it never expires.",
                 "Set the expiry with the first attempt of a window, and only then.",
                 "Retry-After is the rest of the window, in seconds, rounded up."])]
async fn window_ends(lab: &Lab) -> CheckResult {
    let window = Duration::from_secs(2);
    let app = with_window(lab, 3, window).await?;
    wait_as_told(until_refused(lab, &app, 3).await?, window + ROUNDED).await?;
    attempt(lab, &app).await?.expect_status(401).because("the time given by Retry-After is over")?;
    // The next window is a limit, too.
    until_refused(lab, &app, 3).await?;
    Ok(())
}

/// Anybody can write anything into a header (OWASP API Security 2023, API4; RFC 7239 §8.1).
#[check(title = "each address has its attempts, and no header, card or cookie gives new ones", task = 6, points = 2, needs = ["rate_limit"],
        hints = ["How do you tell clients apart? Who wrote that data?",
                 "`ConnectInfo<SocketAddr>` has the connection's address. Leave out the port."])]
async fn spoofed_addresses(lab: &Lab) -> CheckResult {
    let app = lab.server().env("RATE_LIMIT", "5").env("RATE_WINDOW_SECONDS", "3600").start().await?;
    let customer = Customer::insert(lab, 0).await?;
    let mut passed = 0;
    for index in 0..15 {
        let address = format!("203.0.113.{}", lab.number(1, 250));
        let mut request = if index % 3 == 0 { customer.log_in(&app) } else { attempt(lab, &app) };
        for name in ["X-Forwarded-For", "X-Real-IP", "X-Client-IP", "True-Client-IP", "CF-Connecting-IP", "X-Forwarded"]
        {
            request = request.header(name, &address);
        }
        request = request.header("Forwarded", format!("for={address}")).header("User-Agent", lab.word());
        // never fails alone: `rate_limit` and `session` ask the same of an attempt
        let answer = request.cookie("session", lab.word()).await?.expect_status_in(&[201, 401, 429])?;
        passed += usize::from(!is_refused(&answer));
    }
    if passed != 5 {
        return Err(Failure::learner(format!(
            "with RATE_LIMIT=5, {passed} of 15 attempts from one address were not refused"
        ))
        .expected("5: whatever the headers say, all came from 127.0.0.1")
        .actual(format!("{passed}")));
    }
    let other = Ipv4Addr::new(127, 0, 0, 2);
    if !app.has_address(other)? {
        lab.note("this machine has no other address of its own than 127.0.0.1");
        return Ok(());
    }
    let first = attempt(lab, &app).from_address(other).await?.expect_status(401);
    first
        .because("the attempts from 127.0.0.1 are used up, and nobody has tried from 127.0.0.2 yet")
        .hint("Somebody guesses cards. Who else is refused?")?;
    Ok(())
}

/// Between two commands a process may die or a connection may break: commands that belong together are sent together
/// (Redis documentation, `INCR`, "Pattern: Rate limiter 2": the race condition that leaks the key).
#[check(title = "a lost EXPIRE does not cause an endless limit", task = 6, points = 1, needs = ["rate_limit"],
        hints = ["What happens to the counter when `INCR` arrives and `EXPIRE` does not?",
                 "Send both in one script or transaction; or set the expiry again with every attempt that finds none (`EXPIRE … NX`)."])]
async fn lost_expiry(lab: &Lab) -> CheckResult {
    let window = Duration::from_secs(1);
    let app = with_window(lab, 1, window).await?;
    let cache = lab.redis().await?;
    let failpoint = cache.proxy().cut_at("EXPIRE");
    let _ = attempt(lab, &app).await?;
    if failpoint.was_triggered() {
        lab.note("the connection was cut before EXPIRE arrived");
    }
    cache.proxy().restore();
    // The connection may have to be made anew.
    let usual = || async { attempt(lab, &app).await?.expect_status_in(&[401, 429]) };
    lab.eventually("an attempt is counted again", Duration::from_secs(5), usual).await?;
    wait_as_told(until_refused(lab, &app, 1).await?, window + ROUNDED).await?;
    attempt(lab, &app).await?.expect_status(401).because("the time given by Retry-After is over")?;
    Ok(())
}

async fn with_window(lab: &Lab, limit: u32, window: Duration) -> CheckResult<App> {
    let server = lab.server().env("RATE_LIMIT", &limit.to_string());
    server.env("RATE_WINDOW_SECONDS", &window.as_secs().to_string()).start().await
}
