//! What a person sees who cannot be served.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::pages::{Message, page};
use crate::http::ApiError;

/// Why a page is not shown as asked.
#[derive(Debug)]
pub enum WebError {
    /// What would be an error of the API, too.
    Api(ApiError),
}

impl<E: Into<ApiError>> From<E> for WebError {
    fn from(error: E) -> Self {
        Self::Api(error.into())
    }
}

impl IntoResponse for WebError {
    fn into_response(self) -> Response {
        let Self::Api(error) = self;
        message(error.status(), &error.public_text())
    }
}

fn message(status: StatusCode, text: &str) -> Response {
    page(status, &Message { text })
}
