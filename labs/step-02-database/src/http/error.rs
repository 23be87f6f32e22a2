//! Which status an error becomes, and what of it a client may read.

use axum::Json;
use axum::http::StatusCode;
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
        let (status, text) = match &self {
            Self::Invalid(problem) => (StatusCode::UNPROCESSABLE_ENTITY, (*problem).to_owned()),
            Self::Store(error) => (status(error), public_text(error)),
        };
        (status, Json(json!({ "error": text }))).into_response()
    }
}

fn status(error: &StoreError) -> StatusCode {
    match error {
        StoreError::UnknownEvent | StoreError::UnknownCustomer | StoreError::UnknownOrder => StatusCode::NOT_FOUND,
        StoreError::EmailTaken
        | StoreError::SoldOut
        | StoreError::InsufficientBalance
        | StoreError::AlreadyCancelled => StatusCode::CONFLICT,
        StoreError::UnknownCursor => StatusCode::BAD_REQUEST,
        StoreError::Contended(_) | StoreError::Unavailable(_) | StoreError::TimedOut => StatusCode::SERVICE_UNAVAILABLE,
        StoreError::NotWritten(_) => StatusCode::NOT_IMPLEMENTED,
        StoreError::Unexpected(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// What a client may read of an error.
fn public_text(error: &StoreError) -> String {
    match error {
        // TODO(step-02.9): this shows strangers what Postgres said: names of tables and columns, and values. Write that
        // to the log (`tracing::error!`), and send the client a neutral sentence.
        StoreError::Contended(cause) | StoreError::Unavailable(cause) | StoreError::Unexpected(cause) => {
            format!("{error}: {cause}")
        }
        expected => expected.to_string(),
    }
}
