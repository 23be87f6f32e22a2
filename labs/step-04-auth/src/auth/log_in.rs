//! The one way in: the API and the pages both log in here, and so share its limits.

use std::net::IpAddr;

use secrecy::SecretString;

use super::passwords::{HashingError, Passwords};
use super::throttle::{Limits, Throttle, TooManyFailures};
use crate::model::{Account, Credentials};
use crate::store::{Store, StoreError};

/// Turns an e-mail address and a password into an account.
#[derive(Debug, Clone)]
pub struct LogIn {
    store: Store,
    passwords: Passwords,
    throttle: Throttle,
}

/// Why there is no way in.
#[derive(Debug, thiserror::Error)]
pub enum LogInError {
    /// No such account, a wrong password, or an account that is locked out: nobody is told which.
    #[error("wrong e-mail address or password")]
    Refused,
    /// Somebody is guessing.
    #[error(transparent)]
    TooManyFailures(#[from] TooManyFailures),
    /// The account could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The password could not be looked at.
    #[error(transparent)]
    Hashing(#[from] HashingError),
}

impl LogIn {
    /// Logs in with the accounts of `store`.
    pub fn new(store: Store, bcrypt_cost: u32, limits: Limits) -> Self {
        Self { store, passwords: Passwords::new(bcrypt_cost), throttle: Throttle::new(limits) }
    }

    /// The hash to keep for a new password.
    ///
    /// # Errors
    /// It could not be made.
    pub async fn hash(&self, password: SecretString) -> Result<String, HashingError> {
        self.passwords.hash(password).await
    }

    /// Finds the account for these credentials. `address` is the client's, taken from the connection.
    ///
    /// # Errors
    /// They match no account, or there were too many attempts.
    // TODO(step-04.2): read the hash with the account and compare it. If there is no such account, what does a client
    // learn from the response, and from the time it takes?
    pub async fn try_with(&self, credentials: Credentials, address: IpAddr) -> Result<Account, LogInError> {
        self.throttle.admit(&credentials.email, address)?;
        let account = self.store.account_of(&credentials.email).await?.ok_or(LogInError::Refused)?;
        if self.passwords.verify(credentials.password, String::new()).await? {
            return Ok(account);
        }
        Err(LogInError::Refused)
    }
}
