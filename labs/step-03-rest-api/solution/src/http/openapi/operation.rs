//! One operation of the document: what it takes and every answer it gives.

use axum::http::StatusCode;
use schemars::JsonSchema;
use serde_json::{Map, Value, json};

use super::schemas::Schemas;
use crate::http::problem::Document;

/// An operation that is being described.
#[derive(Debug)]
pub struct Operation {
    summary: &'static str,
    id: &'static str,
    parameters: Vec<Value>,
    body: Option<Value>,
    responses: Map<String, Value>,
}

impl Operation {
    /// An operation with nothing to take and no answers but the ones that any of them may give.
    pub fn new(schemas: &mut Schemas, id: &'static str, summary: &'static str) -> Self {
        let bare = Self { summary, id, parameters: Vec::new(), body: None, responses: Map::new() };
        bare.refuses(schemas, &[406, 500])
    }

    /// The id in the path.
    pub fn id(self) -> Self {
        self.parameter("path", "id", true, "Its id.", json!({ "type": "integer", "minimum": 1 }))
    }

    /// A parameter of the query string.
    pub fn query(self, name: &str, description: &str, schema: Value) -> Self {
        self.parameter("query", name, false, description, schema)
    }

    /// A header.
    pub fn header(self, name: &str, required: bool, description: &str, schema: Value) -> Self {
        self.parameter("header", name, required, description, schema)
    }

    /// A body, of any of some media types.
    pub fn body<T: JsonSchema>(mut self, schemas: &mut Schemas, media_types: &[&str]) -> Self {
        let schema = schemas.request::<T>();
        self.body = Some(json!({ "required": true, "content": content(media_types, &schema) }));
        self.refuses(schemas, &[400, 413, 415, 422])
    }

    /// An answer with a body.
    pub fn answers<T: JsonSchema>(self, schemas: &mut Schemas, status: u16, text: &str, headers: &[&str]) -> Self {
        let schema = schemas.answer::<T>();
        self.response(status, text, headers, Some(content(&["application/json"], &schema)))
    }

    /// An answer without one.
    pub fn answers_empty(self, status: u16, text: &str, headers: &[&str]) -> Self {
        self.response(status, text, headers, None)
    }

    /// Refusals: all of them are problem documents.
    pub fn refuses(mut self, schemas: &mut Schemas, statuses: &[u16]) -> Self {
        let schema = schemas.answer::<Document>();
        for &status in statuses {
            let text =
                StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Refused");
            self = self.response(status, text, &[], Some(content(&["application/problem+json"], &schema)));
        }
        self
    }

    /// As the document has it.
    pub fn into_value(self) -> Value {
        let mut value = json!({
            "operationId": self.id,
            "summary": self.summary,
            "parameters": self.parameters,
            "responses": self.responses,
        });
        if let Some(body) = self.body {
            value["requestBody"] = body;
        }
        value
    }

    fn parameter(mut self, place: &str, name: &str, required: bool, description: &str, schema: Value) -> Self {
        self.parameters.push(
            json!({ "in": place, "name": name, "required": required, "description": description, "schema": schema }),
        );
        self
    }

    fn response(mut self, status: u16, text: &str, headers: &[&str], content: Option<Value>) -> Self {
        let mut response = json!({ "description": text });
        if !headers.is_empty() {
            response["headers"] = headers.iter().map(|name| ((*name).to_owned(), header_object(name))).collect();
        }
        if let Some(content) = content {
            response["content"] = content;
        }
        self.responses.insert(status.to_string(), response);
        self
    }
}

fn header_object(name: &str) -> Value {
    // The last page of a list has no link.
    json!({ "required": name != "Link", "schema": { "type": "string" } })
}

fn content(media_types: &[&str], schema: &Value) -> Value {
    media_types.iter().map(|name| ((*name).to_owned(), json!({ "schema": schema }))).collect()
}
