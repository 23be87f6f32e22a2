//! Lists: which page is asked for, and how one is given.

use axum::Json;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::model::{Listing, Slice};

/// The query string of a list.
#[derive(Debug, Deserialize)]
pub struct Wanted {
    limit: Option<i64>,
    after: Option<String>,
    /// The event whose orders are wanted.
    pub event_id: Option<i64>,
}

impl Wanted {
    /// What the store is asked for.
    pub fn listing(&self) -> Listing {
        // TODO(step-03.4): what if a client asks for -1 items, or for a billion?
        Listing { limit: self.limit.unwrap_or(1_000_000), after: self.after.clone() }
    }
}

/// The answer.
pub fn page<T: Serialize>(slice: Slice<T>) -> Response {
    // TODO(step-03.4): `slice.end` is where the next page begins. How does the client get there?
    Json(json!({ "items": slice.items })).into_response()
}
