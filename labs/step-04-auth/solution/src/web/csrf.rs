//! Other sites make our visitors' browsers send us requests, cookies and all. What they cannot do is say where the
//! request came from, or read a page of ours (OWASP, "Cross-Site Request Forgery Prevention").

use axum::extract::{Form, FromRef, FromRequest, FromRequestParts, Request};
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use subtle::ConstantTimeEq as _;

use super::error::WebError;
use super::session::Visitor;
use crate::store::{Store, WebSession};

/// A form that one of this visitor's own pages sent. There is no other way to get at a form's fields, so no handler
/// can forget to look.
#[derive(Debug)]
pub struct OwnForm<T> {
    /// Who sent it.
    pub session: WebSession,
    /// What is in it.
    pub fields: T,
}

#[derive(Deserialize)]
struct WithToken<T> {
    #[serde(default)]
    csrf_token: String,
    #[serde(flatten)]
    fields: T,
}

impl<S, T> FromRequest<S> for OwnForm<T>
where
    S: Send + Sync,
    Store: FromRef<S>,
    T: DeserializeOwned,
{
    type Rejection = WebError;

    async fn from_request(request: Request, state: &S) -> Result<Self, WebError> {
        let (mut parts, body) = request.into_parts();
        let Visitor(session) = <Visitor as FromRequestParts<S>>::from_request_parts(&mut parts, state).await?;
        let request = Request::from_parts(parts, body);
        let Form(form) = Form::<WithToken<T>>::from_request(request, state).await.map_err(WebError::Form)?;
        // The token of this very session: one that is merely well-formed may be the attacker's own.
        if !bool::from(form.csrf_token.as_bytes().ct_eq(session.csrf_token.as_bytes())) {
            return Err(WebError::Forged);
        }
        Ok(Self { session, fields: form.fields })
    }
}

/// Refuses what a page of another origin sent. Browsers name the origin with every POST; programs need not.
pub async fn refuse_foreign_origins(request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if reads || is_own(request.headers()) {
        return next.run(request).await;
    }
    WebError::Forged.into_response()
}

/// An origin is scheme, host and port, all three; the browser sends the same host and port in `Host`.
fn is_own(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return true };
    let host = headers.get(HOST).map(|host| host.as_bytes());
    ["http://", "https://"].into_iter().any(|scheme| {
        let rest = origin.as_bytes().strip_prefix(scheme.as_bytes());
        rest.is_some() && rest == host
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(origin: &'static str) -> bool {
        let pairs = [(HOST, "office.example:8080"), (ORIGIN, origin)];
        is_own(&pairs.into_iter().map(|(name, value)| (name, value.parse().expect("a header's value"))).collect())
    }

    #[test]
    fn an_origin_is_ours_as_a_whole_or_not_at_all() {
        assert!(own("http://office.example:8080") && own("https://office.example:8080"));
        for origin in [
            "null",
            "http://office.example",
            "http://office.example:80801",
            "http://office.example:8080.evil.test",
            "http://evil-office.example:8080",
            "ftp://office.example:8080",
        ] {
            assert!(!own(origin), "{origin}");
        }
    }

    #[test]
    fn a_program_names_no_origin() {
        assert!(is_own(&HeaderMap::new()));
    }
}
