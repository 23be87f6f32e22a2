//! `/events`

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{AppendHeaders, Response};

use super::body::Body;
use super::conditional::{IfMatch, IfNoneMatch, tagged};
use super::id::Id;
use super::listing::Wanted;
use super::problem::Problem;
use crate::model::{EventPatch, NewEvent};
use crate::store::Store;

/// `POST /events`
pub async fn create(State(store): State<Store>, Body(new): Body<NewEvent>) -> Result<Response, Problem> {
    let event = store.create_event(&new).await?;
    let location = AppendHeaders([(header::LOCATION, format!("/events/{}", event.id))]);
    Ok(tagged(event.version, (StatusCode::CREATED, location, Json(event))))
}

/// `GET /events/{id}`
pub async fn read(State(store): State<Store>, Id(id): Id, known: IfNoneMatch) -> Result<Response, Problem> {
    let event = store.event(id).await?;
    Ok(known.answer(event.version, Json(event)))
}

/// `GET /events`
pub async fn list(State(store): State<Store>, wanted: Wanted, uri: Uri) -> Result<Response, Problem> {
    let slice = store.list_events(&wanted.listing()).await?;
    Ok(wanted.answer(slice, &uri))
}

/// `PATCH /events/{id}`
pub async fn update(
    State(store): State<Store>,
    Id(id): Id,
    IfMatch(seen): IfMatch,
    Body(patch): Body<EventPatch>,
) -> Result<Response, Problem> {
    let event = store.update_event(id, &seen, &patch).await?;
    Ok(tagged(event.version, Json(event)))
}

/// `DELETE /events/{id}`
pub async fn delete(State(store): State<Store>, Id(id): Id, IfMatch(seen): IfMatch) -> Result<StatusCode, Problem> {
    store.delete_event(id, &seen).await?;
    Ok(StatusCode::NO_CONTENT)
}
