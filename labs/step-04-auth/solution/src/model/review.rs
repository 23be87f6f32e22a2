//! Reviews.

use serde::Serialize;
use sqlx::FromRow;

use super::{is_filled, require};

/// What somebody thought of an event. Kept as it was written: what is dangerous in a page is harmless in a
/// database, and the other way round.
#[derive(Debug, Clone, Serialize, FromRow)]
pub struct Review {
    /// Who wrote it.
    pub author: String,
    /// What they wrote.
    pub text: String,
}

impl Review {
    /// Looks whether a review can say `text`.
    ///
    /// # Errors
    /// What is wrong, in words for the client.
    pub fn validate(text: &str) -> Result<(), &'static str> {
        require(is_filled(text, 2_000), "text has 1 to 2000 characters")
    }
}
