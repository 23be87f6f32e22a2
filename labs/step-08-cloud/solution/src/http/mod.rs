//! The HTTP layer: routes, and around them what every request passes through.

mod access;
mod bounds;
mod client;
mod error;
mod files;
mod id;
mod jobs;
mod orders;
mod sweeps;
mod uploads;

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};

use crate::application::Ready;
use crate::bucket::Bucket;
use crate::configuration::{Addresses, Tokens};
use crate::jobs::Relay;
use crate::store::Store;
use crate::uploads::Uploads;

/// What every request can use. Clones share it.
#[derive(Clone)]
pub struct Services {
    /// The database.
    pub store: Store,
    /// The object store.
    pub bucket: Bucket,
    /// What becomes of what clients bring.
    pub uploads: Uploads,
    /// What carries jobs to the broker.
    pub relay: Relay,
    /// Who may ask.
    pub tokens: Arc<Tokens>,
    /// Whose word about other addresses counts.
    pub trusted_proxies: Arc<Addresses>,
    /// Whether everything is prepared.
    pub ready: Ready,
}

/// Every route of a web server.
pub fn router(services: Services) -> Router {
    let quick = Router::new()
        .route("/orders", post(orders::place))
        .route("/orders/{id}", get(orders::read))
        .route("/orders/{id}/ticket", post(jobs::accept))
        .route("/jobs/{id}", get(jobs::read))
        .route("/uploads", post(uploads::open))
        .route("/uploads/{id}", get(uploads::read).delete(uploads::cancel))
        .route("/files/{id}", get(files::download))
        .route("/sweeps", get(sweeps::list))
        .fallback(error::not_found)
        .layer(from_fn(bounds::quick));
    // A file is read here, which takes as long as it takes.
    let slow = Router::new().route("/uploads/{id}/complete", post(uploads::complete)).layer(from_fn(bounds::slow));
    let ready = services.ready.clone();
    quick
        .merge(slow)
        .layer(from_fn_with_state(services.clone(), access::require_user))
        .route("/client", get(client::who))
        .with_state(services)
        .merge(probes(ready))
}

/// What a worker answers.
pub fn probes(ready: Ready) -> Router {
    let health = move || async move { if ready.get() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE } };
    Router::new().route("/health", get(health))
}
