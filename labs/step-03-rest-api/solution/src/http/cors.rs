//! Which web pages may call us from a browser, and what they may send and read (Fetch standard, §3.2).

use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Method, header};
use tower_http::cors::{AllowOrigin, CorsLayer};

/// Lets pages of one origin in. The origin is compared as a whole: neither a part of it nor whatever a request says of
/// itself is enough.
pub fn layer(allowed: HeaderValue) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::list([allowed]))
        .allow_methods([Method::GET, Method::POST, Method::PATCH, Method::DELETE])
        .allow_headers([
            header::CONTENT_TYPE,
            header::IF_MATCH,
            header::IF_NONE_MATCH,
            HeaderName::from_static("idempotency-key"),
        ])
        .expose_headers([header::ETAG, header::LINK, header::LOCATION])
        .max_age(Duration::from_secs(600))
}
