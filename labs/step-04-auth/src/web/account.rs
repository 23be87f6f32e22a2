//! Logging in and out with a browser.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Form, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::error::WebError;
use super::pages::{LogInForm, page};
use crate::auth::LogIn;
use crate::http::ApiError;
use crate::model::Credentials;

/// `GET /web/login`
pub async fn form() -> Response {
    page(StatusCode::OK, &LogInForm { email: "", problem: None })
}

/// `POST /web/login`
// TODO(step-04.6): start a session, set its cookie, and redirect to /web/account.
pub async fn log_in(
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    State(log_in): State<LogIn>,
    Form(credentials): Form<Credentials>,
) -> Result<Response, WebError> {
    let account = log_in.try_with(credentials, client.ip()).await?;
    tracing::debug!(user = account.id, "somebody logged in with a browser");
    Err(ApiError::NotWritten(6).into())
}

/// `POST /web/logout`
// TODO(step-04.6): end the session, remove the cookie, and redirect to /web/login.
pub async fn log_out() -> Result<Response, WebError> {
    Err(ApiError::NotWritten(6).into())
}

/// `GET /web/account`
// TODO(step-04.6): `pages::AccountPage` for a logged-in visitor, a redirect to /web/login for everybody else.
pub async fn show() -> Result<Response, WebError> {
    Err(ApiError::NotWritten(6).into())
}
