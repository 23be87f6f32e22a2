//! What operators ask: does it live, is it ready, how does it do.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};

use super::Services;
use crate::metrics::MEDIA_TYPE;

/// `GET /livez`: the process works.
pub async fn live() -> StatusCode {
    StatusCode::OK
}

/// `GET /readyz`: send requests here, or not now.
pub async fn ready(State(_services): State<Services>) -> StatusCode {
    // TODO(step-06.2): what if the database is down, or does not respond?
    // TODO(step-06.3): what if the server is about to shut down?
    StatusCode::OK
}

/// `GET /metrics`
pub async fn metrics(State(services): State<Services>) -> Response {
    match services.metrics.encode() {
        Ok(text) => ([(CONTENT_TYPE, MEDIA_TYPE)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
