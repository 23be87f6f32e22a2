//! `/events`

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;

use super::error::ApiError;
use crate::model::{Event, Listing, NewEvent, Page};
use crate::store::Store;

/// `POST /events`
pub async fn create(
    State(store): State<Store>,
    Json(new): Json<NewEvent>,
) -> Result<(StatusCode, Json<Event>), ApiError> {
    new.validate().map_err(ApiError::Invalid)?;
    Ok((StatusCode::CREATED, Json(store.create_event(&new).await?)))
}

/// `GET /events/{id}`
pub async fn read(State(store): State<Store>, Path(id): Path<i64>) -> Result<Json<Event>, ApiError> {
    Ok(Json(store.event(id).await?))
}

/// `GET /events`
pub async fn list(State(store): State<Store>, Query(listing): Query<Listing>) -> Result<Json<Page>, ApiError> {
    listing.validate().map_err(ApiError::Invalid)?;
    Ok(Json(store.list_events(&listing).await?))
}
