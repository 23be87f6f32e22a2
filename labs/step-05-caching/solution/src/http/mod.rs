//! The HTTP layer: routes, JSON in and out, who asks, and what caches on the way may keep.

mod error;
mod events;
mod ids;
mod priced;
mod sessions;
mod uninterrupted;
mod visitor;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};

pub use error::ApiError;
pub use visitor::Visitor;

use crate::application::AppState;

/// Every route of the box office.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/health", get(async || "ok"))
        .route("/events", get(events::list))
        .route("/events/{id}", get(events::read).put(events::put).delete(events::delete))
        .route("/sessions", post(sessions::log_in))
        .route("/session", get(sessions::show).delete(sessions::log_out))
        .layer(middleware::from_fn(traced))
}

/// Whatever is logged for a request is logged in its span, and so says which request it was for. The query string is left
/// out: it holds what a visitor typed.
#[tracing::instrument(name = "request", skip_all, fields(method = %request.method(), path = request.uri().path()))]
async fn traced(request: Request, next: Next) -> Response {
    next.run(request).await
}
