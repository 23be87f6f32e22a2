//! The HTTP layer: routes, and around them what every request passes through.

mod access;
mod bounds;
mod error;
mod events;
mod observe;
mod office;
mod orders;
mod panics;
mod probes;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use tower_http::catch_panic::CatchPanicLayer;

use crate::configuration::{ApiToken, Limits};
use crate::lifecycle::Lifecycle;
use crate::metrics::Metrics;
use crate::store::Store;
use crate::tally::Tally;

/// What the routes work with. Clones share it.
#[derive(Debug, Clone)]
pub struct Services {
    /// The database.
    pub store: Store,
    /// The phase of the server's life.
    pub lifecycle: Lifecycle,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// What was sold.
    pub tally: Arc<Tally>,
    /// What clients must show before they may write.
    pub api_token: ApiToken,
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
        .layer(DefaultBodyLimit::max(limits.body_bytes.get()))
        .layer(from_fn_with_state(bounds::Bounds::new(limits, services.lifecycle.clone()), bounds::keep));
    let operations = Router::new()
        .route("/livez", get(probes::live))
        .route("/readyz", get(probes::ready))
        .route("/metrics", get(probes::metrics));
    business
        .merge(operations)
        .layer(CatchPanicLayer::custom(panics::Counted(services.metrics.clone())))
        .fallback(error::not_found)
        .layer(from_fn_with_state(services.clone(), observe::observe))
        .with_state(services)
}
