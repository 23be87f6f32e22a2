//! The session cookie, and who is behind it.

use axum::extract::{FromRef, FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};

use super::error::WebError;
use crate::store::{Store, WebSession, WebSessionId};

/// The prefix makes the browser insist on Secure, on the whole site as path, and on this very host.
const COOKIE: &str = "__Host-session";

/// Somebody who is logged in. A handler that asks for one is never run without.
#[derive(Debug)]
pub struct Visitor(pub WebSession);

/// The cookie that says who somebody is.
pub fn cookie(id: &WebSessionId) -> Cookie<'static> {
    Cookie::build((COOKIE, id.as_str().to_owned()))
        .http_only(true)
        .secure(true)
        .same_site(SameSite::Lax)
        .path("/")
        .build()
}

/// The cookie that makes the browser forget it.
pub fn removal() -> Cookie<'static> {
    let mut cookie = cookie(&WebSessionId::from_cookie(""));
    cookie.make_removal();
    cookie
}

/// The id that the browser shows, whatever it may be worth.
pub fn shown(jar: &CookieJar) -> Option<WebSessionId> {
    jar.get(COOKIE).map(|cookie| WebSessionId::from_cookie(cookie.value()))
}

impl<S> OptionalFromRequestParts<S> for Visitor
where
    S: Send + Sync,
    Store: FromRef<S>,
{
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, WebError> {
        let Some(id) = shown(&CookieJar::from_headers(&parts.headers)) else { return Ok(None) };
        Ok(Store::from_ref(state).web_session(&id).await?.map(Self))
    }
}

impl<S> FromRequestParts<S> for Visitor
where
    S: Send + Sync,
    Store: FromRef<S>,
{
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, WebError> {
        let visitor = <Self as OptionalFromRequestParts<S>>::from_request_parts(parts, state).await?;
        visitor.ok_or(WebError::LogInFirst)
    }
}
