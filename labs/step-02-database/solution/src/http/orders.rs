//! `/events/{id}/orders` and `/orders`

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;

use super::error::ApiError;
use crate::model::{NewOrder, Order};
use crate::store::Store;

/// `POST /events/{id}/orders`
pub async fn place(
    State(store): State<Store>,
    Path(event_id): Path<i64>,
    Json(new): Json<NewOrder>,
) -> Result<(StatusCode, Json<Order>), ApiError> {
    new.validate().map_err(ApiError::Invalid)?;
    Ok((StatusCode::CREATED, Json(store.place_order(event_id, new).await?)))
}

/// `POST /orders/{id}/cancel`
pub async fn cancel(State(store): State<Store>, Path(id): Path<i64>) -> Result<Json<Order>, ApiError> {
    Ok(Json(store.cancel_order(id).await?))
}
