//! What every kind of refusal becomes.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::store::StoreError;

/// Why a request is not answered as asked.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// It is not written yet.
    #[error("this is not written yet")]
    NotImplemented,
    /// The store refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    // TODO(step-03.2): what else can be wrong with a request? Each kind of mistake is a variant with a status.
}

impl Problem {
    fn status(&self) -> StatusCode {
        match self {
            Self::NotImplemented => StatusCode::NOT_IMPLEMENTED,
            Self::Store(error) => match error {
                StoreError::NotFound => StatusCode::NOT_FOUND,
                StoreError::UnknownEvent => StatusCode::UNPROCESSABLE_ENTITY,
                StoreError::SoldOut | StoreError::HasOrders => StatusCode::CONFLICT,
                StoreError::UnknownCursor => StatusCode::BAD_REQUEST,
                StoreError::Database(_) => StatusCode::INTERNAL_SERVER_ERROR,
            },
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        if let Self::Store(StoreError::Database(error)) = &self {
            // What Postgres said goes into our log and never to a client.
            tracing::error!(%error, "a request failed");
        }
        // TODO(step-03.2): a program cannot read prose. Send a problem document.
        (self.status(), self.to_string()).into_response()
    }
}
