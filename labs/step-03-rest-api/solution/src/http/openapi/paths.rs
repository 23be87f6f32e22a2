//! Every path of the API and what can be done with it.

use serde_json::{Value, json};

use super::operation::Operation;
use super::schemas::Schemas;
use crate::http::idempotency_key;
use crate::http::listing::Page;
use crate::model::{Event, EventPatch, NewEvent, NewOrder, Order, OrderPatch};
use crate::store::{EventCursor, ORDER_CURSOR};

const JSON: &[&str] = &["application/json"];
const PATCH: &[&str] = &["application/merge-patch+json", "application/json"];
const IF_MATCH: &str = "The entity tag of the version to change.";
const IF_NONE_MATCH: &str = "The entity tag of the version that the client has.";

/// All paths.
pub fn build(schemas: &mut Schemas) -> Value {
    json!({
        "/events": { "get": list_events(schemas), "post": create_event(schemas) },
        "/events/{id}": { "get": read_event(schemas), "patch": update_event(schemas), "delete": delete_event(schemas) },
        "/orders": { "get": list_orders(schemas), "post": create_order(schemas) },
        "/orders/{id}": { "get": read_order(schemas), "patch": update_order(schemas), "delete": delete_order(schemas) },
    })
}

fn list_events(schemas: &mut Schemas) -> Value {
    list(Operation::new(schemas, "listEvents", "Events, the soonest first"), EventCursor::PATTERN)
        .answers::<Page<Event>>(schemas, 200, "A page of events", &["Link"])
        .refuses(schemas, &[400])
        .into_value()
}

fn create_event(schemas: &mut Schemas) -> Value {
    Operation::new(schemas, "createEvent", "Make an event")
        .body::<NewEvent>(schemas, JSON)
        .answers::<Event>(schemas, 201, "The new event", &["ETag", "Location"])
        .into_value()
}

fn read_event(schemas: &mut Schemas) -> Value {
    read(Operation::new(schemas, "readEvent", "One event"))
        .answers::<Event>(schemas, 200, "The event", &["ETag"])
        .refuses(schemas, &[404])
        .into_value()
}

fn update_event(schemas: &mut Schemas) -> Value {
    Operation::new(schemas, "updateEvent", "Change an event")
        .id()
        .header("If-Match", true, IF_MATCH, text())
        .body::<EventPatch>(schemas, PATCH)
        .answers::<Event>(schemas, 200, "The event as it is now", &["ETag"])
        .refuses(schemas, &[404, 409, 412, 428])
        .into_value()
}

fn delete_event(schemas: &mut Schemas) -> Value {
    Operation::new(schemas, "deleteEvent", "Delete an event that has no orders")
        .id()
        .header("If-Match", true, IF_MATCH, text())
        .answers_empty(204, "It is gone", &[])
        .refuses(schemas, &[404, 409, 412, 428])
        .into_value()
}

fn list_orders(schemas: &mut Schemas) -> Value {
    list(Operation::new(schemas, "listOrders", "Orders, the oldest first"), ORDER_CURSOR)
        .query(
            "event_id",
            "Only the orders of this event.",
            json!({ "type": "integer", "minimum": i64::MIN, "maximum": i64::MAX }),
        )
        .answers::<Page<Order>>(schemas, 200, "A page of orders", &["Link"])
        .refuses(schemas, &[400])
        .into_value()
}

fn create_order(schemas: &mut Schemas) -> Value {
    Operation::new(schemas, "createOrder", "Take seats of an event")
        .header("Idempotency-Key", false, "Makes it safe to send the request again.", idempotency_key::schema())
        .body::<NewOrder>(schemas, JSON)
        .answers::<Order>(schemas, 201, "The new order", &["ETag", "Location"])
        .refuses(schemas, &[409])
        .into_value()
}

fn read_order(schemas: &mut Schemas) -> Value {
    read(Operation::new(schemas, "readOrder", "One order"))
        .answers::<Order>(schemas, 200, "The order", &["ETag"])
        .refuses(schemas, &[404])
        .into_value()
}

fn update_order(schemas: &mut Schemas) -> Value {
    Operation::new(schemas, "updateOrder", "Change an order")
        .id()
        .header("If-Match", true, IF_MATCH, text())
        .body::<OrderPatch>(schemas, PATCH)
        .answers::<Order>(schemas, 200, "The order as it is now", &["ETag"])
        .refuses(schemas, &[404, 412, 428])
        .into_value()
}

fn delete_order(schemas: &mut Schemas) -> Value {
    Operation::new(schemas, "deleteOrder", "Delete an order and give its seats back")
        .id()
        .header("If-Match", true, IF_MATCH, text())
        .answers_empty(204, "It is gone", &[])
        .refuses(schemas, &[404, 412, 428])
        .into_value()
}

/// What both lists take. Whatever is of these schemas is taken, so that a program that tries them out learns of mistakes.
fn list(operation: Operation, cursor: &str) -> Operation {
    let limit = json!({ "type": "integer", "minimum": 1, "maximum": i64::MAX, "default": 20 });
    operation.query("limit", "The most items of a page.", limit).query(
        "after",
        "Where the page before ended, as its `next` says.",
        json!({ "type": "string", "pattern": cursor }),
    )
}

/// What both resources take and answer when they are read.
fn read(operation: Operation) -> Operation {
    operation.id().header("If-None-Match", false, IF_NONE_MATCH, text()).answers_empty(
        304,
        "The client has it already",
        &["ETag"],
    )
}

/// Of a header whose value is a matter of its own syntax.
fn text() -> Value {
    json!({ "type": "string" })
}
