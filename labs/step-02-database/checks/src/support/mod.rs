//! What the checks of this lab share: rows made by SQL, the state of the books, failures made by triggers.

mod books;
mod id;
mod overlap;
mod sabotage;
mod seed;
mod walk;

use chrono::{DateTime, SecondsFormat, TimeZone as _, Utc};
use lab_kit::http::any_id;
use lab_kit::prelude::*;

pub use books::Books;
pub use id::Id;
pub use overlap::{Instances, wait_for_waiting};
pub use sabotage::{Moment, Sabotage};
pub use seed::{Seed, customer, customers, insert_all, literal};
pub use walk::{page, walk};

/// The answers with which a server may refuse a body that does not fit.
pub const BAD_INPUT: [u16; 2] = [400, 422];

/// The answers to a number that fits the contract and is larger than anything there is: it may also be too much.
pub const TOO_LARGE: [u16; 3] = [400, 409, 422];

/// Values that are no whole number above 0, though some languages take them for one.
pub fn no_amounts() -> [Value; 6] {
    [json!(0), json!(-1), json!(1.5), json!("1"), json!(true), json!(null)]
}

/// A moment in 2031 that nobody could have foreseen, on a whole second.
pub fn moment(lab: &Lab) -> DateTime<Utc> {
    let first = 1_924_992_000; // 2031-01-01T00:00:00Z
    Utc.timestamp_opt(first + lab.number(0, 30_000_000), 0).single().unwrap_or_default()
}

/// A time as clients write it.
pub fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// Fails unless `/starts_at` is the moment `expected`, in whatever time zone and with whatever precision.
pub fn expect_moment(response: Response, pointer: &str, expected: DateTime<Utc>) -> CheckResult<Response> {
    let what = format!("the moment {} as RFC 3339 writes it", rfc3339(expected));
    response.expect_json_where(pointer, &what, |value| {
        value.as_str().and_then(|text| DateTime::parse_from_rfc3339(text).ok()).is_some_and(|time| time == expected)
    })
}

/// An event as the server must show it, without its `starts_at`.
pub fn event_json(seed: &Seed, seats_left: i64) -> Value {
    json!({
        "id": any_id(),
        "title": seed.title,
        "seats": seed.seats,
        "seats_left": seats_left,
        "price_cents": seed.price_cents,
    })
}

/// Fails unless the server says that the fault is on its side.
pub fn expect_server_error(response: Response) -> CheckResult<Response> {
    response.expect_that("a status that says the server failed: 500 or 503", |answer| {
        matches!(answer.status(), 500 | 502..=599)
    })
}
