//! Which status an error becomes, and what of it a client may read.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::body::BodyError;
use crate::git::GitError;
use crate::merge::MergeError;

/// Why a request is not answered as asked.
#[derive(Debug)]
pub enum ApiError {
    /// We do not know who is asking.
    Unauthenticated,
    /// We do, and they may not.
    Forbidden,
    /// There is no such thing.
    NotFound,
    /// The request makes no sense; the text says why.
    Invalid(&'static str),
    /// The body is in a form that we do not read.
    UnsupportedForm(&'static str),
    /// The body could not be read to its end.
    Body(BodyError),
    /// The merge was refused or failed.
    Merge(MergeError),
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

impl From<MergeError> for ApiError {
    fn from(error: MergeError) -> Self {
        Self::Merge(error)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        match self {
            Self::Unauthenticated => {
                let answer = refusal(StatusCode::UNAUTHORIZED, "sign in");
                ([(WWW_AUTHENTICATE, r#"Basic realm="box office", charset="UTF-8""#)], answer).into_response()
            }
            Self::Forbidden => refusal(StatusCode::FORBIDDEN, "you may read, and not write"),
            Self::NotFound => refusal(StatusCode::NOT_FOUND, "no such resource"),
            Self::Invalid(problem) => refusal(StatusCode::BAD_REQUEST, problem),
            Self::UnsupportedForm(problem) => refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, problem),
            Self::Body(error @ BodyError::TooLarge) => refusal(StatusCode::PAYLOAD_TOO_LARGE, &error.to_string()),
            Self::Body(error @ BodyError::Stalled) => refusal(StatusCode::REQUEST_TIMEOUT, &error.to_string()),
            Self::Body(error) => refusal(StatusCode::BAD_REQUEST, &error.to_string()),
            Self::Merge(error) => refused_merge(error),
            Self::Git(error) => {
                tracing::error!(%error, "a request failed");
                refusal(StatusCode::INTERNAL_SERVER_ERROR, "internal server error")
            }
        }
    }
}

fn refused_merge(error: MergeError) -> Response {
    match error {
        MergeError::NoBranch => refusal(StatusCode::NOT_FOUND, "no such branch"),
        MergeError::Conflict { files } => answer(StatusCode::CONFLICT, json!({ "error": "conflict", "files": files })),
        MergeError::TestsFailed { output } => {
            answer(StatusCode::UNPROCESSABLE_ENTITY, json!({ "error": "tests_failed", "output": output }))
        }
        MergeError::Restless => {
            let busy = refusal(StatusCode::SERVICE_UNAVAILABLE, "main moves too quickly");
            ([(RETRY_AFTER, "1")], busy).into_response()
        }
        MergeError::Git(error) => ApiError::Git(error).into_response(),
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
