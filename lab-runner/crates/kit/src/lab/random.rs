//! Random data from the run's seed: another run with the same seed sends the same bytes.

use std::sync::{Mutex, PoisonError};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use sha2::{Digest as _, Sha256};

use super::Lab;

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
        draw(&mut self.random.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A lower-case word that nobody could have foreseen, such as `lab-k3v9qz`.
    ///
    /// ```
    /// # fn example(lab: &lab_kit::Lab) {
    /// let title = format!("Concert {}", lab.word());
    /// # }
    /// ```
    pub fn word(&self) -> String {
        const LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";
        let tail: String =
            self.random(|random| (0..10).map(|_| char::from(LETTERS[random.random_range(0..LETTERS.len())])).collect());
        format!("lab-{tail}")
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
