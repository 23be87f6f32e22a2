//! Other people's accounts, for administrators.

use axum::Json;
use axum::extract::{Path, State};

use super::ApiError;
use crate::model::{Account, AccountChange, Items};
use crate::store::Store;

// TODO(step-04.5): both are for administrators, but nothing checks who is asking.

/// `GET /users`
pub async fn list(State(store): State<Store>) -> Result<Json<Items<Account>>, ApiError> {
    Ok(Json(Items { items: store.accounts().await? }))
}

/// `PATCH /users/{id}`
pub async fn change(
    State(store): State<Store>,
    Path(id): Path<i64>,
    Json(change): Json<AccountChange>,
) -> Result<Json<Account>, ApiError> {
    Ok(Json(store.change_account(id, change).await?))
}
