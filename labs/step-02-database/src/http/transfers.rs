//! `/transfers`

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::error::ApiError;
use crate::model::{NewTransfer, Transfer};
use crate::store::Store;

/// `POST /transfers`
pub async fn send(
    State(store): State<Store>,
    Json(new): Json<NewTransfer>,
) -> Result<(StatusCode, Json<Transfer>), ApiError> {
    new.validate().map_err(ApiError::Invalid)?;
    Ok((StatusCode::CREATED, Json(store.send_credit(new).await?)))
}
