//! Entity tags, and requests that depend on them (RFC 9110 §8.8.3 and §13).

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};

use super::problem::Problem;
use crate::model::Precondition;

/// The entity tag of a row: its version.
pub fn entity_tag(version: i64) -> String {
    format!("\"{version}\"")
}

/// A representation with its entity tag.
pub fn tagged(version: i64, rest: impl IntoResponse) -> Response {
    (AppendHeaders([(header::ETAG, entity_tag(version))]), rest).into_response()
}

/// What the client has of a resource already: `If-None-Match`.
#[derive(Debug)]
pub struct IfNoneMatch(Vec<HeaderValue>);

impl IfNoneMatch {
    /// The representation, or 304 if the client has it. Tags are compared weakly: what a cache between us has made of
    /// a tag does not matter.
    pub fn answer(&self, version: i64, body: impl IntoResponse) -> Response {
        let current = entity_tag(version);
        let has_it = tags(&self.0).any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == current);
        if has_it { tagged(version, StatusCode::NOT_MODIFIED) } else { tagged(version, body) }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfNoneMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(Self(values(&parts.headers, &header::IF_NONE_MATCH)))
    }
}

/// The state that the client wants to change: `If-Match`. Without it nothing is changed (RFC 6585 §3).
#[derive(Debug)]
pub struct IfMatch(pub Precondition);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let values = values(&parts.headers, &header::IF_MATCH);
        if values.is_empty() {
            return Err(Problem::PreconditionRequired);
        }
        if tags(&values).any(|tag| tag == "*") {
            return Ok(Self(Precondition::AnyVersion));
        }
        // A tag that we never gave out, or a weak one, matches no version.
        Ok(Self(Precondition::OneOf(tags(&values).filter_map(version).collect())))
    }
}

fn values(headers: &HeaderMap, name: &HeaderName) -> Vec<HeaderValue> {
    headers.get_all(name).iter().cloned().collect()
}

/// The members of a list. None of our tags holds a comma, so a foreign one that does may fall apart.
fn tags(values: &[HeaderValue]) -> impl Iterator<Item = &str> {
    values.iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).map(str::trim)
}

/// The version that a tag of ours stands for. `"01"` and `"+1"` are the same number, and other tags.
fn version(tag: &str) -> Option<i64> {
    let version = tag.strip_prefix('"')?.strip_suffix('"')?.parse().ok()?;
    (entity_tag(version) == tag).then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(value: &'static str) -> Vec<i64> {
        let values = [HeaderValue::from_static(value)];
        tags(&values).filter_map(version).collect()
    }

    #[test]
    fn a_list_of_tags_gives_the_versions_that_are_ours() {
        assert_eq!(versions("\"1\", \"22\" ,\"x\""), [1, 22]);
    }

    #[test]
    fn a_weak_tag_and_one_without_quotes_are_no_version() {
        assert!(versions("W/\"1\", 1, \"1, 1\"").is_empty());
    }

    #[test]
    fn for_reading_a_weak_tag_is_as_good_as_a_strong_one() {
        for (tag, status) in [("\"3\"", 304), ("W/\"3\"", 304), ("*", 304), ("\"4\"", 200), ("3", 200)] {
            let known = IfNoneMatch(vec![HeaderValue::from_static(tag)]);
            let answer = known.answer(3, "body");
            assert_eq!(answer.status().as_u16(), status, "{tag}");
            assert_eq!(answer.headers()[header::ETAG], "\"3\"", "{tag}");
        }
    }
}
