//! What a person sees who cannot be served.

use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use super::pages::{Message, page};
use crate::http::ApiError;

/// Why a page is not shown as asked.
#[derive(Debug)]
pub enum WebError {
    /// Only for those who are logged in.
    LogInFirst,
    /// The request was not sent by a page of ours.
    Forged,
    /// The form cannot be read.
    Form(FormRejection),
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
        match self {
            Self::LogInFirst => Redirect::to("/web/login").into_response(),
            Self::Forged => message(StatusCode::FORBIDDEN, "This form was not sent from one of our pages."),
            Self::Form(rejection) => message(rejection.status(), "This form cannot be read."),
            Self::Api(error) => {
                let mut response = message(error.status(), &error.public_text());
                error.add_headers(&mut response);
                response
            }
        }
    }
}

fn message(status: StatusCode, text: &str) -> Response {
    page(status, &Message { text })
}
