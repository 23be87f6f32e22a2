//! What the requests may take: time, each of them, and places, all together.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use crate::configuration::Limits;

/// Lets a request pass, or not.
pub async fn keep(State(_limits): State<Limits>, request: Request, next: Next) -> Response {
    // TODO(step-06.8): a request that takes longer than `request_timeout`, and one that arrives while `in_flight`
    // others are being handled, get 503. When may the client try again?
    next.run(request).await
}
