//! Events, and what people think of them.

use axum::extract::{Form, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{Redirect, Response};
use serde::Deserialize;

use super::error::WebError;
use super::pages::{EventPage, EventsPage, PageData, page};
use crate::http::ApiError;
use crate::model::{Listing, Review};
use crate::store::Store;

/// What the form for a review holds.
#[derive(Deserialize)]
pub struct ReviewForm {
    /// What somebody thinks.
    pub text: String,
}

/// `GET /web/events`
pub async fn list(State(store): State<Store>, Query(listing): Query<Listing>) -> Result<Response, WebError> {
    let events = store.events(&listing).await?;
    Ok(page(StatusCode::OK, &EventsPage { q: &listing.q, events: &events }))
}

/// `GET /web/events/{id}`
// TODO(step-04.6): for a logged-in visitor, the page shows a form with their token.
pub async fn show(State(store): State<Store>, Path(id): Path<i64>) -> Result<Response, WebError> {
    let event = store.event(id).await?;
    let reviews = store.reviews(id).await?;
    let data = serde_json::to_string(&PageData { title: &event.title, reviews: &reviews }).unwrap_or_default();
    Ok(page(StatusCode::OK, &EventPage { event: &event, reviews: &reviews, data: &data, csrf_token: None }))
}

/// `POST /web/events/{id}/reviews`
// TODO(step-04.6): who is writing this? Only logged-in visitors may, and only with a form from our own page.
pub async fn review(
    State(store): State<Store>,
    Path(id): Path<i64>,
    Form(form): Form<ReviewForm>,
) -> Result<Redirect, WebError> {
    Review::validate(&form.text).map_err(ApiError::Invalid)?;
    let event = store.event(id).await?;
    tracing::debug!(event.id, "somebody wrote a review: store.create_review keeps it");
    Err(ApiError::NotWritten(6).into())
}
