//! `POST /NAME/merges`

use super::error::ApiError;
use super::named::Plain;

/// Merges a branch into `main`.
// TODO(step-10.5): make the merge where nobody sees it, test it there, and have `main` point at it only if it still is what
// it was when you began.
pub async fn merge(Plain(repository): Plain) -> Result<(), ApiError> {
    tracing::info!(repository = ?repository.name(), "somebody wants to merge");
    Err(ApiError::NotYet("step-10.5: the merge queue"))
}
