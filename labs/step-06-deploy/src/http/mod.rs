//! The HTTP layer: routes, and around them what every request passes through.

mod access;
mod bounds;
mod error;
mod events;
mod observe;
mod office;
mod orders;
mod probes;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use crate::configuration::Limits;
use crate::metrics::Metrics;
use crate::store::Store;
use crate::tally::Tally;

/// What the routes work with. Clones share it.
#[derive(Debug, Clone)]
pub struct Services {
    /// The database.
    pub store: Store,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// What was sold.
    pub tally: Arc<Tally>,
    /// What clients must show before they may write.
    pub api_token: String,
}

/// Every route. Those of the business are bounded; the probes and the metrics are not, because they must answer above
/// all when the server is full.
pub fn router(services: Services, limits: Limits) -> Router {
    let writing = Router::new()
        .route("/events", post(events::create))
        .route("/events/{id}/orders", post(orders::place))
        .route("/drill/panic", post(office::panic))
        .layer(from_fn_with_state(services.clone(), access::require_token));
    let business = Router::new()
        .route("/events", get(events::list))
        .route("/events/{id}", get(events::read))
        .route("/orders/{id}", get(orders::read))
        .route("/tally", get(office::tally))
        .merge(writing)
        // TODO(step-06.8): limit bodies: `axum::extract::DefaultBodyLimit`.
        .layer(from_fn_with_state(limits, bounds::keep));
    let operations = Router::new()
        .route("/livez", get(probes::live))
        .route("/readyz", get(probes::ready))
        .route("/metrics", get(probes::metrics));
    business
        .merge(operations)
        // TODO(step-06.7): a handler that panics ends its connection without a response. `tower_http::catch_panic` has
        // a layer that sends one, and that can count.
        .fallback(error::not_found)
        .layer(from_fn_with_state(services.clone(), observe::observe))
        .with_state(services)
}
