//! Who sends a request to the API: the account behind the token in `Authorization` (RFC 6750 §2.1).

use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum_extra::TypedHeader;
use axum_extra::headers::Authorization;
use axum_extra::headers::authorization;
use uuid::Uuid;

use super::{InvalidToken, TokenKeys, TokenType};
use crate::http::ApiError;
use crate::model::Account;
use crate::store::Store;

/// The sender. A handler that asks for one is never run without.
#[derive(Debug)]
pub struct Bearer {
    /// Who, as the database knows them at this moment.
    pub account: Account,
    /// The session that the token came from.
    pub session: Uuid,
}

/// Why nobody is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Challenge {
    /// No token was shown. RFC 6750 §3.1: then nothing is said of errors.
    NoToken,
    /// It does not hold.
    InvalidToken,
}

impl Challenge {
    /// The value of `WWW-Authenticate`.
    pub fn header(self) -> &'static str {
        match self {
            Self::NoToken => r#"Bearer realm="box office""#,
            Self::InvalidToken => r#"Bearer realm="box office", error="invalid_token""#,
        }
    }
}

impl<S> FromRequestParts<S> for Bearer
where
    S: Send + Sync,
    Store: FromRef<S>,
    Arc<TokenKeys>: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let header = TypedHeader::<Authorization<authorization::Bearer>>::from_request_parts(parts, state).await;
        let Ok(TypedHeader(authorization)) = header else {
            return Err(ApiError::Unauthorized(Challenge::NoToken));
        };
        let (user_id, session) = identify(&Arc::from_ref(state), authorization.token()).map_err(|error| {
            tracing::debug!(%error, "a token was refused");
            ApiError::Unauthorized(Challenge::InvalidToken)
        })?;
        // The token was true when it was signed. Who they are now, and whether they are welcome, is looked up.
        let account = Store::from_ref(state).account_of_session(session, user_id).await?;
        let account = account.ok_or(ApiError::Unauthorized(Challenge::InvalidToken))?;
        Ok(Self { account, session })
    }
}

fn identify(keys: &TokenKeys, token: &str) -> Result<(i64, Uuid), InvalidToken> {
    let claims = keys.verify(token, TokenType::Access)?;
    Ok((claims.user_id()?, claims.sid))
}
