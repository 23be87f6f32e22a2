//! The `Idempotency-Key` header (draft-ietf-httpapi-idempotency-key-header).

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde_json::{Value, json};

use super::problem::Problem;

/// The most bytes of a key that are kept.
const LONGEST: usize = 255;

/// The key of a request that may be sent again, if it has one.
#[derive(Debug)]
pub struct IdempotencyKey(pub Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get("idempotency-key") else { return Ok(Self(None)) };
        match value.to_str() {
            Ok(key) if (1..=LONGEST).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()) => {
                Ok(Self(Some(key.to_owned())))
            }
            _ => Err(Problem::BadParameter(format!("Idempotency-Key must have 1 to {LONGEST} visible characters"))),
        }
    }
}

/// What the document says of it: beside what refuses the rest, so that the two agree.
pub fn schema() -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": LONGEST, "pattern": "^[!-~]+$" })
}
