//! What operators ask: does it live, is it ready, how does it do.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};

use super::Services;
use crate::lifecycle::Phase;
use crate::metrics::MEDIA_TYPE;

/// How long the database may take to say that it is there.
const PATIENCE: Duration = Duration::from_secs(1);

/// `GET /livez`: the process works. It asks nobody else: a restart mends no database.
pub async fn live() -> StatusCode {
    StatusCode::OK
}

/// `GET /readyz`: send requests here, or not now.
pub async fn ready(State(services): State<Services>) -> StatusCode {
    let serving = services.lifecycle.phase() == Phase::Serving;
    if serving && services.store.answers(PATIENCE).await { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

/// `GET /metrics`
pub async fn metrics(State(services): State<Services>) -> Response {
    match services.metrics.encode() {
        Ok(text) => ([(CONTENT_TYPE, MEDIA_TYPE)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
