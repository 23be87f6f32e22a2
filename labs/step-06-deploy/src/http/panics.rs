//! A panic ends one request, and is counted.

use std::any::Any;
use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use tower_http::catch_panic::ResponseForPanic;

use crate::metrics::Metrics;

/// Answers 500 for a handler that panicked. The panic hook has told the log where.
#[derive(Debug, Clone)]
pub struct Counted(pub Arc<Metrics>);

impl ResponseForPanic for Counted {
    type ResponseBody = axum::body::Body;

    fn response_for_panic(&mut self, _: Box<dyn Any + Send + 'static>) -> Response {
        self.0.panicked();
        (StatusCode::INTERNAL_SERVER_ERROR, "internal server error").into_response()
    }
}
