//! Judges a value by a JSON schema: the keywords of 2020-12 that describe plain data.
//!
//! The crate `jsonschema` knows all of them, and takes as long to build as the rest of this suite. What is not known
//! here is not looked at, so that a document may use it: it can only make the judgement milder. Where an unknown
//! keyword could turn a judgement round, in `oneOf` and `not`, the judgement is left out.

use serde_json::{Map, Value};

use super::document::Document;

/// Schemas may contain each other; values are not that deep.
const DEEPEST: usize = 40;

const KNOWN: [&str; 22] = [
    "type",
    "enum",
    "const",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "prefixItems",
    "minItems",
    "maxItems",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "$ref",
    "$defs",
];
/// Keywords that say nothing about whether a value is right.
const SILENT: [&str; 14] = [
    "title",
    "description",
    "default",
    "deprecated",
    "readOnly",
    "writeOnly",
    "example",
    "examples",
    "format",
    "$comment",
    "externalDocs",
    "xml",
    "discriminator",
    "$schema",
];

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

    /// Whether `schema` takes `value`.
    pub fn takes(self, schema: &Value, value: &Value) -> bool {
        self.mismatches(schema, value).is_empty()
    }

    /// Every place of `value` that `schema` refuses.
    pub fn mismatches(self, schema: &Value, value: &Value) -> Vec<Mismatch> {
        let mut found = Vec::new();
        Judge { schemas: self, found: &mut found }.judge(schema, value, "", 0);
        found
    }

    fn takes_at(self, schema: &Value, value: &Value, depth: usize) -> bool {
        let mut found = Vec::new();
        Judge { schemas: self, found: &mut found }.judge(schema, value, "", depth);
        found.is_empty()
    }

    /// Whether every keyword of `schema` is one that is judged here.
    fn is_known(self, schema: &Value, depth: usize) -> bool {
        let Some(members) = schema.as_object() else { return true };
        if depth > DEEPEST {
            return false;
        }
        let target = members.get("$ref").and_then(Value::as_str).and_then(|to| self.document.target(to));
        members
            .keys()
            .all(|name| KNOWN.contains(&name.as_str()) || SILENT.contains(&name.as_str()) || name.starts_with("x-"))
            && target.is_none_or(|target| self.is_known(target, depth + 1))
            && inner(members).all(|schema| self.is_known(schema, depth + 1))
    }
}

/// The schemas right inside of a schema.
fn inner(members: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    let lists = ["allOf", "anyOf", "oneOf", "prefixItems"];
    let lists = lists.into_iter().filter_map(|name| members.get(name)?.as_array()).flatten();
    let maps = members.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::values);
    let singles = ["items", "additionalProperties", "not"].into_iter().filter_map(|name| members.get(name));
    lists.chain(maps).chain(singles)
}

struct Judge<'a, 'f> {
    schemas: Schemas<'a>,
    found: &'f mut Vec<Mismatch>,
}

impl Judge<'_, '_> {
    fn judge(&mut self, schema: &Value, value: &Value, at: &str, depth: usize) {
        let members = match schema {
            Value::Bool(false) => return self.wrong(at, "nothing at all", value),
            Value::Object(members) if depth <= DEEPEST => members,
            _ => return,
        };
        if let Some(target) =
            members.get("$ref").and_then(Value::as_str).and_then(|to| self.schemas.document.target(to))
        {
            self.judge(target, value, at, depth + 1);
        }
        self.kinds(members, value, at);
        self.text_and_numbers(members, value, at);
        self.objects(members, value, at, depth);
        self.arrays(members, value, at, depth);
        self.combinations(members, value, at, depth);
    }

