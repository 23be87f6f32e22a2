//! Roles.

use serde::{Deserialize, Serialize};

/// What somebody is to the box office.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Buys seats.
    Customer,
    /// Sells seats for their own events.
    Organizer,
    /// Looks after everything.
    Admin,
}

/// A word that names no role.
#[derive(Debug, thiserror::Error)]
#[error("there is no role `{0}`")]
pub struct UnknownRole(String);

impl Role {
    /// The word for it, in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Organizer => "organizer",
            Self::Admin => "admin",
        }
    }
}

impl TryFrom<String> for Role {
    type Error = UnknownRole;

    fn try_from(word: String) -> Result<Self, UnknownRole> {
        [Self::Customer, Self::Organizer, Self::Admin]
            .into_iter()
            .find(|role| role.as_str() == word)
            .ok_or(UnknownRole(word))
    }
}
