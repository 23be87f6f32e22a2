//! Passwords: hashed slowly on purpose, and never where requests are served.

use std::sync::Arc;
use std::thread::available_parallelism;

use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// Hashes passwords and compares them with their hashes.
#[derive(Debug, Clone)]
pub struct Passwords {
    cost: u32,
    /// A hash that no password has, as slow to compare with as a real one.
    decoy: Arc<str>,
    /// More hashes at once than there are cores only get in each other's way, and in everybody else's.
    cores: Arc<Semaphore>,
}

/// A hash could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum HashingError {
    /// bcrypt refused.
    #[error("bcrypt: {0}")]
    Bcrypt(#[from] bcrypt::BcryptError),
    /// The thread that hashed is gone.
    #[error("the hashing thread ended: {0}")]
    Thread(#[from] tokio::task::JoinError),
    /// The server is stopping.
    #[error("no hashes are made any more: {0}")]
    Closed(#[from] tokio::sync::AcquireError),
}

impl Passwords {
    /// Hashes with `cost`: each step doubles the work.
    pub fn new(cost: u32) -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        let decoy = format!("$2b${cost:02}${}", ".".repeat(53)).into();
        Self { cost, decoy, cores: Arc::new(Semaphore::new(cores)) }
    }

    /// The hash to keep for `password`, with a salt of its own.
    ///
    /// # Errors
    /// The password is longer than bcrypt reads, or the hash could not be made.
    pub async fn hash(&self, password: SecretString) -> Result<String, HashingError> {
        let cost = self.cost;
        self.aside(move || bcrypt::non_truncating_hash(password.expose_secret(), cost)).await
    }

    /// Whether `password` belongs to `hash`. Without a hash it does not, and that takes just as long: the time
    /// must not tell who has an account.
    ///
    /// # Errors
    /// The hash is none, or could not be compared.
    pub async fn verify(&self, password: SecretString, hash: Option<String>) -> Result<bool, HashingError> {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.decoy.to_string());
        let fits = fits(password.expose_secret());
        // The work is done all the same.
        let matches = self.aside(move || bcrypt::verify(password.expose_secret(), &hash)).await?;
        Ok(matches && known && fits)
    }

    /// Runs `work` on a thread that serves no requests.
    async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, bcrypt::BcryptError> + Send + 'static,
    ) -> Result<T, HashingError> {
        let _core = self.cores.acquire().await?;
        Ok(spawn_blocking(work).await??)
    }
}

/// Whether bcrypt reads all of `password`. What it would cut, or repeat, cannot be right.
fn fits(password: &str) -> bool {
    !password.contains('\0') && password.len() < 72
}
