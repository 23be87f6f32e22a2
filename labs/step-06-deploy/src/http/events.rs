//! `/events`

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::Services;
use super::error::ApiError;
use crate::model::{Event, NewEvent};

/// `POST /events`
pub async fn create(
    State(services): State<Services>,
    Json(new): Json<NewEvent>,
) -> Result<(StatusCode, Json<Event>), ApiError> {
    new.validate().map_err(ApiError::Invalid)?;
    Ok((StatusCode::CREATED, Json(services.store.create_event(&new).await?)))
}

/// `GET /events/{id}`
pub async fn read(State(services): State<Services>, Path(id): Path<i64>) -> Result<Json<Event>, ApiError> {
    Ok(Json(services.store.event(id).await?))
}

/// `GET /events`
pub async fn list(State(services): State<Services>) -> Result<Json<Value>, ApiError> {
    Ok(Json(json!({ "items": services.store.events().await? })))
}
