//! Passwords: hashed slowly on purpose, and never where requests are served.

use secrecy::{ExposeSecret as _, SecretString};

/// Hashes passwords and compares them with their hashes.
#[derive(Debug, Clone)]
pub struct Passwords {
    /// What bcrypt shall be given: each step doubles the work.
    pub cost: u32,
}

/// A hash could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum HashingError {
    /// You have not written it yet.
    #[error("nobody has written this yet: task {0}")]
    NotWritten(u32),
}

impl Passwords {
    /// Hashes with `cost`.
    pub fn new(cost: u32) -> Self {
        Self { cost }
    }

    /// The hash to store for `password`.
    ///
    /// # Errors
    /// The hash could not be computed.
    // TODO(step-04.1): hash with bcrypt. It reads only 72 bytes: what about longer passwords?
    pub async fn hash(&self, password: SecretString) -> Result<String, HashingError> {
        tracing::debug!(bytes = password.expose_secret().len(), cost = self.cost, "a password to be hashed");
        Err(HashingError::NotWritten(1))
    }

    /// Whether `password` matches `hash`.
    ///
    /// # Errors
    /// The hash is invalid, or could not be compared.
    // TODO(step-04.2): compare. Where does this run, and who has to wait in the meantime?
    pub async fn verify(&self, password: SecretString, hash: String) -> Result<bool, HashingError> {
        tracing::debug!(bytes = password.expose_secret().len(), characters = hash.len(), "a password to be compared");
        Err(HashingError::NotWritten(2))
    }
}
