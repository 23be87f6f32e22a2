//! The names of objects.

use std::fmt;
use std::str::FromStr;

/// The whole name of an object: 40 hexadecimal digits, or 64 where a repository uses SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectId(String);

impl ObjectId {
    /// Its digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it stands for no object: the old name of what is new, the new name of what is deleted.
    pub fn is_zero(&self) -> bool {
        self.0.bytes().all(|byte| byte == b'0')
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is no object's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the name of an object")]
pub struct NoObjectId;

impl FromStr for ObjectId {
    type Err = NoObjectId;

    fn from_str(text: &str) -> Result<Self, NoObjectId> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
        if digits && matches!(text.len(), 40 | 64) { Ok(Self(text.to_owned())) } else { Err(NoObjectId) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_whole_and_hexadecimal() {
        assert!("0".repeat(40).parse::<ObjectId>().unwrap().is_zero());
        assert!(!"0a".repeat(32).parse::<ObjectId>().unwrap().is_zero());
        for text in ["", "0a", "HEAD", &"g".repeat(40), &"A".repeat(40), &"0".repeat(41)] {
            assert_eq!(text.parse::<ObjectId>(), Err(NoObjectId), "{text}");
        }
    }
}
