//! What must hold for a change to be made.

/// The state that a client has seen and wants to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Precondition {
    /// Whatever it is now, as long as there is one.
    AnyVersion,
    /// One of these versions.
    OneOf(Vec<i64>),
}

impl Precondition {
    /// The versions that will do, as SQL takes them: none names them all.
    pub fn versions(&self) -> Option<&[i64]> {
        match self {
            Self::AnyVersion => None,
            Self::OneOf(versions) => Some(versions),
        }
    }
}
