//! Times as servers show them: RFC 3339, in whatever time zone and with whatever precision.

use chrono::{DateTime, SecondsFormat, TimeZone as _, Utc};

use crate::lab::Lab;
use lab_check::CheckResult;
use lab_http::Response;

/// 2031-01-01T00:00:00Z.
const FIRST: i64 = 1_924_992_000;
/// Nearly a year, in seconds.
const SPAN: i64 = 30_000_000;

/// A moment in 2031 that nobody could have foreseen, on a whole second.
///
/// ```
/// # fn example(lab: &lab_kit::Lab) {
/// let starts_at = lab_kit::time::moment(lab);
/// # let _ = starts_at;
/// # }
/// ```
pub fn moment(lab: &Lab) -> DateTime<Utc> {
    Utc.timestamp_opt(FIRST + lab.number(0, SPAN), 0).single().unwrap_or_default()
}

/// A time as clients write it (RFC 3339 §5.6).
///
/// ```
/// assert_eq!(lab_kit::time::rfc3339(chrono::DateTime::UNIX_EPOCH), "1970-01-01T00:00:00Z");
/// ```
pub fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Fails unless the value at the JSON `pointer` is the moment `expected`, in whatever time zone and with whatever
/// precision.
///
/// ```
/// # use lab_kit::prelude::*;
/// # async fn example(lab: &Lab, app: &App) -> CheckResult<()> {
/// let starts_at = lab_kit::time::moment(lab);
/// let body = json!({"title": "Hamlet", "starts_at": lab_kit::time::rfc3339(starts_at)});
/// let made = app.post("/events").json(&body).await?.expect_status(201)?;
/// lab_kit::time::expect_moment(made, "/starts_at", starts_at)?;
/// # Ok(()) }
/// ```
///
/// # Errors
/// The learner's failure if it is another moment, or none.
pub fn expect_moment(response: Response, pointer: &str, expected: DateTime<Utc>) -> CheckResult<Response> {
    let what = format!("the moment {} as RFC 3339 writes it", rfc3339(expected));
    response.expect_json_where(pointer, &what, |value| {
        value.as_str().and_then(|text| DateTime::parse_from_rfc3339(text).ok()).is_some_and(|time| time == expected)
    })
}
