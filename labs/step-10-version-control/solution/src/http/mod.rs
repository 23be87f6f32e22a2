//! The HTTP layer: routes, and who may pass.

mod authenticate;
mod body;
mod conversation;
mod error;
mod merges;
mod named;
mod smart;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use crate::access::Users;
use crate::configuration::Folder;
use crate::merge::Queue;
use crate::push::Rules;

/// What every request can use.
#[derive(Debug, Clone)]
pub struct Services {
    /// Where the repositories are.
    pub repositories: Folder,
    /// Who may do what.
    pub users: Arc<Users>,
    /// What is asked of every push.
    pub rules: Arc<Rules>,
    /// Merges, one after the other.
    pub queue: Queue,
}

/// Every route. Whoever is behind `authenticate` is known, also where there is nothing: strangers do not learn which
/// repositories there are.
pub fn router(services: Services) -> Router {
    Router::new()
        .route("/{repository}/info/refs", get(smart::advertise))
        .route("/{repository}/git-upload-pack", post(smart::upload_pack))
        .route("/{repository}/git-receive-pack", post(smart::receive_pack))
        .route("/{repository}/merges", post(merges::merge))
        .fallback(error::not_found)
        .layer(from_fn_with_state(services.clone(), authenticate::authenticate))
        .route("/health", get(async || "ok"))
        .with_state(services)
}
