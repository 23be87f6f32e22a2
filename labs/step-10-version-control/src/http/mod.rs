//! The HTTP layer: routes, and what they need.

mod error;
mod merges;
mod named;
mod smart;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use crate::access::Users;
use crate::configuration::{Configuration, Folder};

/// What every request can use.
#[derive(Debug, Clone)]
pub struct Services {
    /// Where the repositories are.
    pub repositories: Folder,
    /// Who may do what.
    pub users: Arc<Users>,
}

impl Services {
    /// As the environment has it.
    pub fn new(configuration: &Configuration) -> Self {
        Self { repositories: configuration.repositories.clone(), users: Arc::new(configuration.users.clone()) }
    }
}

/// Every route.
pub fn router(services: Services) -> Router {
    Router::new()
        .route("/{repository}/info/refs", get(smart::advertise))
        .route("/{repository}/git-upload-pack", post(smart::upload_pack))
        .route("/{repository}/git-receive-pack", post(smart::receive_pack))
        .route("/{repository}/merges", post(merges::merge))
        .fallback(error::not_found)
        .route("/health", get(async || "ok"))
        .with_state(services)
}
