//! `/events`

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ApiError;
use super::ids::Ids;
use super::priced::Priced;
use super::uninterrupted::to_the_end;
use super::visitor::Visitor;
use crate::catalog::Catalog;
use crate::model::{Event, Listing, NewEvent};

/// Several events.
#[derive(Debug, Serialize)]
pub struct Items {
    items: Vec<Event>,
}

/// The query string of `GET /events`, as far as it tells the two apart: a list, or events by their ids.
#[derive(Debug, Deserialize)]
pub struct Wanted {
    ids: Option<Ids>,
}

/// `GET /events`
pub async fn list(
    State(catalog): State<Catalog>,
    visitor: Visitor,
    Query(wanted): Query<Wanted>,
    Query(listing): Query<Listing>,
) -> Result<Priced<Items>, ApiError> {
    let events = match wanted.ids {
        Some(ids) => {
            let ids = ids.within_bounds()?.to_vec();
            to_the_end(async move { catalog.events(&ids).await }).await?
        }
        None => {
            listing.validate().map_err(ApiError::Invalid)?;
            to_the_end(async move { catalog.list(&listing).await }).await?
        }
    };
    let items = events.into_iter().map(|event| event.priced_for(visitor.customer())).collect();
    Ok(Priced::new(&visitor, Items { items }))
}

/// `GET /events/{id}`
pub async fn read(
    State(catalog): State<Catalog>,
    visitor: Visitor,
    Path(id): Path<Uuid>,
) -> Result<Priced<Event>, ApiError> {
    let event = to_the_end(async move { catalog.event(id).await }).await?.ok_or(ApiError::UnknownEvent)?;
    let event = event.priced_for(visitor.customer());
    Ok(Priced::new(&visitor, event))
}

/// `PUT /events/{id}`
pub async fn put(
    State(catalog): State<Catalog>,
    Path(id): Path<Uuid>,
    Json(new): Json<NewEvent>,
) -> Result<(StatusCode, Json<Event>), ApiError> {
    new.validate().map_err(ApiError::Invalid)?;
    let written = to_the_end(async move { catalog.put(id, &new).await }).await?;
    let status = if written.created { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(written.event)))
}

/// `DELETE /events/{id}`
pub async fn delete(State(catalog): State<Catalog>, Path(id): Path<Uuid>) -> Result<StatusCode, ApiError> {
    let existed = to_the_end(async move { catalog.delete(id).await }).await?;
    if existed { Ok(StatusCode::NO_CONTENT) } else { Err(ApiError::UnknownEvent) }
}
