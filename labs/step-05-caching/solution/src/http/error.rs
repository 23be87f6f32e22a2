//! Which status an error becomes, and what of it a client may read.

use std::time::Duration;

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::redis_client::RedisFailure;
use crate::store::StoreError;

/// What a 401 asks for. Cookies are no scheme of HTTP's; the header has to be there all the same (RFC 9110 §15.5.2).
const CHALLENGE: &str = r#"Session realm="box office""#;

/// Why a request is not answered as asked.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The request makes no sense; the text says why.
    #[error("{0}")]
    Invalid(&'static str),
    /// There is no such event.
    #[error("there is no such event")]
    UnknownEvent,
    /// Nobody is logged in.
    #[error("nobody is logged in")]
    Unauthorized,
    /// The card is nobody's.
    #[error("this card is not known")]
    UnknownCard,
    /// Too many attempts; the next may succeed after this time.
    #[error("too many attempts")]
    TooManyAttempts(Duration),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Redis failed where there is no way without it.
    #[error(transparent)]
    Redis(#[from] RedisFailure),
}

impl ApiError {
    fn status(&self) -> StatusCode {
        match self {
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::UnknownEvent => StatusCode::NOT_FOUND,
            Self::Unauthorized | Self::UnknownCard => StatusCode::UNAUTHORIZED,
            Self::TooManyAttempts(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Store(StoreError::Unavailable(_)) | Self::Redis(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Store(StoreError::Unexpected(_)) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// What a client may read of it. What went wrong inside goes into our log.
    fn public_text(&self) -> String {
        match self {
            Self::Store(StoreError::Unavailable(cause) | StoreError::Unexpected(cause)) => {
                tracing::error!(%cause, error = %self, "a request failed");
                "try again later".to_owned()
            }
            Self::Redis(cause) => {
                tracing::error!(%cause, "a request failed");
                "try again later".to_owned()
            }
            expected => expected.to_string(),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = Json(json!({ "error": self.public_text() }));
        match self {
            Self::TooManyAttempts(wait) => {
                (self.status(), [(RETRY_AFTER, seconds(wait).to_string())], body).into_response()
            }
            Self::Unauthorized | Self::UnknownCard => {
                (self.status(), [(WWW_AUTHENTICATE, CHALLENGE)], body).into_response()
            }
            error => (error.status(), body).into_response(),
        }
    }
}

/// Rounded up: who comes back after the seconds that were named must not be too early.
fn seconds(wait: Duration) -> u64 {
    u64::try_from(wait.as_millis().div_ceil(1_000)).unwrap_or(u64::MAX).max(1)
}
