//! Random data from the run's seed: another run with the same seed sends the same bytes.

use std::sync::{Mutex, PoisonError};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use sha2::{Digest as _, Sha256};

use super::Lab;
use lab_protocol::AGENTS;

/// One check's generator. Each check has its own, so that it draws the same whatever runs beside it.
#[derive(Debug)]
pub(super) struct Random(Mutex<StdRng>);

impl Random {
    pub fn new(seed: u64, check: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(seed.to_le_bytes());
        hash.update(check.as_bytes());
        Self(Mutex::new(StdRng::from_seed(hash.finalize().into())))
    }

    /// It begins with letters that are no word by themselves, and with other ones each time: nobody is to know the grader by them.
    fn word(&self) -> String {
        const BEGINNING: &[u8] = b"bcdfghjkmnpqrstvwxz";
        const LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";
        let some = |letters: &[u8], count: usize| -> String {
            self.draw(|random| (0..count).map(|_| char::from(letters[random.random_range(0..letters.len())])).collect())
        };
        format!("{}-{}", some(BEGINNING, 3), some(LETTERS, 10))
    }

    fn draw<T>(&self, draw: impl FnOnce(&mut StdRng) -> T) -> T {
        draw(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The client that the requests of `check` are of.
pub(super) fn agent(seed: u64, check: &str) -> &'static str {
    Random::new(seed, &format!("the client of {check}")).draw(|random| AGENTS[random.random_range(0..AGENTS.len())])
}

impl Lab {
    /// Draws from this check's generator.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// use lab_kit::rand::RngExt as _;
    /// # fn example(lab: &Lab) {
    /// let price = lab.random(|random| random.random_range(100..10_000));
    /// # }
    /// ```
    pub fn random<T>(&self, draw: impl FnOnce(&mut StdRng) -> T) -> T {
        self.random.draw(draw)
    }

    /// A lower-case word that nobody could have foreseen, such as `fkt-k3v9qzm4ae`.
    ///
    /// ```
    /// # fn example(lab: &lab_kit::Lab) {
    /// let title = format!("Concert {}", lab.word());
    /// # }
    /// ```
    pub fn word(&self) -> String {
        self.random.word()
    }

    /// An address that nobody has.
    ///
    /// ```
    /// # fn example(lab: &lab_kit::Lab) {
    /// assert!(lab.email().ends_with("@example.com"));
    /// # }
    /// ```
    pub fn email(&self) -> String {
        format!("{}@example.com", self.word())
    }

    /// A whole number, both ends included.
    ///
    /// ```
    /// # fn example(lab: &lab_kit::Lab) {
    /// let seats = lab.number(20, 60);
    /// # }
    /// ```
    pub fn number(&self, least: i64, most: i64) -> i64 {
        self.random(|random| random.random_range(least..=most))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn nobody_knows_the_grader_by_its_client_or_by_how_its_words_begin() {
        let clients: BTreeSet<_> = (0..200).map(|seed| agent(seed, "greets")).collect();
        assert_eq!(clients.len(), AGENTS.len());
        assert_eq!(agent(7, "greets"), agent(7, "greets"));
        let beginnings: BTreeSet<_> = (0..200).map(|seed| Random::new(seed, "greets").word()[..3].to_owned()).collect();
        assert!(beginnings.len() > 150, "{beginnings:?}");
    }
}
