//! Attempts to log in, and being told to wait.

use chrono::{DateTime, Utc};
use lab_kit::prelude::*;

/// An attempt with a card that nobody has.
pub fn attempt(lab: &Lab, app: &App) -> Request {
    app.post("/sessions").json(&json!({ "card": lab.word() }))
}

pub fn is_refused(answer: &Response) -> bool {
    answer.status() == 429
}

/// Sends one attempt more than the limit allows, all at once, until one is refused; at most ten times, because a window
/// may end in between.
pub async fn until_refused(lab: &Lab, app: &App, limit: usize) -> CheckResult<Response> {
    for _ in 0..10 {
        for answer in lab.burst((0..=limit).map(|_| attempt(lab, app))).await? {
            // never fails alone: `rate_limit` asks the same of an attempt
            let answer = answer.expect_status_in(&[401, 429])?;
            if is_refused(&answer) {
                // Where refused attempts count as well, the last of them knows best how long it takes.
                let last = attempt(lab, app).await?;
                return Ok(if is_refused(&last) { last } else { answer });
            }
        }
    }
    // never fails alone: `rate_limit` fails a server that refuses nobody
    Err(Failure::learner(format!("of {} simultaneous attempts none was refused, ten times in a row", limit + 1))
        .expected(format!("429 after {limit} attempts, as RATE_LIMIT says")))
}

/// Waits as long as `Retry-After` says: the server's own word is what is tested.
pub async fn wait_as_told(answer: Response, at_most: Duration) -> CheckResult {
    let value = answer.header("retry-after").unwrap_or_default().trim().to_owned();
    let wait = value.parse().map(Duration::from_secs).ok().or_else(|| until(&value));
    let what = format!("says to wait for at most {} s (seconds or a date)", at_most.as_secs());
    answer.expect_header_where("Retry-After", &what, |_| wait.is_some_and(|wait| wait <= at_most))?;
    tokio::time::sleep(wait.unwrap_or_default()).await;
    Ok(())
}

fn until(date: &str) -> Option<Duration> {
    let date = DateTime::parse_from_rfc2822(&date.replace("GMT", "+0000")).ok()?;
    Some((date.with_timezone(&Utc) - Utc::now()).to_std().unwrap_or_default())
}
