//! Accounts.

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::{Role, is_filled, require};

const SHORTEST_PASSWORD_CHARACTERS: usize = 8;

/// Somebody, as they and administrators see them. The password's hash is never part of it.
#[derive(Debug, Clone, Serialize, FromRow)]
pub struct Account {
    /// Its number.
    pub id: i64,
    /// Where to reach them, and what they log in with.
    pub email: String,
    /// What others call them.
    pub name: String,
    /// What they are to us.
    #[sqlx(try_from = "String")]
    pub role: Role,
    /// Whether they are locked out.
    pub disabled: bool,
}

/// What somebody logs in with.
#[derive(Debug, Deserialize)]
pub struct Credentials {
    /// The address.
    pub email: String,
    /// The password, as it was typed.
    pub password: SecretString,
}

/// An account to be made. It has no role: nobody can choose theirs.
#[derive(Debug, Deserialize)]
pub struct NewAccount {
    /// The address.
    pub email: String,
    /// What others call them, 1 to 100 characters.
    pub name: String,
    /// The password, as it was typed.
    pub password: SecretString,
}

impl NewAccount {
    /// Looks whether an account can be so.
    ///
    /// # Errors
    /// What is wrong, in words for the client.
    pub fn validate(&self) -> Result<(), &'static str> {
        require(is_address(&self.email), "email is an address of at most 200 characters")?;
        require(is_filled(&self.name, 100), "name has 1 to 100 characters")?;
        let long_enough = self.password.expose_secret().chars().count() >= SHORTEST_PASSWORD_CHARACTERS;
        require(long_enough, "password has at least 8 characters")
    }
}

/// Only a message can prove an address; this finds what cannot be one.
fn is_address(text: &str) -> bool {
    let parts = text.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty());
    parts && is_filled(text, 200) && !text.contains(char::is_whitespace)
}

/// What an administrator changes of an account. What is absent stays.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct AccountChange {
    /// Another role.
    pub role: Option<Role>,
    /// Locked out or not.
    pub disabled: Option<bool>,
}
