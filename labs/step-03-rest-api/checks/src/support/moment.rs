//! Times.

use chrono::{DateTime, SecondsFormat, TimeZone as _, Utc};
use lab_kit::prelude::*;

/// A moment in 2031 that nobody could have foreseen, on a whole second.
pub fn moment(lab: &Lab) -> DateTime<Utc> {
    let first = 1_924_992_000; // 2031-01-01T00:00:00Z
    Utc.timestamp_opt(first + lab.number(0, 30_000_000), 0).single().unwrap_or_default()
}

/// A time as clients write it.
pub fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Fails unless the value at `pointer` is this moment, in whatever time zone and with whatever precision.
pub fn expect_moment(response: Response, pointer: &str, expected: DateTime<Utc>) -> CheckResult<Response> {
    let what = format!("the moment {} as RFC 3339 writes it", rfc3339(expected));
    response.expect_json_where(pointer, &what, |value| {
        value.as_str().and_then(|text| DateTime::parse_from_rfc3339(text).ok()).is_some_and(|time| time == expected)
    })
}

/// The same time as people two hours east of Greenwich write it.
pub fn in_the_east(time: DateTime<Utc>) -> String {
    (time + chrono::TimeDelta::hours(2)).format("%Y-%m-%dT%H:%M:%S+02:00").to_string()
}
