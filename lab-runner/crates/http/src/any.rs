//! Stand-ins for values that nobody can know beforehand, for use inside `json!`.

use chrono::DateTime;
use serde_json::{Value, json};
use uuid::Uuid;

/// The one member of a stand-in. No server's JSON has a name like it.
const MARK: &str = "\u{1}lab-kit stands for";

macro_rules! stand_ins {
    ($($(#[$doc:meta])* $function:ident => $variant:ident, $shown:literal;)*) => {
        /// What a stand-in asks for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum StandIn { $($variant),* }

        impl StandIn {
            /// The stand-in that `value` is, if it is one.
            pub fn of(value: &Value) -> Option<Self> {
                match value.as_object()?.get(MARK)?.as_str()? {
                    $($shown => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// What it asks for, in words.
            pub fn shown(self) -> &'static str {
                match self { $(Self::$variant => $shown),* }
            }
        }

        $(
            $(#[$doc])*
            ///
            /// ```
            /// use serde_json::json;
            ///
            #[doc = concat!("let expected = json!({\"member\": lab_http::", stringify!($function), "()});")]
            /// assert!(expected["member"].is_object());
            /// ```
            pub fn $function() -> Value {
                json!({ MARK: $shown })
            }
        )*
    };
}

stand_ins! {
    /// Stands for any value, `null` included. The member must be there.
    any => Anything, "anything";
    /// Stands for any string.
    any_string => Text, "any string";
    /// Stands for any number.
    any_number => Number, "any number";
    /// Stands for any whole number.
    any_integer => Integer, "any whole number";
    /// Stands for `true` or `false`.
    any_boolean => Boolean, "true or false";
    /// Stands for any array.
    any_array => Array, "any array";
    /// Stands for any object.
    any_object => Object, "any object";
    /// Stands for an id: a positive whole number or a UUID as a string.
    any_id => Id, "an id: a positive whole number or a UUID";
    /// Stands for a time in UTC as a string (RFC 3339 §5.6).
    any_time => Time, "a time in UTC such as \"2026-01-31T19:30:00Z\"";
    /// Stands for a member that must not be there.
    absent => Absent, "no such member";
}

impl StandIn {
    /// Whether `value` is what it asks for.
    pub fn takes(self, value: &Value) -> bool {
        match self {
            Self::Anything => true,
            Self::Text => value.is_string(),
            Self::Number => value.is_number(),
            Self::Integer => is_integer(value),
            Self::Boolean => value.is_boolean(),
            Self::Array => value.is_array(),
            Self::Object => value.is_object(),
            Self::Id => is_id(value),
            Self::Time => value.as_str().is_some_and(is_utc_time),
            Self::Absent => false,
        }
    }
}

/// 5.0 is a whole number, too: JSON does not tell the two apart (RFC 8259 §6).
fn is_integer(value: &Value) -> bool {
    value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0)
}

fn is_id(value: &Value) -> bool {
    match value {
        Value::Number(number) => is_integer(value) && number.as_f64().is_some_and(|id| id > 0.0),
        // Only the form with hyphens (RFC 9562 §4).
        Value::String(text) => text.len() == 36 && Uuid::try_parse(text).is_ok(),
        _ => false,
    }
}

fn is_utc_time(text: &str) -> bool {
    DateTime::parse_from_rfc3339(text).is_ok_and(|time| time.offset().local_minus_utc() == 0)
}
