//! A secret that no log line shows by accident.

/// What tokens are signed with.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// The secret.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The key's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}
