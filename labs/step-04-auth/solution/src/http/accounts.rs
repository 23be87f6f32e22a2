//! One's own account: register, log in, stay logged in, log out.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::ApiError;
use crate::auth::{Bearer, Challenge, LogIn, TokenKeys, TokenType, Tokens};
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
    refresh_token: String,
}

/// `POST /register`
pub async fn register(
    State(store): State<Store>,
    State(keys): State<Arc<TokenKeys>>,
    State(log_in): State<LogIn>,
    Json(new): Json<NewAccount>,
) -> Result<Response, ApiError> {
    new.validate().map_err(ApiError::Invalid)?;
    let hash = log_in.hash(new.password).await?;
    let user = store.create_account(&new.email, &new.name, &hash).await?;
    welcome(StatusCode::CREATED, &store, &keys, user).await
}

/// `POST /login`
pub async fn log_in(
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    State(store): State<Store>,
    State(keys): State<Arc<TokenKeys>>,
    State(log_in): State<LogIn>,
    Json(credentials): Json<Credentials>,
) -> Result<Response, ApiError> {
    let user = log_in.try_with(credentials, client.ip()).await?;
    welcome(StatusCode::OK, &store, &keys, user).await
}

/// `POST /refresh`
pub async fn refresh(
    State(store): State<Store>,
    State(keys): State<Arc<TokenKeys>>,
    Json(shown): Json<Refresh>,
) -> Result<Response, ApiError> {
    let claims = keys.verify(&shown.refresh_token, TokenType::Refresh)?;
    let refused = ApiError::Unauthorized(Challenge::InvalidToken);
    let user = store.account_of_session(claims.sid, claims.user_id()?).await?;
    let (Some(user), Some(next)) = (user, store.rotate(claims.sid, claims.jti).await?) else { return Err(refused) };
    let tokens = keys.issue(user.id, claims.sid, next)?;
    Ok(granted(StatusCode::OK, Welcome { user, tokens }))
}

/// `POST /logout`
pub async fn log_out(State(store): State<Store>, who: Bearer) -> Result<StatusCode, ApiError> {
    store.end_session(who.session).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /me`
pub async fn me(who: Bearer) -> Json<Account> {
    Json(who.account)
}

async fn welcome(status: StatusCode, store: &Store, keys: &TokenKeys, user: Account) -> Result<Response, ApiError> {
    let (session, refresh) = store.begin_session(user.id).await?;
    let tokens = keys.issue(user.id, session, refresh)?;
    Ok(granted(status, Welcome { user, tokens }))
}

/// Tokens are for one client and must not be kept on the way (RFC 6749 §5.1).
fn granted(status: StatusCode, welcome: Welcome) -> Response {
    (status, [(CACHE_CONTROL, "no-store")], Json(welcome)).into_response()
}
