//! `/sessions` and `/session`

use std::net::SocketAddr;

use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::IntoResponse;
use axum_extra::extract::CookieJar;
use serde::Deserialize;
use serde_json::{Value, json};

use super::ApiError;
use super::visitor::{Visitor, no_session_cookie, session_cookie};
use crate::rate_limit::{RateLimit, Verdict};
use crate::sessions::Sessions;
use crate::store::Store;

/// The body of `POST /sessions`.
#[derive(Deserialize)]
pub struct LogIn {
    card: String,
}

/// `POST /sessions`
pub async fn log_in(
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    State(attempts): State<RateLimit>,
    State(store): State<Store>,
    State(sessions): State<Sessions>,
    Json(shown): Json<LogIn>,
) -> Result<impl IntoResponse, ApiError> {
    if let Verdict::Refused(wait) = attempts.attempt(client.ip()).await? {
        return Err(ApiError::TooManyAttempts(wait));
    }
    if shown.card.contains('\0') {
        return Err(ApiError::UnknownCard);
    }
    let customer = store.card_owner(&shown.card).await?.ok_or(ApiError::UnknownCard)?;
    let body = Json(json!({ "customer": customer }));
    let token = sessions.begin(customer).await?;
    Ok((StatusCode::CREATED, CookieJar::new().add(session_cookie(token)), body))
}

/// `GET /session`
pub async fn show(visitor: Visitor) -> Result<([(axum::http::HeaderName, &'static str); 1], Json<Value>), ApiError> {
    let customer = visitor.customer().ok_or(ApiError::Unauthorized)?;
    Ok(([(CACHE_CONTROL, "no-store")], Json(json!({ "customer": customer }))))
}

/// `DELETE /session`
pub async fn log_out(State(sessions): State<Sessions>, visitor: Visitor) -> Result<impl IntoResponse, ApiError> {
    let Some(token) = visitor.token() else { return Err(ApiError::Unauthorized) };
    sessions.end(token).await?;
    Ok((StatusCode::NO_CONTENT, CookieJar::new().add(no_session_cookie())))
}
