//! What the checks of this lab share: rows made by SQL, the state of the books, failures made by triggers.

mod books;
mod overlap;
mod sabotage;
mod seed;
mod walk;

use lab_kit::http::any_id;
use lab_kit::prelude::*;

pub use books::Books;
pub use lab_kit::id::Id;
pub use lab_kit::time::{expect_moment, moment, rfc3339};
pub use overlap::Instances;
pub use sabotage::{Moment, Sabotage};
pub use seed::{Seed, customer, customers, insert_all, literal};
pub use walk::{page, walk};

/// How long a start may take that the check itself waits for: the README's ten seconds, and what a busy machine needs.
pub const START: Duration = Duration::from_secs(15);

/// The answers with which a server may refuse a body that does not fit.
pub const BAD_INPUT: [u16; 2] = [400, 422];

/// The answers to a number that fits the contract and is larger than anything there is: it may also be too much.
pub const TOO_LARGE: [u16; 3] = [400, 409, 422];

/// Values that are no whole number above 0, though some languages take them for one.
pub fn no_amounts() -> [Value; 6] {
    [json!(0), json!(-1), json!(1.5), json!("1"), json!(true), json!(null)]
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
    response.expect_where("a status that says the server failed: 500 or 503", |answer| {
        matches!(answer.status(), 500 | 502..=599)
    })
}
