//! Which status an error becomes, and what of it a client may read.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::store::StoreError;

/// Why a request is not answered as asked.
#[derive(Debug)]
pub enum ApiError {
    /// There is no such thing, or it is somebody else's: nobody learns which.
    NotFound,
    /// Nobody has written this yet.
    NotYet(&'static str),
    /// The database failed.
    Store(StoreError),
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        match self {
            Self::NotFound => refusal(StatusCode::NOT_FOUND, "no such resource"),
            Self::NotYet(task) => refusal(StatusCode::NOT_IMPLEMENTED, task),
            Self::Store(error @ StoreError::Unavailable(_)) => {
                tracing::warn!(?error, "the database could not serve a request");
                refusal(StatusCode::SERVICE_UNAVAILABLE, "try again later")
            }
            Self::Store(error @ StoreError::Unexpected(_)) => {
                tracing::error!(?error, "a request failed");
                refusal(StatusCode::INTERNAL_SERVER_ERROR, "internal server error")
            }
        }
    }
}

/// Every path that is none of ours.
pub async fn not_found() -> ApiError {
    ApiError::NotFound
}

fn refusal(status: StatusCode, why: &str) -> Response {
    (status, Json(json!({ "error": why }))).into_response()
}
