//! Patterns for a part of a JSON body, for use inside `json!`: exactly, contains, any element.

use serde_json::{Value, json};

/// The names of their one member. No server's JSON has names like these.
const EXACTLY: &str = "\u{1}lab-kit exactly";
const CONTAINS: &str = "\u{1}lab-kit contains";
const ANY_ELEMENT: &str = "\u{1}lab-kit any element";

/// A pattern and what it is about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Pattern<'a> {
    /// The value, without members beside those that are named.
    Exactly(&'a Value),
    /// A string with this part, or an array with an element for each of these.
    Contains(&'a Value),
    /// An array with at least one element like this.
    AnyElement(&'a Value),
}

/// Stands for a value without members beside those that `expected` names, at any depth.
///
/// ```
/// use lab_http::{any_id, exactly};
/// use serde_json::json;
///
/// let expected = json!({"customer": exactly(json!({"id": any_id(), "name": "Ada"}))}); // and no password
/// # assert!(expected["customer"].is_object());
/// ```
pub fn exactly(expected: Value) -> Value {
    json!({ EXACTLY: expected })
}

/// Stands for a string that contains the string `expected`, or for an array that has, in whatever order and among others,
/// an element for each of the array `expected`.
///
/// ```
/// use lab_http::contains;
/// use serde_json::json;
///
/// let expected = json!({"detail": contains(json!("seats")), "tags": contains(json!(["jazz", "open air"]))});
/// # assert!(expected["tags"].is_object());
/// ```
pub fn contains(expected: Value) -> Value {
    json!({ CONTAINS: expected })
}

/// Stands for an array that has at least one element like `expected`.
///
/// ```
/// use lab_http::any_element;
/// use serde_json::json;
///
/// let expected = json!({"errors": any_element(json!({"field": "seats"}))});
/// # assert!(expected["errors"].is_object());
/// ```
pub fn any_element(expected: Value) -> Value {
    json!({ ANY_ELEMENT: expected })
}

impl<'a> Pattern<'a> {
    /// The pattern that `value` is, if it is one.
    pub fn of(value: &'a Value) -> Option<Self> {
        let members = value.as_object()?;
        let member = |name| members.get(name);
        member(EXACTLY)
            .map(Self::Exactly)
            .or_else(|| member(CONTAINS).map(Self::Contains))
            .or_else(|| member(ANY_ELEMENT).map(Self::AnyElement))
    }

    /// What it asks for, in words. `show` gives the words for a value.
    pub fn describe(self, show: impl Fn(&Value) -> String) -> String {
        match self {
            Self::Exactly(value) => format!("exactly {}", show(value)),
            Self::Contains(Value::Array(values)) => {
                format!("an array that contains {}", values.iter().map(show).collect::<Vec<_>>().join(" and "))
            }
            Self::Contains(value) => format!("a string that contains {}", show(value)),
            Self::AnyElement(value) => format!("an array with an element like {}", show(value)),
        }
    }
}
