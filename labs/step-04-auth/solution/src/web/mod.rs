//! The pages, for people: HTML, a session cookie, forms.

mod account;
mod csrf;
mod error;
mod events;
mod headers;
mod pages;
mod session;

use axum::http::header::CONTENT_TYPE;
use axum::routing::{get, post};
use axum::{Router, middleware};

use crate::application::AppState;

/// All routes of the pages.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/web/login", get(account::form).post(account::log_in))
        .route("/web/logout", post(account::log_out))
        .route("/web/account", get(account::show))
        .route("/web/events", get(events::list))
        .route("/web/events/{id}", get(events::show))
        .route("/web/events/{id}/reviews", post(events::review))
        .route("/web/page.js", get(([(CONTENT_TYPE, "text/javascript")], include_str!("../../templates/page.js"))))
        .layer(middleware::from_fn(csrf::refuse_foreign_origins))
        .layer(middleware::from_fn(headers::protect))
}
