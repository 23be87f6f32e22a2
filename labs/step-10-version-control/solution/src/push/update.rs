//! What a push wants to change, as git tells the hook: a line for each reference.

use std::io::{self, BufRead};

use crate::object::ObjectId;

/// One reference that is to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// What it points at; nothing if it is new.
    pub old: Option<ObjectId>,
    /// What it shall point at; nothing if it is to go.
    pub new: Option<ObjectId>,
    /// Its name: bytes, since git does not ask for more.
    pub reference: Vec<u8>,
}

impl Update {
    /// The name as it is shown.
    pub fn shown(&self) -> String {
        String::from_utf8_lossy(&self.reference).into_owned()
    }
}

/// Why a line is no update.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// It cannot be read.
    #[error("reading the updates: {0}")]
    Io(#[from] io::Error),
    /// It is something else.
    #[error("git told of an update in another form")]
    Form,
}

/// Reads all of them.
///
/// # Errors
/// They cannot be read, or are something else.
pub fn read(input: impl BufRead) -> Result<Vec<Update>, UpdateError> {
    input.split(b'\n').map(|line| parse(&line?).ok_or(UpdateError::Form)).collect()
}

fn parse(line: &[u8]) -> Option<Update> {
    let mut parts = line.splitn(3, |&byte| byte == b' ');
    let old = object(parts.next()?)?;
    let new = object(parts.next()?)?;
    Some(Update { old, new, reference: parts.next()?.to_vec() })
}

/// Nothing where the digits are all zero.
#[allow(clippy::option_option)]
fn object(digits: &[u8]) -> Option<Option<ObjectId>> {
    let id: ObjectId = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some((!id.is_zero()).then_some(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_stand_for_nothing() {
        let (zero, one) = ("0".repeat(40), "1".repeat(40));
        let text = format!("{zero} {one} refs/heads/a b\n{one} {zero} refs/tags/\u{e9}\n");
        let updates = read(text.as_bytes()).unwrap();
        let one = Some(one.parse().unwrap());
        assert_eq!(updates[0], Update { old: None, new: one.clone(), reference: b"refs/heads/a b".to_vec() });
        assert_eq!(updates[1], Update { old: one, new: None, reference: "refs/tags/\u{e9}".into() });
    }

    #[test]
    fn anything_else_is_an_error() {
        for text in ["\n", "x y z\n", &format!("{} refs/heads/main\n", "0".repeat(40))] {
            assert!(matches!(read(text.as_bytes()), Err(UpdateError::Form)), "{text}");
        }
    }
}
