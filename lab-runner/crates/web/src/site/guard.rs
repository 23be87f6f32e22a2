//! Who may see the site: whoever knows its address, in which there is a secret, and no page of another origin.
//!
//! The secret alone would do, as nobody else knows it. The name in `Host` keeps away pages whose own name was made to lead
//! here (DNS rebinding), and `Origin` and `Sec-Fetch-Site` keep away those that a browser would let send a request (Fetch
//! standard; W3C, "Fetch Metadata Request Headers").

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

/// What every answer carries beside its own.
const HEADERS: [(&str, &str); 6] = [
    ("cache-control", "no-store"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
];

/// The site's address and its secret.
#[derive(Debug)]
pub(super) struct Guard {
    port: u16,
    secret: String,
}

impl Guard {
    /// A new secret for the site on `port`: 122 random bits from the system.
    pub(super) fn new(port: u16) -> Self {
        Self { port, secret: Uuid::new_v4().simple().to_string() }
    }

    /// The address to open.
    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}{}/", self.port, self.prefix())
    }

    /// What the path of every page begins with.
    pub(super) fn prefix(&self) -> String {
        format!("/{}", self.secret)
    }

    /// Why a request is refused, if it is.
    fn refuses(&self, method: &Method, path: &str, headers: &HeaderMap) -> Option<(StatusCode, &'static str)> {
        let names = ["127.0.0.1", "localhost"].map(|name| format!("{name}:{}", self.port));
        let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
        if !text("host").is_some_and(|host| names.iter().any(|name| name == host)) {
            return Some((StatusCode::MISDIRECTED_REQUEST, "this is not the host that was asked for"));
        }
        let own = |origin: &str| names.iter().any(|name| origin.strip_prefix("http://") == Some(name));
        let foreign = text("origin").is_some_and(|origin| !own(origin))
            || text("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none"));
        if foreign {
            return Some((StatusCode::FORBIDDEN, "no other page may ask for this"));
        }
        let secret = path.trim_start_matches('/').split('/').next().unwrap_or_default();
        if !bool::from(secret.as_bytes().ct_eq(self.secret.as_bytes())) {
            return Some((StatusCode::NOT_FOUND, "open the whole address that `cargo lab web` printed"));
        }
        (*method != Method::GET && *method != Method::HEAD)
            .then_some((StatusCode::METHOD_NOT_ALLOWED, "this site only shows"))
    }
}

/// Lets a request in, or refuses it.
pub(super) async fn admit(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let refusal = guard.refuses(request.method(), request.uri().path(), request.headers());
    let mut response = match refusal {
        Some(refusal) => refusal.into_response(),
        None => next.run(request).await,
    };
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // Text that is no page of ours is never anything else.
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(path: &str, headers: &[(&'static str, &str)]) -> Option<u16> {
        let guard = Guard { port: 4000, secret: "s3cret".into() };
        let headers: HeaderMap =
            headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        guard.refuses(&Method::GET, path, &headers).map(|(status, _)| status.as_u16())
    }

    const HOST: (&str, &str) = ("host", "127.0.0.1:4000");

    #[test]
    fn whoever_knows_the_address_is_let_in() {
        assert_eq!(refused("/s3cret/", &[HOST]), None);
        assert_eq!(refused("/s3cret/lab/x", &[("host", "localhost:4000"), ("sec-fetch-site", "none")]), None);
        let own = [HOST, ("origin", "http://127.0.0.1:4000"), ("sec-fetch-site", "same-origin")];
        assert_eq!(refused("/s3cret/changes", &own), None);
    }

    #[test]
    fn nobody_else_is() {
        for path in ["/", "/s3cre/", "/s3crets/", "/S3CRET/", "/x/s3cret/", "//x/s3cret"] {
            assert_eq!(refused(path, &[HOST]), Some(404), "{path}");
        }
        for host in ["evil.example:4000", "127.0.0.1", "127.0.0.1:4001", "127.0.0.1:4000.evil.example", "[::1]:4000"] {
            assert_eq!(refused("/s3cret/", &[("host", host)]), Some(421), "{host}");
        }
        assert_eq!(refused("/s3cret/", &[]), Some(421));
        for origin in ["http://evil.example", "null", "http://127.0.0.1:4001", "https://127.0.0.1:4000"] {
            assert_eq!(refused("/s3cret/", &[HOST, ("origin", origin)]), Some(403), "{origin}");
        }
        for site in ["cross-site", "same-site"] {
            assert_eq!(refused("/s3cret/", &[HOST, ("sec-fetch-site", site)]), Some(403), "{site}");
        }
    }
}
