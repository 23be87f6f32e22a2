//! `/tally` and the drill.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::Services;
use crate::tally::Sums;

/// `GET /tally`
pub async fn tally(State(services): State<Services>) -> Json<Sums> {
    Json(services.tally.sums())
}

/// `POST /drill/panic`: a mistake on purpose, in the worst place. What happens then should be known before it happens
/// by accident.
pub async fn panic(State(services): State<Services>) -> StatusCode {
    services.tally.with(|_| panic!("a drill"))
}
