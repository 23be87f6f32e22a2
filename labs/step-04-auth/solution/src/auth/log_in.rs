//! The one way in: the API and the pages both log in here, and so share its limits.

use std::net::IpAddr;

use secrecy::SecretString;
use tracing::instrument;

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

    /// Looks whose these credentials are. `address` is the client's, as the connection has it.
    ///
    /// # Errors
    /// They are nobody's, or somebody tried too often.
    // Neither the address nor the password: who mistypes writes the one into the field of the other.
    #[instrument(skip_all, fields(%address))]
    pub async fn try_with(&self, credentials: Credentials, address: IpAddr) -> Result<Account, LogInError> {
        let attempt = self.throttle.admit(&credentials.email, address)?;
        // Postgres cannot be asked for an address that it cannot keep. Nobody has it.
        let storable = crate::model::storable(&credentials.email);
        let login = if storable { self.store.login(&credentials.email).await? } else { None };
        let hash = login.as_ref().map(|login| login.password_hash.clone());
        let matches = self.passwords.verify(credentials.password, hash).await?;
        match login {
            Some(login) if matches && !login.account.disabled => {
                attempt.succeeded();
                Ok(login.account)
            }
            _ => {
                tracing::info!("a log-in failed");
                Err(LogInError::Refused)
            }
        }
    }
}
