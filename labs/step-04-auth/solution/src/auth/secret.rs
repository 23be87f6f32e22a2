//! A secret that no log line shows by accident.

/// What tokens are signed with.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// HMAC with SHA-256 wants a key as long as its output (RFC 7518 §3.2).
    pub const LEAST_BYTES: usize = 32;

    /// The secret, if it is long enough to be one.
    pub fn new(text: String) -> Option<Self> {
        (text.len() >= Self::LEAST_BYTES).then_some(Self(text))
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
