//! A secret that no log line shows by accident.

use secrecy::{ExposeSecret as _, SecretString};

/// What tokens are signed with. Nothing prints it, and it is wiped from memory when it goes.
#[derive(Debug, Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// HMAC with SHA-256 wants a key as long as its output (RFC 7518 §3.2).
    pub const LEAST_BYTES: usize = 32;

    /// The secret, if it is long enough to be one.
    pub fn new(text: String) -> Option<Self> {
        (text.len() >= Self::LEAST_BYTES).then(|| Self(text.into()))
    }

    /// The key's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.expose_secret().as_bytes()
    }
}
