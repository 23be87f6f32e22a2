//! Who asks: nobody in particular, or a customer with a session.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};

use super::ApiError;
use crate::model::Customer;
use crate::sessions::Sessions;

/// The cookie's name.
const COOKIE: &str = "session";

/// Whoever sent a request.
#[derive(Debug)]
pub struct Visitor {
    customer: Option<Customer>,
    token: Option<String>,
}

impl Visitor {
    /// The customer, if their session counts.
    pub fn customer(&self) -> Option<&Customer> {
        self.customer.as_ref()
    }

    /// Whether the answer is for them alone.
    pub fn is_known(&self) -> bool {
        self.customer.is_some()
    }

    /// The token of their session, whether it counts or not.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }
}

/// The cookie that brings the session back. Scripts cannot read it, and other sites' forms do not send it.
pub fn session_cookie(token: String) -> Cookie<'static> {
    Cookie::build((COOKIE, token)).path("/").http_only(true).same_site(SameSite::Lax).build()
}

/// The cookie that makes a browser forget it.
pub fn no_session_cookie() -> Cookie<'static> {
    let mut cookie = session_cookie(String::new());
    cookie.make_removal();
    cookie
}

impl<S> FromRequestParts<S> for Visitor
where
    S: Send + Sync,
    Sessions: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let jar = CookieJar::from_headers(&parts.headers);
        let Some(token) = jar.get(COOKIE).map(|cookie| cookie.value().to_owned()) else {
            return Ok(Self { customer: None, token: None });
        };
        let customer = Sessions::from_ref(state).customer(&token).await?;
        Ok(Self { customer, token: Some(token) })
    }
}
