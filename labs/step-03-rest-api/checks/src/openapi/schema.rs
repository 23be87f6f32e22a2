//! Judges a value by a schema of the document, which is JSON Schema 2020-12 (OpenAPI 3.1 §4.8.24).

use jsonschema::Validator;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::{Map, Value};

use super::document::Document;

/// The member of a judged document under which the schema in question is put.
const JUDGED: &str = "x-judged";

/// The schemas of a document.
#[derive(Debug, Clone, Copy)]
pub struct Schemas<'a> {
    document: &'a Document,
}

/// A place in a value that its schema refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// A JSON pointer into the value.
    pub pointer: String,
    /// What the schema asks for there.
    pub expected: String,
    /// What is there.
    pub actual: String,
}

impl<'a> Schemas<'a> {
    /// The schemas of `document`.
    pub fn of(document: &'a Document) -> Self {
        Self { document }
    }

    /// Whether `schema` takes `value`. A schema that is none takes nothing.
    pub fn takes(self, schema: &Value, value: &Value) -> bool {
        self.validator(schema).is_ok_and(|validator| validator.is_valid(value))
    }

    /// Every place of `value` that `schema` refuses; a schema that is none refuses all of it.
    pub fn mismatches(self, schema: &Value, value: &Value) -> Vec<Mismatch> {
        match self.validator(schema) {
            Ok(validator) => validator.iter_errors(value).map(|error| mismatch(&error)).collect(),
            Err(error) => vec![Mismatch {
                pointer: String::new(),
                expected: "a schema that is valid JSON Schema 2020-12".into(),
                actual: error.to_string(),
            }],
        }
    }

    /// References such as `#/components/schemas/Event` are to the document, so that the schema is judged as a part of
    /// a copy of it.
    fn validator(self, schema: &Value) -> Result<Validator, Box<jsonschema::ValidationError<'static>>> {
        let mut whole = self.document.root().as_object().cloned().unwrap_or_else(Map::new);
        whole.retain(|name, _| !name.starts_with('$'));
        whole.insert("$ref".into(), format!("#/{JUDGED}").into());
        whole.insert(JUDGED.into(), schema.clone());
        jsonschema::options().with_draft(jsonschema::Draft::Draft202012).build(&Value::Object(whole)).map_err(Box::new)
    }
}

/// The library names the object of which a member is missing; a learner looks for the member.
fn mismatch(error: &jsonschema::ValidationError<'_>) -> Mismatch {
    let pointer = error.instance_path().to_string();
    let expected = match error.kind() {
        ValidationErrorKind::Required { property } => {
            return Mismatch {
                pointer: format!("{pointer}/{}", property.as_str().unwrap_or_default()),
                expected: "this member, which the schema requires".into(),
                actual: "no such member".into(),
            };
        }
        ValidationErrorKind::Type { kind: TypeKind::Single(kind) } => format!("a value of type {kind}"),
        ValidationErrorKind::Enum { options } => format!("one of {options}"),
        _ => format!("a value that the schema accepts ({error})"),
    };
    Mismatch { pointer, expected, actual: error.instance().to_string() }
}
