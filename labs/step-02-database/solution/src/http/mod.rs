//! The HTTP layer: routes, JSON in and out, and which status an error of the store becomes.

mod customers;
mod error;
mod events;
mod orders;
mod transfers;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post};

use crate::store::Store;

/// Every route of the box office.
pub fn router(store: Store) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/events", get(events::list).post(events::create))
        .route("/events/{id}", get(events::read))
        .route("/events/{id}/orders", post(orders::place))
        .route("/orders/{id}/cancel", post(orders::cancel))
        .route("/customers", post(customers::create))
        .route("/transfers", post(transfers::send))
        .with_state(store)
}

/// The process lives. It asks nothing of the database: a server that waits for its database is not dead.
async fn health() -> StatusCode {
    StatusCode::OK
}
