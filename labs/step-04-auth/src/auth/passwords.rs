//! Passwords: hashed slowly on purpose, and never where requests are served.

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

    /// The hash to keep for `password`.
    ///
    /// # Errors
    /// The hash could not be made.
    // TODO(step-04.1): hash with bcrypt. It reads 72 bytes and no more: what about longer passwords?
    pub async fn hash(&self, password: String) -> Result<String, HashingError> {
        tracing::debug!(bytes = password.len(), cost = self.cost, "a password to be hashed");
        Err(HashingError::NotWritten(1))
    }

    /// Whether `password` belongs to `hash`.
    ///
    /// # Errors
    /// The hash is none, or could not be compared.
    // TODO(step-04.2): compare. Where does this run, and who waits for it meanwhile?
    pub async fn verify(&self, password: String, hash: String) -> Result<bool, HashingError> {
        tracing::debug!(bytes = password.len(), characters = hash.len(), "a password to be compared");
        Err(HashingError::NotWritten(2))
    }
}
