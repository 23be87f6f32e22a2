//! What several checks of this suite use.

mod browser;
mod html;
mod id;
mod people;
mod policy;

pub use browser::{Browser, SetCookie};
pub use html::{Element, Page};
pub use id::Id;
pub use people::{Newcomer, Person, Session, refresh, role_in_table};
pub use policy::Policies;

use lab_kit::prelude::*;

/// What the README calls bad input.
pub const BAD_INPUT: [u16; 2] = [400, 422];

/// What the README calls a redirect.
pub const REDIRECT: [u16; 2] = [302, 303];

/// A request that is answered without a body, or with one.
pub const DONE: [u16; 2] = [200, 204];

/// Fails on what no request may cause.
pub fn no_crash(response: Response) -> CheckResult<Response> {
    response.expect_that("a status below 500", |answer| answer.status() < 500)
}

/// The characters of `text` in another order, so that it is as long and as plausible, and another text.
pub fn shuffled(lab: &Lab, text: &str) -> String {
    use lab_kit::rand::seq::SliceRandom as _;
    let mut letters: Vec<char> = text.chars().collect();
    for _ in 0..100 {
        lab.random(|random| letters.shuffle(random));
        if letters.iter().copied().ne(text.chars()) {
            break;
        }
    }
    letters.into_iter().collect()
}
