//! Which status an error becomes, and what of it a client may read.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::store::StoreError;

/// Why a request is not answered as asked.
#[derive(Debug)]
pub enum ApiError {
    /// The request makes no sense; the text says why.
    Invalid(&'static str),
    /// The store refused or failed.
    Store(StoreError),
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let error = match self {
            Self::Invalid(problem) => return refusal(StatusCode::UNPROCESSABLE_ENTITY, problem),
            Self::Store(error) => error,
        };
        match &error {
            StoreError::UnknownEvent | StoreError::UnknownOrder => refusal(StatusCode::NOT_FOUND, &error.to_string()),
            StoreError::SoldOut => refusal(StatusCode::CONFLICT, &error.to_string()),
            StoreError::Unavailable(cause) => {
                tracing::warn!(%cause, "the database could not serve a request");
                let answer = refusal(StatusCode::SERVICE_UNAVAILABLE, "try again later");
                ([(RETRY_AFTER, "1")], answer).into_response()
            }
            StoreError::Unexpected(cause) => {
                tracing::error!(%cause, "a request failed");
                refusal(StatusCode::INTERNAL_SERVER_ERROR, "internal server error")
            }
        }
    }
}

/// Every path that is none of ours.
pub async fn not_found() -> Response {
    refusal(StatusCode::NOT_FOUND, "no such resource")
}

fn refusal(status: StatusCode, text: &str) -> Response {
    (status, Json(json!({ "error": text }))).into_response()
}
