//! `/orders`

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{AppendHeaders, Response};

use super::body::Body;
use super::conditional::{IfMatch, IfNoneMatch, tagged};
use super::id::Id;
use super::idempotency_key::IdempotencyKey;
use super::listing::Wanted;
use super::problem::Problem;
use crate::model::{NewOrder, OrderPatch};
use crate::store::Store;

/// `POST /orders`
pub async fn create(
    State(store): State<Store>,
    IdempotencyKey(key): IdempotencyKey,
    Body(new): Body<NewOrder>,
) -> Result<Response, Problem> {
    let order = store.place_order(&new, key.as_deref()).await?;
    let location = AppendHeaders([(header::LOCATION, format!("/orders/{}", order.id))]);
    Ok(tagged(order.version, (StatusCode::CREATED, location, Json(order))))
}

/// `GET /orders/{id}`
pub async fn read(State(store): State<Store>, Id(id): Id, known: IfNoneMatch) -> Result<Response, Problem> {
    let order = store.order(id).await?;
    Ok(known.answer(order.version, Json(order)))
}

/// `GET /orders`
pub async fn list(State(store): State<Store>, wanted: Wanted, uri: Uri) -> Result<Response, Problem> {
    let slice = store.list_orders(&wanted.listing(), wanted.event_id()).await?;
    Ok(wanted.answer(slice, &uri))
}

/// `PATCH /orders/{id}`
pub async fn update(
    State(store): State<Store>,
    Id(id): Id,
    IfMatch(seen): IfMatch,
    Body(patch): Body<OrderPatch>,
) -> Result<Response, Problem> {
    let order = store.update_order(id, &seen, &patch).await?;
    Ok(tagged(order.version, Json(order)))
}

/// `DELETE /orders/{id}`
pub async fn delete(State(store): State<Store>, Id(id): Id, IfMatch(seen): IfMatch) -> Result<StatusCode, Problem> {
    store.delete_order(id, &seen).await?;
    Ok(StatusCode::NO_CONTENT)
}
