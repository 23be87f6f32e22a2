//! Which status an error becomes, and what of it a client may read.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::auth::{Challenge, Forbidden, HashingError, InvalidToken, LogInError, TooManyFailures};
use crate::store::StoreError;

/// Why a request is not answered as asked.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The request makes no sense; the text says why.
    #[error("{0}")]
    Invalid(&'static str),
    /// Nobody is known.
    #[error("log in first")]
    Unauthorized(Challenge),
    /// The credentials are nobody's.
    #[error("wrong e-mail address or password")]
    Refused,
    /// They are known, and may not.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// Somebody is guessing.
    #[error(transparent)]
    TooManyFailures(#[from] TooManyFailures),
    /// The store refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A password could not be hashed.
    #[error(transparent)]
    Hashing(#[from] HashingError),
    /// A token could not be signed.
    #[error("signing a token: {0}")]
    Signing(#[from] jsonwebtoken::errors::Error),
}

impl From<LogInError> for ApiError {
    fn from(error: LogInError) -> Self {
        match error {
            LogInError::Refused => Self::Refused,
            LogInError::TooManyFailures(wait) => Self::TooManyFailures(wait),
            LogInError::Store(error) => Self::Store(error),
            LogInError::Hashing(error) => Self::Hashing(error),
        }
    }
}

impl From<InvalidToken> for ApiError {
    fn from(error: InvalidToken) -> Self {
        tracing::debug!(%error, "a token was refused");
        Self::Unauthorized(Challenge::InvalidToken)
    }
}

impl ApiError {
    /// The status that it becomes.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Unauthorized(_) | Self::Refused => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::TooManyFailures(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Store(StoreError::Unknown(_)) => StatusCode::NOT_FOUND,
            Self::Store(
                StoreError::EmailTaken | StoreError::SoldOut | StoreError::HasOrders | StoreError::SeatsSold,
            ) => StatusCode::CONFLICT,
            Self::Store(StoreError::Unavailable(_)) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Store(StoreError::Unexpected(_)) | Self::Hashing(_) | Self::Signing(_) => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
    }

    /// What a client may read of it. What went wrong inside goes into our log.
    pub fn public_text(&self) -> String {
        match self {
            Self::Store(StoreError::Unavailable(cause) | StoreError::Unexpected(cause)) => {
                tracing::error!(%cause, error = %self, "a request failed");
                "try again later".to_owned()
            }
            Self::Hashing(_) | Self::Signing(_) => {
                tracing::error!(error = %self, "a request failed");
                "try again later".to_owned()
            }
            expected => expected.to_string(),
        }
    }

    /// The headers that belong to its status.
    pub fn add_headers(&self, response: &mut Response) {
        let (name, value) = match self {
            Self::Unauthorized(challenge) => (WWW_AUTHENTICATE, challenge.header().to_owned()),
            Self::Refused => (WWW_AUTHENTICATE, Challenge::NoToken.header().to_owned()),
            // Rounded up: who comes back at the second that was named must not be too early.
            Self::TooManyFailures(wait) => (RETRY_AFTER, wait.0.as_secs().saturating_add(1).to_string()),
            _ => return,
        };
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status(), Json(json!({ "error": self.public_text() }))).into_response();
        self.add_headers(&mut response);
        response
    }
}
