//! `/orders`, and the orders for one event.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;

use super::ApiError;
use crate::auth::{Bearer, may};
use crate::model::{Items, NewOrder, Order, Role};
use crate::store::Store;

/// `POST /events/{id}/orders`
pub async fn place(
    State(store): State<Store>,
    who: Bearer,
    Path(event_id): Path<i64>,
    Json(new): Json<NewOrder>,
) -> Result<(StatusCode, Json<Order>), ApiError> {
    may::order(&who.account)?;
    new.validate().map_err(ApiError::Invalid)?;
    Ok((StatusCode::CREATED, Json(store.place_order(event_id, who.account.id, new).await?)))
}

/// `GET /events/{id}/orders`
pub async fn list_for_event(
    State(store): State<Store>,
    who: Bearer,
    Path(event_id): Path<i64>,
) -> Result<Json<Items<Order>>, ApiError> {
    may::manage(&who.account, &store.event(event_id).await?)?;
    Ok(Json(Items { items: store.orders_for(event_id).await? }))
}

/// `GET /orders`
pub async fn list(State(store): State<Store>, who: Bearer) -> Result<Json<Items<Order>>, ApiError> {
    may::list_orders(&who.account)?;
    let only = (who.account.role == Role::Customer).then_some(who.account.id);
    Ok(Json(Items { items: store.orders(only).await? }))
}

/// `GET /orders/{id}`
pub async fn read(State(store): State<Store>, who: Bearer, Path(id): Path<i64>) -> Result<Json<Order>, ApiError> {
    let order = store.order(id).await?;
    may::see(&who.account, &order)?;
    Ok(Json(order))
}

/// `DELETE /orders/{id}`
pub async fn cancel(State(store): State<Store>, who: Bearer, Path(id): Path<i64>) -> Result<StatusCode, ApiError> {
    may::cancel(&who.account, &store.order(id).await?)?;
    store.cancel_order(id).await?;
    Ok(StatusCode::NO_CONTENT)
}
