//! What every request leaves behind.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use super::Services;

/// Lets the request pass, and writes down what became of it.
pub async fn observe(State(_services): State<Services>, request: Request, next: Next) -> Response {
    // TODO(step-06.6): an id, taken from `X-Request-Id` or generated, in the response and in one line of the log.
    // TODO(step-06.7): a count and a time. The route that matched is `MatchedPath` in the request's extensions.
    next.run(request).await
}
