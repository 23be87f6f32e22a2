//! Who may ask for something, and how they show who they are.

use std::str::FromStr;

use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;

/// Somebody whose token we know. Whatever is somebody's is found by this name only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User(String);

impl User {
    /// As the database has it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The tokens of all users, which are never shown.
#[derive(Debug, Clone)]
pub struct Tokens(Vec<(User, SecretString)>);

impl Tokens {
    /// Whose token it is. Takes the same time wherever it differs from one that we know.
    pub fn user(&self, shown: &str) -> Option<&User> {
        let is = |token: &SecretString| bool::from(token.expose_secret().as_bytes().ct_eq(shown.as_bytes()));
        self.0.iter().filter(|(_, token)| is(token)).map(|(user, _)| user).next_back()
    }
}

/// What is no list of `name:token`.
#[derive(Debug, thiserror::Error)]
#[error("tokens are name:token, with commas between them")]
pub struct NoTokens;

impl FromStr for Tokens {
    type Err = NoTokens;

    fn from_str(text: &str) -> Result<Self, NoTokens> {
        text.split(',').map(pair).collect::<Option<_>>().map(Self).ok_or(NoTokens)
    }
}

fn pair(text: &str) -> Option<(User, SecretString)> {
    let (name, token) = text.trim().split_once(':')?;
    (!name.is_empty() && !token.is_empty()).then(|| (User(name.to_owned()), token.into()))
}
