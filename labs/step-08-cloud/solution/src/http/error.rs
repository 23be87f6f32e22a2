//! Which status an error becomes, and what of it a client may read.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::bucket::BucketError;
use crate::model::Invalid;
use crate::store::StoreError;
use crate::uploads::UploadError;

/// Why a request is not answered as asked.
#[derive(Debug)]
pub enum ApiError {
    /// There is no such thing, or it is somebody else's: nobody learns which.
    NotFound,
    /// It cannot be done as things are; the text says why.
    Conflict(&'static str),
    /// It makes no sense; the text says why.
    Invalid(&'static str),
    /// It took too long.
    TooSlow,
    /// The database failed.
    Store(StoreError),
    /// The object store failed.
    Bucket(BucketError),
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<UploadError> for ApiError {
    fn from(error: UploadError) -> Self {
        match error {
            UploadError::Invalid(Invalid(why)) => Self::Invalid(why),
            UploadError::Store(error) => Self::Store(error),
            UploadError::Bucket(error) => Self::Bucket(error),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        match self {
            Self::NotFound => refusal(StatusCode::NOT_FOUND, "no such resource"),
            Self::Conflict(why) => refusal(StatusCode::CONFLICT, why),
            Self::Invalid(why) => refusal(StatusCode::UNPROCESSABLE_ENTITY, why),
            Self::TooSlow => unavailable("the request took too long"),
            Self::Store(error @ StoreError::Unavailable(_)) => {
                tracing::warn!(?error, "the database could not serve a request");
                unavailable("try again later")
            }
            Self::Bucket(error) => {
                tracing::warn!(?error, "the object store could not serve a request");
                unavailable("try again later")
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

fn unavailable(why: &str) -> Response {
    ([(RETRY_AFTER, "1")], refusal(StatusCode::SERVICE_UNAVAILABLE, why)).into_response()
}

fn refusal(status: StatusCode, why: &str) -> Response {
    (status, Json(json!({ "error": why }))).into_response()
}
