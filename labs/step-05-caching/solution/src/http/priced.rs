//! Answers that depend on who asks, and what caches on the way are told of that.

use axum::Json;
use axum::http::header::{CACHE_CONTROL, VARY};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::visitor::Visitor;

/// An answer with prices in it.
#[derive(Debug)]
pub struct Priced<T> {
    body: T,
    cache_control: &'static str,
}

impl<T> Priced<T> {
    /// What `visitor` sees. Everybody may keep what nobody in particular sees, for a moment; what a customer sees is
    /// theirs alone.
    pub fn new(visitor: &Visitor, body: T) -> Self {
        let cache_control = if visitor.is_known() { "private, no-store" } else { "public, max-age=5" };
        Self { body, cache_control }
    }
}

impl<T: Serialize> IntoResponse for Priced<T> {
    fn into_response(self) -> Response {
        ([(CACHE_CONTROL, self.cache_control), (VARY, "Cookie")], Json(self.body)).into_response()
    }
}
