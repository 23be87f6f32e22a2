//! `/openapi.json`: what this API is, for programs.

use axum::Json;
use serde_json::{Value, json};

/// `GET /openapi.json`
pub async fn document() -> Json<Value> {
    // TODO(step-03.8): paths, operations, everything they accept, and every response they return.
    Json(json!({ "openapi": "3.1.0", "info": { "title": "Box office", "version": "0.1.0" }, "paths": {} }))
}
