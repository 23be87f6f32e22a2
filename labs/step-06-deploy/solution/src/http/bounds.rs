//! What the requests may take: time, each of them, and places, all together.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tokio::sync::Semaphore;

use crate::configuration::Limits;
use crate::lifecycle::{Lifecycle, Phase};

/// The places, and the clocks that are held against a request.
#[derive(Debug, Clone)]
pub struct Bounds {
    limits: Limits,
    places: Arc<Semaphore>,
    lifecycle: Lifecycle,
}

impl Bounds {
    /// As many places as the limits say.
    pub fn new(limits: Limits, lifecycle: Lifecycle) -> Self {
        Self { limits, places: Arc::new(Semaphore::new(limits.in_flight.get())), lifecycle }
    }
}

/// Refuses a request when there is no place, and ends it when its time, or ours, is over. Whoever comes when we are
/// full is told at once: a queue makes everybody wait and helps nobody.
pub async fn keep(State(bounds): State<Bounds>, request: Request, next: Next) -> Response {
    if bounds.lifecycle.phase() == Phase::Starting {
        return unavailable("starting");
    }
    let Ok(_place) = bounds.places.try_acquire() else { return unavailable("too many requests at once") };
    tokio::select! {
        answered = tokio::time::timeout(bounds.limits.request_timeout.duration(), next.run(request)) => {
            answered.unwrap_or_else(|_| unavailable("the request took too long"))
        }
        () = bounds.lifecycle.reached(Phase::Cutting) => unavailable("shutting down"),
    }
}

fn unavailable(why: &'static str) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "1")], why).into_response()
}
