//! Reads the members of a JSON object one by one and remembers everything that is wrong with them.

use serde_json::{Map, Value};

use super::problem::FieldProblem;

/// The members of an object, and what was found to be wrong so far. Members that nobody asks for are left alone: a
/// client that sends `id` or `seats_sold` changes nothing by it.
#[derive(Debug)]
pub struct Fields {
    members: Map<String, Value>,
    problems: Vec<FieldProblem>,
}

/// Reads a value, or says what it should be.
pub type Rule<T> = fn(&Value) -> Result<T, &'static str>;

impl Fields {
    /// The members of a body.
    pub fn new(members: Map<String, Value>) -> Self {
        Self { members, problems: Vec::new() }
    }

    /// What is wrong with them.
    pub fn into_problems(self) -> Vec<FieldProblem> {
        self.problems
    }

    /// A field that must be there.
    pub fn required<T>(&mut self, name: &str, rule: Rule<T>) -> Option<T> {
        match self.members.get(name) {
            Some(value) => self.read(name, rule(value)),
            None => self.wrong(name, "is missing"),
        }
    }

    /// A field that may be absent or null, which means the same.
    pub fn optional<T>(&mut self, name: &str, rule: Rule<T>) -> Option<Option<T>> {
        self.nullable_change(name, rule).map(Option::flatten)
    }

    /// A field of a merge patch: absent leaves it as it is, null is no value it can have (RFC 7396).
    pub fn change<T>(&mut self, name: &str, rule: Rule<T>) -> Option<Option<T>> {
        match self.members.get(name) {
            Some(value) => self.read(name, rule(value)).map(Some),
            None => Some(None),
        }
    }

    /// A field of a merge patch that null empties.
    pub fn nullable_change<T>(&mut self, name: &str, rule: Rule<T>) -> Option<Option<Option<T>>> {
        match self.members.get(name) {
            Some(Value::Null) => Some(Some(None)),
            Some(value) => self.read(name, rule(value)).map(|value| Some(Some(value))),
            None => Some(None),
        }
    }

    fn read<T>(&mut self, name: &str, result: Result<T, &'static str>) -> Option<T> {
        result.map_or_else(|detail| self.wrong(name, detail), Some)
    }

    fn wrong<T>(&mut self, name: &str, detail: &str) -> Option<T> {
        self.problems.push(FieldProblem { pointer: format!("/{name}"), detail: detail.into() });
        None
    }
}
