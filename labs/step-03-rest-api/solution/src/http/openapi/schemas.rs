//! The JSON schemas of everything that is sent and read.

use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value};

/// Gives references to schemas, and collects what they refer to.
#[derive(Debug)]
pub struct Schemas {
    /// Of bodies that we write: what we always write is required.
    answers: SchemaGenerator,
    /// Of bodies that we read: what may be left out is not.
    requests: SchemaGenerator,
}

impl Schemas {
    /// None so far.
    pub fn new() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
            settings.transforms.push(Box::new(RecursiveTransform(without_null_default)));
        });
        Self { answers: settings.clone().for_serialize().into(), requests: settings.for_deserialize().into() }
    }

    /// A reference to the schema of an answer.
    pub fn answer<T: JsonSchema>(&mut self) -> Value {
        self.answers.subschema_for::<T>().to_value()
    }

    /// A reference to the schema of a request's body.
    pub fn request<T: JsonSchema>(&mut self) -> Value {
        self.requests.subschema_for::<T>().to_value()
    }

    /// Every schema that was referred to. No type of ours is both read and written.
    pub fn into_components(mut self) -> Map<String, Value> {
        let mut components = self.answers.take_definitions(true);
        components.append(&mut self.requests.take_definitions(true));
        components
    }
}

/// A field of a merge patch may be absent, but null is no value of it.
fn without_null_default(schema: &mut Schema) {
    if schema.get("default").is_some_and(Value::is_null) {
        schema.remove("default");
    }
}
