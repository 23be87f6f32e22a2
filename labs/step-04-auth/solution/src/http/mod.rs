//! The API, for programs: JSON in and out, a bearer token with every request.

mod accounts;
mod error;
mod events;
mod orders;
mod users;

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::CACHE_CONTROL;
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::{get, patch, post};

pub use error::ApiError;

use crate::application::AppState;

/// All routes of the API.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/health", get(async || "ok"))
        .route("/register", post(accounts::register))
        .route("/login", post(accounts::log_in))
        .route("/refresh", post(accounts::refresh))
        .route("/logout", post(accounts::log_out))
        .route("/me", get(accounts::me))
        .route("/users", get(users::list))
        .route("/users/{id}", patch(users::change))
        .route("/events", get(events::list).post(events::create))
        .route("/events/{id}", get(events::read).put(events::change).delete(events::delete))
        .route("/events/{id}/orders", get(orders::list_for_event).post(orders::place))
        .route("/orders", get(orders::list))
        .route("/orders/{id}", get(orders::read).delete(orders::cancel))
        .layer(map_response(no_store))
}

/// What is answered depends on who asks, and is for nobody else: no cache may keep it (RFC 9111 §5.2.2.5).
async fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
