//! `/events`

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;

use super::ApiError;
use crate::auth::Bearer;
use crate::model::{Event, EventList, Items, Listing, NewEvent};
use crate::store::Store;

/// `GET /events`
pub async fn list(State(store): State<Store>, Query(listing): Query<Listing>) -> Result<Json<EventList>, ApiError> {
    Ok(Json(Items { items: store.events(&listing).await? }))
}

// TODO(step-04.5): who may create, change and delete events?

/// `POST /events`
pub async fn create(
    State(store): State<Store>,
    who: Bearer,
    Json(new): Json<NewEvent>,
) -> Result<(StatusCode, Json<Event>), ApiError> {
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
    Path(id): Path<i64>,
    Json(new): Json<NewEvent>,
) -> Result<Json<Event>, ApiError> {
    new.validate().map_err(ApiError::Invalid)?;
    Ok(Json(store.change_event(id, &new).await?))
}

/// `DELETE /events/{id}`
pub async fn delete(State(store): State<Store>, Path(id): Path<i64>) -> Result<StatusCode, ApiError> {
    store.delete_event(id).await?;
    Ok(StatusCode::NO_CONTENT)
}
