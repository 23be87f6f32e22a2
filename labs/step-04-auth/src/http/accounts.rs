//! One's own account: register, log in, stay logged in, log out.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::ApiError;
use crate::auth::{Bearer, LogIn, TokenKeys, Tokens};
use crate::model::{Account, Credentials, NewAccount};
use crate::store::Store;

/// What somebody gets who is let in.
#[derive(Debug, Serialize)]
struct Welcome {
    user: Account,
    #[serde(flatten)]
    tokens: Tokens,
}

/// What a client shows to stay logged in.
#[derive(Deserialize)]
pub struct Refresh {
    /// The refresh token.
    pub refresh_token: String,
}

/// `POST /register`
// TODO(step-04.1): here is the hash. Store it with the account.
pub async fn register(
    State(store): State<Store>,
    State(keys): State<Arc<TokenKeys>>,
    State(log_in): State<LogIn>,
    Json(new): Json<NewAccount>,
) -> Result<Response, ApiError> {
    new.validate().map_err(ApiError::Invalid)?;
    let hash = log_in.hash(new.password).await?;
    tracing::debug!(characters = hash.len(), "a hash to be kept");
    let user = store.create_account(&new.email, &new.name).await?;
    Ok(welcome(StatusCode::CREATED, &keys, user))
}

/// `POST /login`
pub async fn log_in(
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    State(keys): State<Arc<TokenKeys>>,
    State(log_in): State<LogIn>,
    Json(credentials): Json<Credentials>,
) -> Result<Response, ApiError> {
    let user = log_in.try_with(credentials, client.ip()).await?;
    Ok(welcome(StatusCode::OK, &keys, user))
}

/// `POST /refresh`
// TODO(step-04.4): new tokens for a valid one; 401 for one that is invalid or has been used before.
pub async fn refresh(Json(shown): Json<Refresh>) -> Result<Response, ApiError> {
    tracing::debug!(characters = shown.refresh_token.len(), "a refresh token was shown");
    Err(ApiError::NotWritten(4))
}

/// `POST /logout`
// TODO(step-04.4): end the session that the token belongs to.
pub async fn log_out(who: Bearer) -> Result<StatusCode, ApiError> {
    tracing::debug!(user = who.account.id, "somebody wants to log out");
    Err(ApiError::NotWritten(4))
}

/// `GET /me`
pub async fn me(who: Bearer) -> Json<Account> {
    Json(who.account)
}

// TODO(step-04.2): no cache may store this response.
fn welcome(status: StatusCode, keys: &TokenKeys, user: Account) -> Response {
    let tokens = keys.issue(user.id);
    (status, Json(Welcome { user, tokens })).into_response()
}
