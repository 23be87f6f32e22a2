//! What happened during a check, as results hold it. Services are an open set, and so are the kinds of what a server asks of
//! them: each driver names its own.

use std::time::Duration;

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::micros;

/// One thing that happened during a check.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct TranscriptEntry {
    /// When, in microseconds since the run began.
    pub at_us: u64,
    /// What.
    #[serde(flatten)]
    pub what: Happening,
}

/// The kinds of things a transcript holds.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Happening {
    /// The grader sent bytes to the server, shown as text; or it ran a program, whose arguments and standard input these are.
    Sent {
        /// Which connection, or which run of the program, numbered from 1.
        connection: u64,
        /// The bytes, escaped where they are not text.
        text: String,
        /// The port of the server that they were sent to, if it is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        port: Option<u16>,
    },
    /// The server sent bytes to the grader; or a program wrote them to its standard output.
    Received {
        /// Which connection, or which run of the program, numbered from 1.
        connection: u64,
        /// The bytes, escaped where they are not text.
        text: String,
    },
    /// The server wrote a line; or a program did, to its standard error.
    Log {
        /// The line.
        line: String,
        /// The port of the server that wrote it, if it is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        port: Option<u16>,
    },
    /// The server was started, stopped or signalled, or a fault was made.
    Note {
        /// What was done.
        text: String,
        /// What it marks on a timeline, if it is one of these things.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mark: Option<Mark>,
    },
    /// The server asked something of a service.
    #[serde(untagged)]
    Exchange(Exchange),
}

/// What the server asked of a service, and what that answered.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Exchange {
    /// What kind of exchange it is, in the word of the service's driver, such as `sql` or `redis`. None of the words for
    /// other things that happen.
    pub kind: String,
    /// The service, as faults name it. Empty if it is not known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub service: String,
    /// The server's connection to it, numbered from 1 for each service of a check, if it is known.
    #[serde(default, rename = "service_connection", skip_serializing_if = "Option::is_none")]
    pub connection: Option<u64>,
    /// What was asked.
    #[serde(flatten)]
    pub asked: Asked,
    /// What the service answered, if that is recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// Whether the service refused it, or its connection ended before the answer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub failed: bool,
    /// Whether a client library says it on its own account, so as to be connected: no code of the server's asked for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub housekeeping: bool,
    /// How long the answer took, in microseconds, if that is recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_us: Option<u64>,
    /// How much of that it waited for a lock, in microseconds, as far as it was seen.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub waited_us: u64,
}

/// What was asked of a service, by what the service's own manual calls it.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Asked {
    /// A statement of a query language.
    Statement(String),
    /// A command with its arguments, long ones shortened.
    Command(String),
}

impl Asked {
    /// Its text.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Statement(text) | Self::Command(text) => text,
        }
    }
}

impl Exchange {
    /// An exchange of the kind `kind` with the service `service`, of which no answer is recorded yet.
    #[must_use]
    pub fn new(kind: &str, service: &str, asked: Asked) -> Self {
        let (kind, service) = (kind.to_owned(), service.to_owned());
        let (answer, failed, housekeeping) = (None, false, false);
        Self { kind, service, connection: None, asked, answer, failed, housekeeping, took_us: None, waited_us: 0 }
    }

    /// The same, with what the service answered, whether that means that it refused, and how long it took.
    #[must_use]
    pub fn answered(self, answer: &str, failed: bool, took: Duration) -> Self {
        Self { answer: Some(answer.to_owned()), failed, took_us: Some(micros(took)), ..self }
    }
}

/// What a note marks on a timeline.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Mark {
    /// A server was started.
    Started {
        /// Its port.
        port: u16,
    },
    /// A server answered its readiness request.
    Ready {
        /// Its port.
        port: u16,
    },
    /// A server was sent a signal.
    Signalled {
        /// Its port.
        port: u16,
    },
    /// A server ended.
    Ended {
        /// Its port.
        port: u16,
    },
    /// The way to a service is disturbed from here on.
    Fault {
        /// The service.
        service: String,
    },
    /// The way to a service is as it should be again.
    Restored {
        /// The service.
        service: String,
    },
    /// One connection to a service was cut, once.
    Cut {
        /// The service.
        service: String,
    },
    /// It is about a connection of the check, or about a run of the program.
    Connection {
        /// Its number.
        connection: u64,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(entry: &TranscriptEntry) -> String {
        let text = serde_json::to_string(entry).unwrap();
        assert_eq!(serde_json::from_str::<TranscriptEntry>(&text).unwrap(), *entry, "{text}");
        text
    }

    #[test]
    fn an_exchange_has_the_kind_that_its_driver_gives_it() {
        let asked = Asked::Command("find {\"name\": 1}".into());
        let what = Happening::Exchange(Exchange::new("document", "documents", asked));
        let text = round_trip(&TranscriptEntry { at_us: 7, what });
        let expected = r#"{"at_us":7,"kind":"document","service":"documents","command":"find {\"name\": 1}"}"#;
        assert_eq!(text, expected);
        let asked = Asked::Statement("select 1".into());
        let exchange = Exchange::new("sql", "postgres", asked).answered("SELECT 1", false, Duration::from_micros(300));
        let text = round_trip(&TranscriptEntry { at_us: 7, what: Happening::Exchange(exchange) });
        assert!(text.contains(r#""kind":"sql""#) && text.contains(r#""answer":"SELECT 1","took_us":300"#), "{text}");
        let what = Happening::Sent { connection: 1, text: "GET /".into(), port: None };
        round_trip(&TranscriptEntry { at_us: 7, what });
    }

    /// What results of this version held before services named their exchanges.
    #[test]
    fn older_results_are_read() {
        let sql = r#"{"at_us":1,"kind":"sql","statement":"select 1","answer":"SELECT 1","took_us":300}"#;
        let redis = r#"{"at_us":2,"kind":"redis","command":"GET k"}"#;
        for (text, kind, asked) in [(sql, "sql", "select 1"), (redis, "redis", "GET k")] {
            let entry: TranscriptEntry = serde_json::from_str(text).unwrap();
            let Happening::Exchange(exchange) = entry.what else { panic!("{text}") };
            assert_eq!((exchange.kind.as_str(), exchange.asked.text(), exchange.failed), (kind, asked, false));
        }
        assert!(serde_json::from_str::<TranscriptEntry>(r#"{"at_us":1,"kind":"sent","connection":1}"#).is_err());
    }
}
