//! Task 8: the OpenAPI document, and whether it is true.

mod document;
mod inputs;
mod schema;
mod schemas;
mod tour;

use lab_kit::prelude::*;

use document::{Document, OPERATIONS};
use tour::Tour;

/// A document for programs must be one that programs can read (OpenAPI 3.1.1 §4.8).
#[check(title = "there is an OpenAPI 3.1 document", task = 8, points = 1, needs = ["order_seats"],
        hints = ["Read the skeleton in the specification's \"OpenAPI Object\": `openapi`, `info`, `paths`.",
                 "Each path has its methods, each method its `responses`, and every `$ref` points to something."])]
async fn openapi_document(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let document = Document::get(&app).await?;
    let answer = document.answer.clone();
    let text = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
    answer
        .expect_json_where("/openapi", "a version that begins with 3.1.", |version| {
            version.as_str().is_some_and(|version| version.starts_with("3.1."))
        })?
        .expect_json_where("/info/title", "a text", text)?
        .expect_json_where("/info/version", "a text", text)?
        .expect_json_where("/paths", "an object", Value::is_object)?;
    document.expect_references()?;
    for (method, path) in OPERATIONS {
        document.operation(method, path)?.expect_whole(&document)?;
    }
    Ok(())
}

/// People who write clients read the document to see what to send (OpenAPI 3.1.1 §4.8.12, §4.8.13).
#[check(title = "the document says what the server accepts", task = 8, points = 2, needs = ["order_seats"],
        hints = ["Which headers and query parameters does each operation use?",
                 "A `requestBody` has `content`: the media type, and below it the `schema`.",
                 "Members that may be absent do not go into `required`, and `null` is a type of its own: \
                  `\"type\": [\"string\", \"null\"]`."])]
async fn openapi_inputs(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let document = Document::get(&app).await?;
    inputs::expect_parameters(&document)?;
    inputs::expect_bodies(lab, &app, &document).await
}

/// An inaccurate document is worse than none: people build on it (OpenAPI 3.1.1 §4.8.16).
#[check(title = "the document is accurate", task = 8, points = 5, needs = ["order_seats"],
        hints = ["Which statuses does each operation really return? Include the refusals.",
                 "Refusals are `application/problem+json`, and 204 and 304 have no content.",
                 "Generate the schemas from the types that you send, and list every status in one place per operation."])]
async fn openapi_matches(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let document = Document::get(&app).await?;
    let mut tour = Tour::new(&document);
    tour.events(lab, &app).await?;
    tour.orders(lab, &app).await?;
    tour.conclude()
}

/// A schema that accepts everything says nothing (JSON Schema 2020-12 §6.5.3).
#[check(title = "the schemas are meaningful", task = 8, points = 2, needs = ["order_seats"],
        hints = ["What would your schema say about an event without a title?",
                 "List the members that are always there under `required`, and give every member its `type`."])]
async fn openapi_schemas(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let document = Document::get(&app).await?;
    schemas::expect_strict(lab, &app, &document).await
}
