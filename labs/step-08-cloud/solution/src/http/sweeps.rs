//! `/sweeps`

use axum::Json;
use axum::extract::State;

use super::Services;
use super::error::ApiError;
use crate::store::Sweep;

/// `GET /sweeps`
pub async fn list(State(services): State<Services>) -> Result<Json<Vec<Sweep>>, ApiError> {
    Ok(Json(services.store.sweeps().await?))
}
