//! What every request leaves behind: an id, a line in the log, a count.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument as _;

use super::Services;

const REQUEST_ID: &str = "x-request-id";
/// An id of somebody else's making may be this long.
const LONGEST_ID: usize = 64;

/// Takes or makes the request's id, lets the request pass, and writes down what became of it. Headers and bodies are
/// left out: they hold what nobody may read. So is the query.
pub async fn observe(State(services): State<Services>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let _in_flight = services.lifecycle.begin_request();
    let id = taken(request.headers()).unwrap_or_else(made);
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let route = request.extensions().get::<MatchedPath>().map(|matched| matched.as_str().to_owned());
    let span = tracing::info_span!("request", id = id);
    let mut response = next.run(request).instrument(span).await;
    let (status, took) = (response.status(), began.elapsed());
    services.metrics.answered(&method, route.as_deref(), status, took);
    tracing::info!(
        request_id = id,
        method = method.as_str(),
        path,
        status = status.as_u16(),
        duration_ms = took.as_secs_f64() * 1_000.0,
        "answered"
    );
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// The id that came with the request, if it is one: others read our log, and it is no place for strangers' texts.
fn taken(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(REQUEST_ID)?.to_str().ok()?;
    let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    ((1..=LONGEST_ID).contains(&id.len()) && plain).then(|| id.to_owned())
}

fn made() -> String {
    uuid::Uuid::new_v4().to_string()
}
