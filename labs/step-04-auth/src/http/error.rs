//! Which status an error becomes, and what of it a client may read.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::auth::{Forbidden, HashingError, InvalidToken, LogInError, TooManyFailures};
use crate::store::StoreError;

/// Why a request is not answered as asked.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The request makes no sense; the text says why.
    #[error("{0}")]
    Invalid(&'static str),
    /// Nobody is known.
    #[error("log in first")]
    Unauthorized,
    /// You have not written it yet.
    #[error("nobody has written this yet: task {0}")]
    NotWritten(u32),
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
        match error {
            InvalidToken::NotWritten => Self::NotWritten(3),
        }
    }
}

impl ApiError {
    /// The status that it becomes.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Unauthorized | Self::Refused => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::TooManyFailures(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Store(StoreError::Unknown(_)) => StatusCode::NOT_FOUND,
            Self::Store(
                StoreError::EmailTaken | StoreError::SoldOut | StoreError::HasOrders | StoreError::SeatsSold,
            ) => StatusCode::CONFLICT,
            Self::Store(StoreError::Unavailable(_)) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Store(StoreError::Unexpected(_)) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::NotWritten(_) | Self::Hashing(HashingError::NotWritten(_)) => StatusCode::NOT_IMPLEMENTED,
        }
    }

    /// What a client may read of it. What went wrong inside goes into our log.
    pub fn public_text(&self) -> String {
        match self {
            Self::Store(StoreError::Unavailable(cause) | StoreError::Unexpected(cause)) => {
                tracing::error!(%cause, error = %self, "a request failed");
                "try again later".to_owned()
            }
            expected => expected.to_string(),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        // TODO(step-04.3): a 401 says how to authenticate, with a header.
        // TODO(step-04.8): a 429 says when to try again, with another header.
        (self.status(), Json(json!({ "error": self.public_text() }))).into_response()
    }
}
