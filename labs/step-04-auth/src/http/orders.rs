//! `/orders`, and the orders for one event.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;

use super::ApiError;
use crate::auth::{Bearer, may};
use crate::model::{Items, NewOrder, Order};
use crate::store::Store;

// TODO(step-04.5): whose orders are they, and who may see them?

/// `POST /events/{id}/orders`
pub async fn place(
    State(store): State<Store>,
    who: Bearer,
    Path(event_id): Path<i64>,
    Json(new): Json<NewOrder>,
) -> Result<(StatusCode, Json<Order>), ApiError> {
    new.validate().map_err(ApiError::Invalid)?;
    Ok((StatusCode::CREATED, Json(store.place_order(event_id, who.account.id, new).await?)))
}

/// `GET /events/{id}/orders`
pub async fn list_for_event(
    State(store): State<Store>,
    Path(event_id): Path<i64>,
) -> Result<Json<Items<Order>>, ApiError> {
    Ok(Json(Items { items: store.orders_for(event_id).await? }))
}

/// `GET /orders`
pub async fn list(State(store): State<Store>, who: Bearer) -> Result<Json<Items<Order>>, ApiError> {
    may::list_orders(&who.account)?;
    Ok(Json(Items { items: store.orders(None).await? }))
}

/// `GET /orders/{id}`
pub async fn read(State(store): State<Store>, Path(id): Path<i64>) -> Result<Json<Order>, ApiError> {
    Ok(Json(store.order(id).await?))
}

/// `DELETE /orders/{id}`
pub async fn cancel(State(store): State<Store>, Path(id): Path<i64>) -> Result<StatusCode, ApiError> {
    store.cancel_order(id).await?;
    Ok(StatusCode::NO_CONTENT)
}