    fn kinds(&mut self, members: &Map<String, Value>, value: &Value, at: &str) {
        let kinds: Vec<&str> = match members.get("type") {
            Some(Value::String(kind)) => vec![kind],
            Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        if !kinds.is_empty() && !kinds.iter().any(|kind| is_kind(value, kind)) {
            self.wrong(at, &format!("a value of type {}", kinds.join(" or ")), value);
        }
        if let Some(choices) = members.get("enum").and_then(Value::as_array)
            && !choices.iter().any(|choice| is_same(choice, value))
        {
            self.wrong(at, &format!("one of {}", Value::from(choices.clone())), value);
        }
        if let Some(only) = members.get("const")
            && !is_same(only, value)
        {
            self.wrong(at, &only.to_string(), value);
        }
    }

    fn text_and_numbers(&mut self, members: &Map<String, Value>, value: &Value, at: &str) {
        let limit = |name: &str| members.get(name).and_then(Value::as_f64);
        if let Some(text) = value.as_str() {
            let length = text.chars().count() as f64;
            self.range(at, value, length, limit("minLength"), limit("maxLength"), "characters");
        }
        if let Some(number) = value.as_f64() {
            self.range(at, value, number, limit("minimum"), limit("maximum"), "as its value");
            if limit("exclusiveMinimum").is_some_and(|least| number <= least) {
                self.wrong(at, &format!("more than {}", members["exclusiveMinimum"]), value);
            }
            if limit("exclusiveMaximum").is_some_and(|most| number >= most) {
                self.wrong(at, &format!("less than {}", members["exclusiveMaximum"]), value);
            }
        }
    }

    fn objects(&mut self, members: &Map<String, Value>, value: &Value, at: &str, depth: usize) {
        let Some(object) = value.as_object() else { return };
        for name in members.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
            if !object.contains_key(name) {
                self.found.push(Mismatch {
                    pointer: format!("{at}/{name}"),
                    expected: "this member, which the schema requires".into(),
                    actual: "no such member".into(),
                });
            }
        }
        let properties = members.get("properties").and_then(Value::as_object);
        // What `patternProperties` takes is not known here.
        let others = members.get("additionalProperties").filter(|_| !members.contains_key("patternProperties"));
        for (name, value) in object {
            if let Some(schema) = properties.and_then(|properties| properties.get(name)).or(others) {
                self.judge(schema, value, &format!("{at}/{name}"), depth + 1);
            }
        }
    }

    fn arrays(&mut self, members: &Map<String, Value>, value: &Value, at: &str, depth: usize) {
        let Some(array) = value.as_array() else { return };
        let limit = |name: &str| members.get(name).and_then(Value::as_f64);
        self.range(at, value, array.len() as f64, limit("minItems"), limit("maxItems"), "items");
        let first = members.get("prefixItems").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        for (index, item) in array.iter().enumerate() {
            if let Some(schema) = first.get(index).or_else(|| members.get("items")) {
                self.judge(schema, item, &format!("{at}/{index}"), depth + 1);
            }
        }
    }

    fn combinations(&mut self, members: &Map<String, Value>, value: &Value, at: &str, depth: usize) {
        let list = |name: &str| members.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        for schema in list("allOf") {
            self.judge(schema, value, at, depth + 1);
        }
        let schemas = self.schemas;
        let fitting =
            |name: &str| list(name).iter().filter(|schema| schemas.takes_at(schema, value, depth + 1)).count();
        if !list("anyOf").is_empty() && fitting("anyOf") == 0 {
            self.wrong(at, "a value that one of `anyOf` accepts", value);
        }
        let choices = list("oneOf");
        if !choices.is_empty() {
            let count = fitting("oneOf");
            let all_known = choices.iter().all(|schema| schemas.is_known(schema, 0));
            if count == 0 || (count > 1 && all_known) {
                self.wrong(at, &format!("a value that exactly one of `oneOf` accepts ({count} do)"), value);
            }
        }
        if let Some(schema) = members.get("not")
            && schemas.is_known(schema, 0)
            && schemas.takes_at(schema, value, depth + 1)
        {
            self.wrong(at, "a value that `not` does not accept", value);
        }
    }

    fn range(&mut self, at: &str, value: &Value, size: f64, least: Option<f64>, most: Option<f64>, of_what: &str) {
        if let Some(least) = least.filter(|least| size < *least) {
            self.wrong(at, &format!("at least {least} {of_what}"), value);
        }
        if let Some(most) = most.filter(|most| size > *most) {
            self.wrong(at, &format!("at most {most} {of_what}"), value);
        }
    }

    fn wrong(&mut self, at: &str, expected: &str, value: &Value) {
        self.found.push(Mismatch { pointer: at.to_owned(), expected: expected.to_owned(), actual: value.to_string() });
    }
}

fn is_kind(value: &Value, kind: &str) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        _ => true,
    }
}

/// Numbers are the same if their values are.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => one == other,
        _ => one == other,
    }
}
