//! `/uploads`

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{AppendHeaders, IntoResponse};
use axum::{Extension, Json};
use chrono::SecondsFormat;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Services;
use super::error::ApiError;
use super::id::Id;
use crate::configuration::User;
use crate::model::{Upload, UploadRequest, UploadState};
use crate::uploads::{Completed, Instructions};

/// An upload as clients see it.
#[derive(Serialize)]
struct Shown<'a> {
    id: Uuid,
    state: UploadState,
    file: Option<Uuid>,
    expires_at: String,
    #[serde(flatten)]
    instructions: &'a Instructions,
}

fn shown<'a>(upload: &Upload, instructions: &'a Instructions) -> Shown<'a> {
    Shown {
        id: upload.id,
        state: upload.state,
        file: (upload.state == UploadState::Complete).then_some(upload.id),
        expires_at: upload.expires_at.to_rfc3339_opts(SecondsFormat::Millis, true),
        instructions,
    }
}

/// `POST /uploads`
pub async fn open(
    State(services): State<Services>,
    Extension(user): Extension<User>,
    Json(request): Json<UploadRequest>,
) -> Result<impl IntoResponse, ApiError> {
    let (upload, instructions) = services.uploads.open(&user, &request).await?;
    let location = AppendHeaders([(LOCATION, format!("/uploads/{}", upload.id))]);
    Ok((StatusCode::CREATED, location, Json(shown(&upload, &instructions)).into_response()))
}

/// `GET /uploads/{id}`
pub async fn read(
    State(services): State<Services>,
    Extension(user): Extension<User>,
    Id(id): Id,
) -> Result<impl IntoResponse, ApiError> {
    let upload = known(&services, &user, id).await?;
    let instructions = services.uploads.resume(&upload).await?;
    Ok(Json(shown(&upload, &instructions)).into_response())
}

/// `DELETE /uploads/{id}`
pub async fn cancel(
    State(services): State<Services>,
    Extension(user): Extension<User>,
    Id(id): Id,
) -> Result<StatusCode, ApiError> {
    let upload = known(&services, &user, id).await?;
    if services.uploads.cancel(&upload).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::Conflict("the upload is complete"))
    }
}

/// `POST /uploads/{id}/complete`
pub async fn complete(
    State(services): State<Services>,
    Extension(user): Extension<User>,
    Id(id): Id,
) -> Result<Json<Value>, ApiError> {
    let upload = known(&services, &user, id).await?;
    match services.uploads.complete(&user, &upload).await? {
        Completed::Yes => Ok(Json(json!({ "id": id, "state": UploadState::Complete, "file": id }))),
        Completed::NotYet => Err(ApiError::Conflict("not all of it is there")),
        Completed::Refused(why) => Err(ApiError::Invalid(why)),
        Completed::Ended => Err(ApiError::Conflict("the upload has ended")),
    }
}

/// Somebody's upload. One that was cancelled is none any more.
async fn known(services: &Services, user: &User, id: Uuid) -> Result<Upload, ApiError> {
    let upload = services.store.upload(user, id).await?;
    upload.filter(|upload| upload.state != UploadState::Cancelled).ok_or(ApiError::NotFound)
}
