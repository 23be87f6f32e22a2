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

/// Tries until an attempt is refused, at most 30 times.
pub async fn until_refused(lab: &Lab, app: &App) -> CheckResult<Response> {
    for _ in 0..30 {
        let answer = attempt(lab, app).await?.expect_status_in(&[401, 429])?;
        if is_refused(&answer) {
            return Ok(answer);
        }
    }
    Err(Failure::learner("30 attempts in a row were not refused").expected("429 after RATE_LIMIT attempts"))
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
