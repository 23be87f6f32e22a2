//! A secret that no log line shows by accident.

use secrecy::{ExposeSecret as _, SecretString};

/// What tokens are signed with. Nothing prints it, and it is wiped from memory when it goes.
#[derive(Debug, Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// The secret.
    pub fn new(text: String) -> Self {
        Self(text.into())
    }

    /// The key's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.expose_secret().as_bytes()
    }
}
