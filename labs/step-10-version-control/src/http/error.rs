//! Which status an error becomes, and what of it a client may read.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::git::GitError;

/// Why a request is not answered as asked.
#[derive(Debug)]
pub enum ApiError {
    /// There is no such thing.
    NotFound,
    /// The request makes no sense; the text says why.
    Invalid(&'static str),
    /// Nobody has written this yet.
    NotYet(&'static str),
    /// Something on our side.
    Git(GitError),
}

impl From<GitError> for ApiError {
    fn from(error: GitError) -> Self {
        Self::Git(error)
    }
}

impl From<std::io::Error> for ApiError {
    fn from(error: std::io::Error) -> Self {
        Self::Git(error.into())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        match self {
            Self::NotFound => refusal(StatusCode::NOT_FOUND, "no such resource"),
            Self::Invalid(problem) => refusal(StatusCode::BAD_REQUEST, problem),
            Self::NotYet(task) => refusal(StatusCode::NOT_IMPLEMENTED, task),
            Self::Git(error) => {
                tracing::error!(%error, "a request failed");
                refusal(StatusCode::INTERNAL_SERVER_ERROR, "internal server error")
            }
        }
    }
}

/// Every path that is none of ours.
pub async fn not_found() -> ApiError {
    ApiError::NotFound
}

fn refusal(status: StatusCode, text: &str) -> Response {
    answer(status, json!({ "error": text }))
}

fn answer(status: StatusCode, body: Value) -> Response {
    (status, Json(body)).into_response()
}
