//! Answers that depend on who asks, and what caches on the way are told of that.

use axum::Json;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::visitor::Visitor;

/// An answer with prices in it.
#[derive(Debug)]
pub struct Priced<T> {
    body: T,
}

impl<T> Priced<T> {
    /// What `visitor` sees.
    pub fn new(_visitor: &Visitor, body: T) -> Self {
        Self { body }
    }
}

impl<T: Serialize> IntoResponse for Priced<T> {
    fn into_response(self) -> Response {
        // TODO(step-05.5): `Cache-Control` and `Vary`, so that no cache on the way shows one customer's price to another.
        Json(self.body).into_response()
    }
}
