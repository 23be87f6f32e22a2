//! The document itself: its operations, and where its references lead.

use lab_kit::prelude::*;
use percent_encoding::percent_decode_str;

use super::schema::Schemas;
use crate::support::read;

/// Every operation that the README names. What stands in braces may have another name.
pub const OPERATIONS: [(&str, &str); 10] = [
    ("get", "/events"),
    ("post", "/events"),
    ("get", "/events/{id}"),
    ("patch", "/events/{id}"),
    ("delete", "/events/{id}"),
    ("get", "/orders"),
    ("post", "/orders"),
    ("get", "/orders/{id}"),
    ("patch", "/orders/{id}"),
    ("delete", "/orders/{id}"),
];

/// References lead to references at most so often.
const MOST_REFERENCES: usize = 20;

/// An OpenAPI document as a server gives it.
#[derive(Debug)]
pub struct Document {
    /// The answer that it came with.
    pub answer: Response,
    root: Value,
}

/// One operation of it.
#[derive(Debug)]
pub struct Operation<'a> {
    /// Such as `GET /events/{id}`.
    pub name: String,
    /// Where in the document it is.
    value: &'a Value,
    /// The path as the document writes it.
    template: &'a str,
    path_item: &'a Value,
}

impl Document {
    /// Fetches it.
    pub async fn get(app: &App) -> CheckResult<Self> {
        let answer = read(app, "/openapi.json").await?;
        let answer = answer.expect_where("a JSON media type", |answer| {
            answer.media_type().is_some_and(|kind| kind.ends_with("/json") || kind.ends_with("+json"))
        })?;
        let root = answer.json()?;
        Ok(Self { answer, root })
    }

    /// All of it.
    pub fn root(&self) -> &Value {
        &self.root
    }

    /// What judges values by the document's schemas.
    pub fn schemas(&self) -> Schemas<'_> {
        Schemas::of(self)
    }

    /// What stands at a reference within the document, such as `#/components/schemas/Event`.
    pub fn target(&self, reference: &str) -> Option<&Value> {
        let pointer = reference.strip_prefix('#')?;
        let pointer = percent_decode_str(pointer).decode_utf8().ok()?;
        self.root.pointer(&pointer)
    }

    /// The value itself, or what it refers to.
    pub fn resolve<'a>(&'a self, mut value: &'a Value) -> &'a Value {
        for _ in 0..MOST_REFERENCES {
            match value["$ref"].as_str().and_then(|reference| self.target(reference)) {
                Some(target) => value = target,
                None => break,
            }
        }
        value
    }

    /// The operation of this method and path.
    pub fn operation(&self, method: &str, path: &str) -> CheckResult<Operation<'_>> {
        let name = format!("{} {path}", method.to_ascii_uppercase());
        let paths = self.root["paths"].as_object().into_iter().flatten();
        for (template, item) in paths.filter(|(template, _)| is_same_path(template, path)) {
            let path_item = self.resolve(item);
            let value = &path_item[method];
            if value.is_object() {
                return Ok(Operation { name, value, template, path_item });
            }
        }
        let failure = self.answer.failure(format!("the document does not have the operation {name}"));
        Err(failure
            .expected(format!("`{method}` under the path {path}"))
            .actual(format!("the operations {}", self.names())))
    }

    /// Fails unless every reference leads somewhere.
    pub fn expect_references(&self) -> CheckResult {
        let mut open = vec![&self.root];
        while let Some(value) = open.pop() {
            if let Some(reference) = value["$ref"].as_str()
                && self.target(reference).is_none()
            {
                let failure = self.answer.failure(format!("the reference {reference} does not resolve"));
                return Err(failure.expected("a place in the document").actual("nothing"));
            }
            match value {
                // Examples may be anything, and look like references.
                Value::Object(members) => {
                    open.extend(
                        members.iter().filter(|(name, _)| !name.starts_with("example")).map(|(_, value)| value),
                    );
                }
                Value::Array(items) => open.extend(items),
                _ => {}
            }
        }
        Ok(())
    }

    fn names(&self) -> String {
        let paths = self.root["paths"].as_object().into_iter().flatten();
        let names: Vec<_> = paths
            .flat_map(|(path, item)| {
                item.as_object().into_iter().flatten().map(move |(method, _)| format!("{method} {path}"))
            })
            .collect();
        if names.is_empty() { "(none)".into() } else { names.join(", ") }
    }
}

impl<'a> Operation<'a> {
    /// Its parameter of this name and place.
    pub fn parameter(&self, document: &'a Document, place: &str, name: &str) -> Option<&'a Value> {
        let all = [&self.value["parameters"], &self.path_item["parameters"]];
        let mut all =
            all.into_iter().filter_map(Value::as_array).flatten().map(|parameter| document.resolve(parameter));
        all.find(|parameter| {
            let found = parameter["name"].as_str().unwrap_or_default();
            // The names of header fields do not care for upper and lower case.
            let is_same = if place == "header" { found.eq_ignore_ascii_case(name) } else { found == name };
            is_same && parameter["in"].as_str() == Some(place)
        })
    }

    /// The schema of its body, if it is of this media type. `None` if that is not declared.
    pub fn body(&self, document: &'a Document, media_type: &str) -> Option<&'a Value> {
        let body = document.resolve(&self.value["requestBody"]);
        content(document, body, media_type).map(|found| &found["schema"])
    }

    /// What is declared for a status: by its number, by its range, or by default.
    pub fn response(&self, document: &'a Document, status: u16) -> Option<&'a Value> {
        let responses = self.value["responses"].as_object()?;
        let range = format!("{}XX", status / 100);
        let found = [status.to_string(), range, "default".into()].into_iter().find_map(|key| responses.get(&key))?;
        Some(document.resolve(found))
    }

    /// The statuses that are declared.
    pub fn statuses(&self) -> String {
        let responses = self.value["responses"].as_object().into_iter().flatten();
        responses.map(|(status, _)| status.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// Fails unless it has responses, and its path's parameters are declared.
    pub fn expect_whole(&self, document: &Document) -> CheckResult {
        if self.statuses().is_empty() {
            return Err(document.answer.failure(format!("{} has no `responses` in the document", self.name)));
        }
        for name in self.template.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
            let declared = self.parameter(document, "path", name).is_some_and(|p| p["required"] == json!(true));
            if !declared {
                let failure =
                    document.answer.failure(format!("{} does not declare the {{{name}}} of its path", self.name));
                return Err(failure.expected(format!("a parameter `{name}` with `in: path` and `required: true`")));
            }
        }
        Ok(())
    }
}

/// What a body or a response says of a media type: under its name, or under a range that it is in.
pub fn content<'a>(document: &'a Document, value: &'a Value, media_type: &str) -> Option<&'a Value> {
    let content = value["content"].as_object()?;
    let range = format!("{}/*", media_type.split('/').next().unwrap_or_default());
    let found = [media_type, &range, "*/*"].into_iter().find_map(|wanted| {
        content.iter().find(|(name, _)| name.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(wanted))
    })?;
    Some(document.resolve(found.1))
}

fn is_same_path(template: &str, path: &str) -> bool {
    let is_name = |part: &str| part.starts_with('{') && part.ends_with('}');
    let (mut left, mut right) = (template.split('/'), path.split('/'));
    loop {
        match (left.next(), right.next()) {
            (None, None) => return true,
            (Some(one), Some(other)) if one == other || (is_name(one) && is_name(other)) => {}
            _ => return false,
        }
    }
}
