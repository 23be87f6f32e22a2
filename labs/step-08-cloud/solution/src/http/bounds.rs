//! No request takes for ever, whatever is away: its client hears so while it still listens.

use std::time::Duration;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tokio::time::timeout;

use super::error::ApiError;

const QUICK: Duration = Duration::from_millis(4_500);
const SLOW: Duration = Duration::from_secs(60);

/// For what asks the database and the store small things.
pub async fn quick(request: Request, next: Next) -> Response {
    within(QUICK, request, next).await
}

/// For what reads a file.
pub async fn slow(request: Request, next: Next) -> Response {
    within(SLOW, request, next).await
}

async fn within(time: Duration, request: Request, next: Next) -> Response {
    timeout(time, next.run(request)).await.unwrap_or_else(|_| ApiError::TooSlow.into_response())
}
