//! The HTTP layer: routes, what is taken from a request, and what every kind of refusal becomes.

mod events;
mod listing;
mod openapi;
mod orders;
mod problem;

use axum::Router;
use axum::http::{HeaderValue, StatusCode};
use axum::routing::get;

use crate::store::Store;

/// Every route of the box office.
pub fn router(store: Store, allowed_origin: Option<HeaderValue>) -> Router {
    // TODO(step-03.7): let web pages from this one origin call us (`tower_http::cors`), and limit the size of bodies.
    let _ = allowed_origin;
    // TODO(step-03.2): the framework answers unknown paths and wrong methods. And what does the client accept?
    Router::new()
        .route("/events", get(events::list).post(events::create))
        .route("/events/{id}", get(events::read).patch(events::update).delete(events::delete))
        .route("/orders", get(orders::list).post(orders::create))
        .route("/orders/{id}", get(orders::read).patch(orders::update).delete(orders::delete))
        .route("/openapi.json", get(openapi::document))
        .route("/health", get(health))
        .with_state(store)
}

/// The process lives. It asks nothing of the database: a server that waits for its database is not dead.
async fn health() -> StatusCode {
    StatusCode::OK
}
