//! Who is asking: HTTP Basic (RFC 7617), which is what git speaks.

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use secrecy::{ExposeSecret as _, SecretString};

use super::Services;
use super::error::ApiError;

/// Lets those pass whom we know, and tells the handlers who they are.
pub async fn authenticate(State(services): State<Services>, mut request: Request, next: Next) -> Response {
    let found = credentials(request.headers())
        .and_then(|(name, password)| services.users.find(&name, password.expose_secret()).cloned());
    match found {
        Some(user) => {
            request.extensions_mut().insert(user);
            next.run(request).await
        }
        None => ApiError::Unauthenticated.into_response(),
    }
}

/// The name and the password. The scheme may be written in any case (RFC 9110 §11.1).
fn credentials(headers: &HeaderMap) -> Option<(String, SecretString)> {
    let (scheme, rest) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(BASE64_STANDARD.decode(rest.trim_start_matches(' ')).ok()?).ok()?;
    let (name, password) = text.split_once(':')?;
    Some((name.to_owned(), password.into()))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn sent(value: &'static str) -> Option<(String, String)> {
        let headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static(value))]);
        credentials(&headers).map(|(name, password)| (name, password.expose_secret().to_owned()))
    }

    #[test]
    fn a_password_may_have_colons_and_a_name_may_not() {
        assert_eq!(sent("Basic YWRhOmE6Yg=="), Some(("ada".into(), "a:b".into())));
        assert_eq!(sent("bAsIc YWRhOg=="), Some(("ada".into(), String::new())));
    }

    #[test]
    fn what_is_no_basic_is_nobody() {
        for value in ["", "Basic", "Basic YWRh", "Basic ?", "Basic gA==", "Bearer YWRhOmE6Yg=="] {
            assert_eq!(sent(value), None, "{value}");
        }
        assert!(credentials(&HeaderMap::new()).is_none());
    }
}
