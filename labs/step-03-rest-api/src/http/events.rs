//! `/events`

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::listing::{Wanted, page};
use super::problem::Problem;
use crate::model::{Event, NewEvent};
use crate::store::Store;

/// `POST /events`
pub async fn create(State(store): State<Store>, Json(new): Json<NewEvent>) -> Result<Json<Event>, Problem> {
    // TODO(step-03.3): `Json` stops at the first mistake, and accepts any number of seats.
    // TODO(step-03.1): something new was created. Say so, and say where it is.
    Ok(Json(store.create_event(&new).await?))
}

/// `GET /events/{id}`
pub async fn read(State(store): State<Store>, Path(id): Path<i64>) -> Result<Json<Event>, Problem> {
    // TODO(step-03.5): which version is it? And does the client have it already?
    Ok(Json(store.event(id).await?))
}

/// `GET /events`
pub async fn list(State(store): State<Store>, Query(wanted): Query<Wanted>) -> Result<Response, Problem> {
    Ok(page(store.list_events(&wanted.listing()).await?))
}

/// `PATCH /events/{id}`
pub async fn update(Path(_id): Path<i64>) -> Result<Json<Event>, Problem> {
    // TODO(step-03.3): a merge patch. Absent members stay; null clears a member, where that is allowed.
    Err(Problem::NotImplemented)
}

/// `DELETE /events/{id}`
pub async fn delete(State(store): State<Store>, Path(id): Path<i64>) -> Result<StatusCode, Problem> {
    // TODO(step-03.5): which version does the client want to delete?
    store.delete_event(id).await?;
    // TODO(step-03.1): there is no content to send. Which status says so?
    Ok(StatusCode::OK)
}
