//! Every refusal is a problem document (RFC 9457).

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use crate::store::StoreError;

/// Why a request is not answered as asked.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The address names nothing.
    #[error("there is nothing here")]
    NotFound,
    /// What the address names does not do this.
    #[error("this method cannot be used here")]
    MethodNotAllowed,
    /// The client takes nothing that we can give.
    #[error("only application/json can be given")]
    NotAcceptable,
    /// The body is of a kind that is not read here; the text names the kinds that are.
    #[error("the body must be {0}")]
    UnsupportedMediaType(&'static str),
    /// The body is longer than we read.
    #[error("the body is too large")]
    TooLarge,
    /// The body is not JSON, or did not arrive.
    #[error("the body cannot be read: {0}")]
    Unreadable(String),
    /// A parameter of the address or a header makes no sense.
    #[error("{0}")]
    BadParameter(String),
    /// The body is JSON, but not what is wanted.
    #[error("some fields cannot be taken")]
    Invalid(Vec<FieldProblem>),
    /// A change without `If-Match`.
    #[error("say with If-Match which version you want to change")]
    PreconditionRequired,
    /// The store refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is wrong with one field of a body.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct FieldProblem {
    /// Where in the body the field is, as a JSON pointer (RFC 6901).
    pub pointer: String,
    /// What it should be.
    pub detail: String,
}

/// The document that a client reads.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub struct Document {
    /// What kind of problem it is.
    pub r#type: &'static str,
    /// The status in words.
    pub title: &'static str,
    /// The status code.
    #[schemars(range(min = 400, max = 599))]
    pub status: u16,
    /// What is wrong with this request.
    pub detail: String,
    /// Every field that is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
}

impl Problem {
    fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::UnsupportedMediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unreadable(_) | Self::BadParameter(_) => StatusCode::BAD_REQUEST,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::PreconditionRequired => StatusCode::PRECONDITION_REQUIRED,
            Self::Store(error) => match error {
                StoreError::NotFound => StatusCode::NOT_FOUND,
                StoreError::Stale => StatusCode::PRECONDITION_FAILED,
                StoreError::UnknownEvent | StoreError::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
                StoreError::SoldOut | StoreError::HasOrders | StoreError::SeatsAreSold => StatusCode::CONFLICT,
                StoreError::UnknownCursor => StatusCode::BAD_REQUEST,
                StoreError::Database(_) => StatusCode::INTERNAL_SERVER_ERROR,
            },
        }
    }

    fn errors(self) -> Vec<FieldProblem> {
        match self {
            Self::Invalid(errors) => errors,
            Self::Store(error @ StoreError::UnknownEvent) => {
                vec![FieldProblem { pointer: "/event_id".into(), detail: error.to_string() }]
            }
            _ => Vec::new(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        if let Self::Store(StoreError::Database(error)) = &self {
            // What Postgres said goes into our log and never to a client.
            tracing::error!(%error, "a request failed");
        }
        let status = self.status();
        let document = Document {
            r#type: "about:blank",
            title: status.canonical_reason().unwrap_or("Problem"),
            status: status.as_u16(),
            detail: self.to_string(),
            errors: self.errors(),
        };
        let mut response = (status, Json(document)).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response
    }
}
