//! What several checks of this suite use.

mod browser;
mod html;
mod key_server;
mod people;
mod policy;

pub use browser::{Browser, SetCookie, expect_redirect};
pub use html::{Element, Page};
pub use key_server::KeyServer;
pub use people::{HASHING, Newcomer, Person, Session, expect_no_password, expect_tokens, refresh, role_in_table};
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
    response.expect_where("a status below 500", |answer| answer.status() < 500)
}

/// The letters and digits of `text` in another order, so that it is as long and as plausible, and another text. What
/// stands between them, and `%XX`, stays where it is.
pub fn shuffled(lab: &Lab, text: &str) -> String {
    use lab_kit::rand::seq::SliceRandom as _;
    let mut characters: Vec<char> = text.chars().collect();
    let escaped =
        |place: usize| (place.saturating_sub(2)..place).any(|before| text.as_bytes().get(before) == Some(&b'%'));
    let movable = |(place, c): (usize, &char)| (c.is_ascii_alphanumeric() && !escaped(place)).then_some(place);
    let places: Vec<usize> = characters.iter().enumerate().filter_map(movable).collect();
    let mut letters: Vec<char> = places.iter().map(|&place| characters[place]).collect();
    for _ in 0..100 {
        lab.random(|random| letters.shuffle(random));
        if places.iter().zip(&letters).any(|(&place, letter)| characters[place] != *letter) {
            break;
        }
    }
    for (place, letter) in places.into_iter().zip(letters) {
        characters[place] = letter;
    }
    characters.into_iter().collect()
}
