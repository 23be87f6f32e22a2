//! Tokens: signed claims of who somebody is (RFC 7519).

use serde::Serialize;

use super::Secret;

/// What somebody gets who logged in.
#[derive(Debug, Serialize)]
pub struct Tokens {
    /// Shown with every request.
    pub access_token: String,
    /// Shown once, to get the next two.
    pub refresh_token: String,
    /// How to show it.
    pub token_type: &'static str,
    /// How many seconds the access token works.
    pub expires_in: i64,
}

/// The token is not one of ours, not for this, or not for now.
#[derive(Debug, thiserror::Error)]
pub enum InvalidToken {
    /// You have not written it yet.
    #[error("nobody has written this yet: task 3")]
    NotWritten,
}

/// Signs and verifies.
#[derive(Debug)]
pub struct TokenKeys {
    secret: Secret,
}

impl TokenKeys {
    /// Keys made of `secret`.
    pub fn new(secret: &Secret) -> Self {
        Self { secret: secret.clone() }
    }

    /// The two tokens of a session.
    // TODO(step-04.3): an access token with the claims that the README names, signed with HS256.
    // TODO(step-04.4): a refresh token, and a session that both belong to.
    pub fn issue(&self, user_id: i64) -> Tokens {
        tracing::debug!(user_id, "somebody is to get tokens");
        Tokens { access_token: String::new(), refresh_token: String::new(), token_type: "Bearer", expires_in: 900 }
    }

    /// The account that an access token was issued for.
    ///
    /// # Errors
    /// The token is not valid.
    // TODO(step-04.3): verify the signature, and every claim. What may the token itself decide? Nothing.
    pub fn verify(&self, token: &str) -> Result<i64, InvalidToken> {
        tracing::debug!(characters = token.len(), key_bytes = self.secret.as_bytes().len(), "a token was shown");
        Err(InvalidToken::NotWritten)
    }
}
