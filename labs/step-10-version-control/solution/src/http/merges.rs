//! `POST /NAME/merges`

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Services;
use super::error::ApiError;
use super::named::Plain;
use crate::access::{Role, User};
use crate::merge::{MergeError, Outcome};
use crate::repository::BranchName;

/// What is to be merged.
#[derive(Debug, Deserialize)]
struct Wish {
    branch: String,
}

/// Merges a branch into `main`, after all that were asked for before.
#[tracing::instrument(skip_all, fields(user = user.name(), repository = ?repository.name()))]
pub async fn merge(
    State(services): State<Services>,
    Plain(repository): Plain,
    Extension(user): Extension<User>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    if !user.may(Role::Write) {
        return Err(ApiError::Forbidden);
    }
    let wish: Wish = serde_json::from_slice(&body).map_err(|_| ApiError::Invalid(r#"the body is {"branch": "…"}"#))?;
    let branch: BranchName = wish.branch.parse().map_err(|_| MergeError::NoBranch)?;
    let outcome = services.queue.merge(&repository, &branch, user.name()).await?;
    Ok(match outcome {
        Outcome::Merged(commit) => (StatusCode::CREATED, Json(json!({ "commit": commit.as_str() }))),
        Outcome::Contained(main) => (StatusCode::OK, Json(json!({ "commit": main.as_str() }))),
    })
}
