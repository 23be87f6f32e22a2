//! How events and orders, and changes of them, are read from a body. What is not read here, a client cannot set.

use super::body::FromFields;
use super::fields::Fields;
use super::rules;
use crate::model::{EventPatch, NewEvent, NewOrder, OrderPatch};

const JSON: &[&str] = &["application/json"];
const JSON_TEXT: &str = "application/json";
const PATCH: &[&str] = &["application/merge-patch+json", "application/json"];
const PATCH_TEXT: &str = "application/merge-patch+json";

impl FromFields for NewEvent {
    const MEDIA_TYPES: &[&str] = JSON;
    const MEDIA_TYPES_TEXT: &str = JSON_TEXT;

    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let title = fields.required("title", rules::title);
        let description = fields.optional("description", rules::description);
        let starts_at = fields.required("starts_at", rules::time);
        let seats = fields.required("seats", rules::event_seats);
        let price_cents = fields.required("price_cents", rules::price_cents);
        Some(Self {
            title: title?,
            description: description?,
            starts_at: starts_at?,
            seats: seats?,
            price_cents: price_cents?,
        })
    }
}

impl FromFields for EventPatch {
    const MEDIA_TYPES: &[&str] = PATCH;
    const MEDIA_TYPES_TEXT: &str = PATCH_TEXT;

    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let title = fields.change("title", rules::title);
        let description = fields.nullable_change("description", rules::description);
        let starts_at = fields.change("starts_at", rules::time);
        let seats = fields.change("seats", rules::event_seats);
        let price_cents = fields.change("price_cents", rules::price_cents);
        Some(Self {
            title: title?,
            description: description?,
            starts_at: starts_at?,
            seats: seats?,
            price_cents: price_cents?,
        })
    }
}

impl FromFields for NewOrder {
    const MEDIA_TYPES: &[&str] = JSON;
    const MEDIA_TYPES_TEXT: &str = JSON_TEXT;

    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let event_id = fields.required("event_id", rules::id);
        let email = fields.required("email", rules::email);
        let seats = fields.required("seats", rules::order_seats);
        let note = fields.optional("note", rules::note);
        Some(Self { event_id: event_id?, email: email?, seats: seats?, note: note? })
    }
}

impl FromFields for OrderPatch {
    const MEDIA_TYPES: &[&str] = PATCH;
    const MEDIA_TYPES_TEXT: &str = PATCH_TEXT;

    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let email = fields.change("email", rules::email);
        let note = fields.nullable_change("note", rules::note);
        Some(Self { email: email?, note: note? })
    }
}
