//! The HTTP layer: routes, what is taken from a request, and what every kind of refusal becomes.

mod accept;
mod body;
mod conditional;
mod cors;
mod events;
mod fields;
mod id;
mod idempotency_key;
mod listing;
mod openapi;
mod orders;
mod problem;
mod read;
mod rules;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::get;

use crate::store::Store;
use problem::Problem;

/// The longest body that is read, in bytes.
const MAX_BODY: usize = 64 * 1024;

/// Every route of the box office. Pages of `allowed_origin` may call it from a browser.
pub fn router(store: Store, allowed_origin: Option<HeaderValue>) -> Router {
    let router = Router::new()
        .route("/events", get(events::list).post(events::create))
        .route("/events/{id}", get(events::read).patch(events::update).delete(events::delete))
        .route("/orders", get(orders::list).post(orders::create))
        .route("/orders/{id}", get(orders::read).patch(orders::update).delete(orders::delete))
        .route("/openapi.json", get(openapi::document))
        .route_layer(middleware::from_fn(accept::json))
        .route("/health", get(health))
        .fallback(async || Problem::NotFound)
        .method_not_allowed_fallback(async || Problem::MethodNotAllowed)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn(traced))
        .with_state(store);
    match allowed_origin {
        // The outermost layer: a page must be able to read refusals too.
        Some(origin) => router.layer(cors::layer(origin)),
        None => router,
    }
}

/// Whatever is logged for a request is logged in its span, and so says which request it was for. The query string is left
/// out: it holds what a visitor typed.
#[tracing::instrument(name = "request", skip_all, fields(method = %request.method(), path = request.uri().path()))]
async fn traced(request: Request, next: Next) -> Response {
    next.run(request).await
}

/// The process lives. It asks nothing of the database: a server that waits for its database is not dead.
async fn health() -> StatusCode {
    StatusCode::OK
}
