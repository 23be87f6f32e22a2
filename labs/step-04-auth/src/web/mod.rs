//! The pages, for people: HTML, a session cookie, forms.

mod account;
mod csrf;
mod error;
mod events;
mod headers;
mod pages;
mod session;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::{get, post};

use crate::application::AppState;

/// All routes of the pages.
// TODO(step-04.6): refuse forms from other sites (csrf.rs), for all routes at once.
// TODO(step-04.7): add the headers that protect a page (headers.rs), to all responses at once.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/web/login", get(account::form).post(account::log_in))
        .route("/web/logout", post(account::log_out))
        .route("/web/account", get(account::show))
        .route("/web/events", get(events::list))
        .route("/web/events/{id}", get(events::show))
        .route("/web/events/{id}/reviews", post(events::review))
        .route("/web/page.js", get(([(CONTENT_TYPE, "text/javascript")], include_str!("../../templates/page.js"))))
}
