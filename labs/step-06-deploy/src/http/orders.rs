//! `/orders` and `/events/{id}/orders`

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;

use super::Services;
use super::error::ApiError;
use crate::model::{NewOrder, Order};

/// `POST /events/{id}/orders`
pub async fn place(
    State(services): State<Services>,
    Path(event_id): Path<i64>,
    Json(new): Json<NewOrder>,
) -> Result<(StatusCode, Json<Order>), ApiError> {
    new.validate().map_err(ApiError::Invalid)?;
    let order = services.store.place_order(event_id, &new).await?;
    services.tally.add(order.seats);
    Ok((StatusCode::CREATED, Json(order)))
}

/// `GET /orders/{id}`
pub async fn read(State(services): State<Services>, Path(id): Path<i64>) -> Result<Json<Order>, ApiError> {
    Ok(Json(services.store.order(id).await?))
}
