//! A request's body: of a kind we read, not too long, JSON, and with every field as it should be.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use serde_json::Value;

use super::fields::Fields;
use super::problem::{FieldProblem, Problem};

/// What can be read from the members of a JSON object.
pub trait FromFields: Sized {
    /// The media types of a body that holds it.
    const MEDIA_TYPES: &[&str];
    /// The same for people.
    const MEDIA_TYPES_TEXT: &str;

    /// Takes what it needs, field by field. Nothing is given if one of them is wrong; `fields` knows which.
    fn from_fields(fields: &mut Fields) -> Option<Self>;
}

/// The body of a request.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: FromFields> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let kind = media_type(request.headers());
        if !kind.is_some_and(|kind| T::MEDIA_TYPES.iter().any(|known| known.eq_ignore_ascii_case(kind))) {
            return Err(Problem::UnsupportedMediaType(T::MEDIA_TYPES_TEXT));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Problem::TooLarge,
            _ => Problem::Unreadable(rejection.body_text()),
        })?;
        parse(&bytes).map(Self)
    }
}

/// The media type without its parameters: JSON has none that mean anything (RFC 8259 §11), so whatever `charset` says
/// is no reason to refuse.
fn media_type(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    value.split(';').next().map(str::trim)
}

fn parse<T: FromFields>(bytes: &[u8]) -> Result<T, Problem> {
    let value = serde_json::from_slice(bytes).map_err(|error| Problem::Unreadable(error.to_string()))?;
    let Value::Object(members) = value else {
        let whole = FieldProblem { pointer: String::new(), detail: "must be an object".into() };
        return Err(Problem::Invalid(vec![whole]));
    };
    let mut fields = Fields::new(members);
    let read = T::from_fields(&mut fields);
    let problems = fields.into_problems();
    read.filter(|_| problems.is_empty()).ok_or(Problem::Invalid(problems))
}
