//! How often somebody may guess (OWASP ASVS 5.0, 6.3.1).
//!
//! Failures are counted by account and by address: the first stops many guesses at one password, the second one
//! guess at many. An attempt takes its place in both before the password is looked at, so that a hundred guesses
//! at once are no way around.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many failures are borne within how long.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For one e-mail address, whether somebody has it or not.
    pub per_account: usize,
    /// From one network address.
    pub per_address: usize,
    /// How long a failure counts.
    pub window: Duration,
}

/// Too many failures. Try again after this long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many failed log-ins")]
pub struct TooManyFailures(pub Duration);

/// Counts failed log-ins.
#[derive(Debug, Clone)]
pub struct Throttle {
    limits: Limits,
    failures: Arc<Mutex<Failures>>,
}

#[derive(Debug, Default)]
struct Failures {
    by_account: HashMap<String, VecDeque<Instant>>,
    by_address: HashMap<IpAddr, VecDeque<Instant>>,
    swept: Option<Instant>,
}

/// An attempt that was let through. It counts as failed unless it says otherwise.
#[derive(Debug)]
pub struct Attempt {
    account: String,
    address: IpAddr,
    at: Instant,
    failures: Arc<Mutex<Failures>>,
}

impl Throttle {
    /// Counts up to `limits`.
    pub fn new(limits: Limits) -> Self {
        Self { limits, failures: Arc::default() }
    }

    /// Lets an attempt through and counts it at once.
    ///
    /// # Errors
    /// The account or the address has failed too often.
    pub fn admit(&self, email: &str, address: IpAddr) -> Result<Attempt, TooManyFailures> {
        self.admit_at(email, address, Instant::now())
    }

    fn admit_at(&self, email: &str, address: IpAddr, now: Instant) -> Result<Attempt, TooManyFailures> {
        let account = email.to_lowercase();
        // The same client over IPv4 and over IPv4 in IPv6 is one client.
        let address = address.to_canonical();
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.sweep(self.limits.window, now);
        let of_account = failures.by_account.entry(account.clone()).or_default();
        room(of_account, self.limits.per_account, self.limits.window, now)?;
        let of_address = failures.by_address.entry(address).or_default();
        room(of_address, self.limits.per_address, self.limits.window, now)?;
        of_address.push_back(now);
        failures.by_account.entry(account.clone()).or_default().push_back(now);
        Ok(Attempt { account, address, at: now, failures: Arc::clone(&self.failures) })
    }
}

impl Attempt {
    /// The password was right. The account's count begins anew; of the address's only this attempt is taken back,
    /// or a guesser could wash theirs clean with an account of their own.
    pub fn succeeded(self) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.by_account.remove(&self.account);
        take_back(&mut failures.by_address, &self.address, self.at);
    }
}

impl Failures {
    /// Forgets, once in a window, everybody whose failures are over: a map that only grows is a leak.
    fn sweep(&mut self, window: Duration, now: Instant) {
        if self.swept.is_some_and(|swept| now.duration_since(swept) < window) {
            return;
        }
        self.swept = Some(now);
        let counts = |at: &VecDeque<Instant>| at.back().is_some_and(|&last| now.duration_since(last) < window);
        self.by_account.retain(|_, at| counts(at));
        self.by_address.retain(|_, at| counts(at));
    }
}

fn room(at: &mut VecDeque<Instant>, most: usize, window: Duration, now: Instant) -> Result<(), TooManyFailures> {
    while at.front().is_some_and(|&first| now.duration_since(first) >= window) {
        at.pop_front();
    }
    if at.len() < most {
        return Ok(());
    }
    let first = at.front().copied().unwrap_or(now);
    Err(TooManyFailures((first + window).duration_since(now)))
}

fn take_back<K: Hash + Eq>(counts: &mut HashMap<K, VecDeque<Instant>>, key: &K, attempt: Instant) {
    if let Some(at) = counts.get_mut(key)
        && let Some(place) = at.iter().position(|&other| other == attempt)
    {
        at.remove(place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const LIMITS: Limits = Limits { per_account: 2, per_address: 3, window: Duration::from_secs(60) };

    #[test]
    fn an_account_is_closed_after_its_failures_and_opens_after_the_window() {
        let (throttle, now) = (Throttle::new(LIMITS), Instant::now());
        throttle.admit_at("Ada@example.com", HERE, now).unwrap();
        throttle.admit_at("ada@example.com", HERE, now + Duration::from_secs(10)).unwrap();
        let wait = throttle.admit_at("ADA@example.com", HERE, now + Duration::from_secs(20)).unwrap_err();
        assert_eq!(wait, TooManyFailures(Duration::from_secs(40)));
        throttle.admit_at("ada@example.com", HERE, now + Duration::from_secs(60)).unwrap();
    }

    #[test]
    fn a_success_does_not_wash_the_address_clean() {
        let (throttle, now) = (Throttle::new(LIMITS), Instant::now());
        for guess in ["a@example.com", "b@example.com", "c@example.com"] {
            throttle.admit_at("own@example.com", HERE, now).unwrap().succeeded();
            throttle.admit_at(guess, HERE, now).unwrap();
        }
        throttle.admit_at("own@example.com", HERE, now).unwrap_err();
    }
}
