//! The HTTP layer: routes, and around them what every request passes through.

mod access;
mod client;
mod error;
mod id;
mod orders;
mod to_be_written;

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use crate::bucket::Bucket;
use crate::configuration::Tokens;
use crate::store::Store;

/// What every request can use. Clones share it.
#[derive(Clone)]
pub struct Services {
    /// The database.
    pub store: Store,
    /// The object store.
    pub bucket: Bucket,
    /// Who may ask.
    pub tokens: Arc<Tokens>,
}

/// Every route of a web server.
pub fn router(services: Services) -> Router {
    Router::new()
        .route("/orders", post(orders::place))
        .route("/orders/{id}", get(orders::read))
        .route("/uploads", post(to_be_written::upload))
        .route("/uploads/{id}", get(to_be_written::resume).delete(to_be_written::resume))
        .route("/uploads/{id}/complete", post(to_be_written::complete))
        .route("/files/{id}", get(to_be_written::complete))
        .route("/orders/{id}/ticket", post(to_be_written::job))
        .route("/jobs/{id}", get(to_be_written::job))
        .route("/sweeps", get(to_be_written::sweeps))
        .fallback(error::not_found)
        .layer(from_fn_with_state(services.clone(), access::require_user))
        .route("/client", get(client::who))
        .with_state(services)
        .merge(probes())
}

/// What a worker answers.
pub fn probes() -> Router {
    Router::new().route("/health", get(async || StatusCode::OK))
}
