//! `/openapi.json`: what this API is, for programs (OpenAPI 3.1). The schemas are made of the types that are sent and
//! read, so that the two cannot drift apart.

mod operation;
mod paths;
mod schemas;

use std::sync::LazyLock;

use axum::Json;
use serde_json::{Value, json};

use schemas::Schemas;

static DOCUMENT: LazyLock<Value> = LazyLock::new(build);

/// `GET /openapi.json`
pub async fn document() -> Json<&'static Value> {
    Json(&DOCUMENT)
}

fn build() -> Value {
    let mut schemas = Schemas::new();
    let paths = paths::build(&mut schemas);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Box office",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Sells seats for events.",
        },
        "paths": paths,
        "components": { "schemas": schemas.into_components() },
    })
}
