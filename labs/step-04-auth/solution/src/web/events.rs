//! Events, and what people think of them.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{Redirect, Response};
use serde::Deserialize;

use super::csrf::OwnForm;
use super::error::WebError;
use super::pages::{EventPage, EventsPage, PageData, page};
use super::session::Visitor;
use crate::http::ApiError;
use crate::model::{Listing, Review};
use crate::store::Store;

/// What the form for a review holds.
#[derive(Deserialize)]
pub struct ReviewForm {
    text: String,
}

/// `GET /web/events`
pub async fn list(State(store): State<Store>, Query(listing): Query<Listing>) -> Result<Response, WebError> {
    listing.validate().map_err(ApiError::Invalid)?;
    let events = store.events(&listing).await?;
    Ok(page(StatusCode::OK, &EventsPage { q: &listing.q, events: &events }))
}

/// `GET /web/events/{id}`
pub async fn show(
    State(store): State<Store>,
    visitor: Option<Visitor>,
    Path(id): Path<i64>,
) -> Result<Response, WebError> {
    let event = store.event(id).await?;
    let reviews = store.reviews(id).await?;
    let template = EventPage {
        event: &event,
        reviews: &reviews,
        data: PageData { title: &event.title, reviews: &reviews },
        csrf_token: visitor.as_ref().map(|Visitor(session)| session.csrf_token.as_str()),
    };
    Ok(page(StatusCode::OK, &template))
}

/// `POST /web/events/{id}/reviews`
pub async fn review(
    State(store): State<Store>,
    Path(id): Path<i64>,
    form: OwnForm<ReviewForm>,
) -> Result<Redirect, WebError> {
    Review::validate(&form.fields.text).map_err(ApiError::Invalid)?;
    let event = store.event(id).await?;
    store.create_review(event.id, form.session.account.id, &form.fields.text).await?;
    Ok(Redirect::to(&format!("/web/events/{id}")))
}
