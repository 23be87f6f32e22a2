//! Lists: which page is asked for, and how one is given.

use axum::Json;
use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use axum::http::{Uri, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::problem::Problem;
use crate::model::{Listing, Slice};

const DEFAULT_LIMIT: i64 = 20;
const MOST: i64 = 100;

/// The query string of a list.
#[derive(Debug, Deserialize)]
pub struct Wanted {
    limit: Option<i64>,
    after: Option<String>,
    event_id: Option<i64>,
}

/// A page of a list.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PageOf{T}")]
pub struct Page<T> {
    /// Its items, in order.
    pub items: Vec<T>,
    /// The page that follows; null on the last.
    pub next: Option<String>,
}

impl Wanted {
    /// What the store is asked for. More than [`MOST`] is not an error, only more than anybody gets.
    pub fn listing(&self) -> Listing {
        Listing { limit: self.limit.unwrap_or(DEFAULT_LIMIT).min(MOST), after: self.after.clone() }
    }

    /// The event whose orders are wanted.
    pub fn event_id(&self) -> Option<i64> {
        self.event_id
    }

    /// The answer: the slice, with a link to the next in the body and in the header (RFC 8288).
    pub fn answer<T: Serialize>(&self, slice: Slice<T>, uri: &Uri) -> Response {
        let next = slice.end.map(|end| self.link(uri, &end));
        let link = next.as_deref().map(|next| (header::LINK, format!("<{next}>; rel=\"next\"")));
        (AppendHeaders(link), Json(Page { items: slice.items, next })).into_response()
    }

    /// The same question, from another place on. A cursor of ours needs no escaping.
    fn link(&self, uri: &Uri, after: &str) -> String {
        let filter = self.event_id.map(|id| format!("&event_id={id}")).unwrap_or_default();
        format!("{}?limit={}&after={after}{filter}", uri.path(), self.listing().limit)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Wanted {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Query(wanted) = Query::<Self>::from_request_parts(parts, state)
            .await
            .map_err(|rejection| Problem::BadParameter(rejection.body_text()))?;
        if wanted.limit.is_some_and(|limit| limit < 1) {
            return Err(Problem::BadParameter("limit must be 1 or more".into()));
        }
        Ok(wanted)
    }
}
