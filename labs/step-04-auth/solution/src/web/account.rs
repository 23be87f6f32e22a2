//! Logging in and out with a browser.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use serde::Deserialize;

use super::csrf::OwnForm;
use super::error::WebError;
use super::pages::{AccountPage, LogInForm, page};
use super::session::{self, Visitor};
use crate::auth::{LogIn, LogInError};
use crate::http::ApiError;
use crate::model::Credentials;
use crate::store::Store;

/// A form whose only field is the token.
#[derive(Deserialize)]
pub struct Empty {}

/// `GET /web/login`
pub async fn form() -> Response {
    page(StatusCode::OK, &LogInForm { email: "", problem: None })
}

/// `POST /web/login`
pub async fn log_in(
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    State(store): State<Store>,
    State(log_in): State<LogIn>,
    jar: CookieJar,
    Form(credentials): Form<Credentials>,
) -> Result<Response, WebError> {
    let email = credentials.email.clone();
    let account = match log_in.try_with(credentials, client.ip()).await {
        Ok(account) => account,
        Err(LogInError::Refused) => {
            let mut response = page(
                ApiError::Refused.status(),
                &LogInForm { email: &email, problem: Some("Wrong e-mail address or password.") },
            );
            ApiError::Refused.add_headers(&mut response);
            return Ok(response);
        }
        Err(error) => return Err(error.into()),
    };
    // Always a fresh id: the one that the browser came with may have been put there by somebody who knows it.
    let before = session::shown(&jar);
    let id = store.begin_web_session(account.id, before.as_ref()).await?;
    Ok((jar.add(session::cookie(&id)), Redirect::to("/web/account")).into_response())
}

/// `POST /web/logout`
pub async fn log_out(State(store): State<Store>, jar: CookieJar, _form: OwnForm<Empty>) -> Result<Response, WebError> {
    if let Some(id) = session::shown(&jar) {
        store.end_web_session(&id).await?;
    }
    Ok((jar.add(session::removal()), Redirect::to("/web/login")).into_response())
}

/// `GET /web/account`
pub async fn show(Visitor(session): Visitor) -> Response {
    let account = &session.account;
    let template = AccountPage { name: &account.name, email: &account.email, csrf_token: &session.csrf_token };
    page(StatusCode::OK, &template)
}
