//! Names of keys.

/// The name of a copy.
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
}
