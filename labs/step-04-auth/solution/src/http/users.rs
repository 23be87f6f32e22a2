//! Other people's accounts, for administrators.

use axum::Json;
use axum::extract::{Path, State};

use super::ApiError;
use crate::auth::{Bearer, may};
use crate::model::{Account, AccountChange, Items};
use crate::store::Store;

/// `GET /users`
pub async fn list(State(store): State<Store>, who: Bearer) -> Result<Json<Items<Account>>, ApiError> {
    may::administer(&who.account)?;
    Ok(Json(Items { items: store.accounts().await? }))
}

/// `PATCH /users/{id}`
pub async fn change(
    State(store): State<Store>,
    who: Bearer,
    Path(id): Path<i64>,
    Json(change): Json<AccountChange>,
) -> Result<Json<Account>, ApiError> {
    may::administer(&who.account)?;
    Ok(Json(store.change_account(id, change).await?))
}
