//! `/customers`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::error::ApiError;
use crate::model::{Customer, NewCustomer};
use crate::store::Store;

/// `POST /customers`
pub async fn create(
    State(store): State<Store>,
    Json(new): Json<NewCustomer>,
) -> Result<(StatusCode, Json<Customer>), ApiError> {
    new.validate().map_err(ApiError::Invalid)?;
    Ok((StatusCode::CREATED, Json(store.create_customer(&new).await?)))
}
