//! The JSON schema of a service's id in a manifest: one of those that there are.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::registry::ServiceId;

impl JsonSchema for ServiceId {
    fn schema_name() -> Cow<'static, str> {
        "ServiceId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let one_of: Vec<Schema> = Self::all()
            .into_iter()
            .map(|service| {
                let variable = service.description().server_variable;
                json_schema!({
                    "description": format!("{service}; the server is given its URL in `{variable}`."),
                    "type": "string",
                    "const": service.id(),
                })
            })
            .collect();
        json_schema!({ "description": "A service that a lab can ask for.", "oneOf": one_of })
    }
}
