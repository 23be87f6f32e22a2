//! Which status an error becomes, and what of it a client may read.

use std::time::Duration;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::redis_client::RedisFailure;
use crate::store::StoreError;

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
    /// It is yours to write.
    #[error("not written yet")]
    NotYet,
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
            Self::NotYet => StatusCode::NOT_IMPLEMENTED,
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
        // TODO(step-05.6): tell a client that made too many attempts when to try again.
        (self.status(), body).into_response()
    }
}
