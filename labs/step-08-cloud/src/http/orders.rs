//! `/orders`

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{AppendHeaders, IntoResponse};
use axum::{Extension, Json};

use super::Services;
use super::error::ApiError;
use super::id::Id;
use crate::configuration::User;
use crate::model::{NewOrder, Order};

/// `POST /orders`
pub async fn place(
    State(services): State<Services>,
    Extension(user): Extension<User>,
    Json(new): Json<NewOrder>,
) -> Result<impl IntoResponse, ApiError> {
    let order = services.store.place_order(&user, &new).await?;
    let location = AppendHeaders([(LOCATION, format!("/orders/{}", order.id))]);
    Ok((StatusCode::CREATED, location, Json(order)))
}

/// `GET /orders/{id}`
pub async fn read(
    State(services): State<Services>,
    Extension(user): Extension<User>,
    Id(id): Id,
) -> Result<Json<Order>, ApiError> {
    services.store.order(&user, id).await?.map(Json).ok_or(ApiError::NotFound)
}
