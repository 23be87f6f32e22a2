//! `/orders/{id}/ticket` and `/jobs`

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{AppendHeaders, IntoResponse};
use axum::{Extension, Json};
use serde_json::json;

use super::Services;
use super::error::ApiError;
use super::id::Id;
use crate::configuration::User;
use crate::model::Job;

/// `POST /orders/{id}/ticket`: accepted is what the database has written, whatever becomes of us.
pub async fn accept(
    State(services): State<Services>,
    Extension(user): Extension<User>,
    Id(id): Id,
) -> Result<impl IntoResponse, ApiError> {
    let order = services.store.order(&user, id).await?.ok_or(ApiError::NotFound)?;
    let job = services.store.accept_job(&user, order.id).await?;
    services.relay.tell();
    let location = AppendHeaders([(LOCATION, format!("/jobs/{}", job.id))]);
    Ok((StatusCode::ACCEPTED, location, Json(json!({ "job": job.id }))))
}

/// `GET /jobs/{id}`
pub async fn read(
    State(services): State<Services>,
    Extension(user): Extension<User>,
    Id(id): Id,
) -> Result<Json<Job>, ApiError> {
    services.store.job(&user, id).await?.map(Json).ok_or(ApiError::NotFound)
}
