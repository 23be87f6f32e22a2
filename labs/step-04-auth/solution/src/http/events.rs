//! `/events`

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;

use super::ApiError;
use crate::auth::{Bearer, may};
use crate::model::{Event, EventList, Items, Listing, NewEvent};
use crate::store::Store;

/// `GET /events`
pub async fn list(State(store): State<Store>, Query(listing): Query<Listing>) -> Result<Json<EventList>, ApiError> {
    listing.validate().map_err(ApiError::Invalid)?;
    Ok(Json(Items { items: store.events(&listing).await? }))
}

/// `POST /events`
pub async fn create(
    State(store): State<Store>,
    who: Bearer,
    Json(new): Json<NewEvent>,
) -> Result<(StatusCode, Json<Event>), ApiError> {
    may::create_events(&who.account)?;
    new.validate().map_err(ApiError::Invalid)?;
    Ok((StatusCode::CREATED, Json(store.create_event(who.account.id, &new).await?)))
}

/// `GET /events/{id}`
pub async fn read(State(store): State<Store>, Path(id): Path<i64>) -> Result<Json<Event>, ApiError> {
    Ok(Json(store.event(id).await?))
}

/// `PUT /events/{id}`
pub async fn change(
    State(store): State<Store>,
    who: Bearer,
    Path(id): Path<i64>,
    Json(new): Json<NewEvent>,
) -> Result<Json<Event>, ApiError> {
    may::manage(&who.account, &store.event(id).await?)?;
    new.validate().map_err(ApiError::Invalid)?;
    Ok(Json(store.change_event(id, &new).await?))
}

/// `DELETE /events/{id}`
pub async fn delete(State(store): State<Store>, who: Bearer, Path(id): Path<i64>) -> Result<StatusCode, ApiError> {
    may::manage(&who.account, &store.event(id).await?)?;
    store.delete_event(id).await?;
    Ok(StatusCode::NO_CONTENT)
}
