//! Names of keys.

/// The name of a copy. Its lease has a key beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    /// The key of a copy, such as `event:…`.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// Where the copy is.
    pub fn value(&self) -> &str {
        &self.0
    }

    /// Where its lease is.
    pub fn lock(&self) -> String {
        format!("lock:{}", self.0)
    }
}
