//! Cargo's own words: JSON messages on standard output, a progress line on standard error.

use camino::Utf8PathBuf;
use serde::Deserialize;

/// What we want to know of cargo's JSON messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Message {
    /// A program is ready.
    Executable { name: String, path: Utf8PathBuf },
    /// The compiler refuses something; with terminal colours.
    Error { rendered: String },
}

#[derive(Deserialize)]
struct Raw {
    reason: String,
    executable: Option<Utf8PathBuf>,
    target: Option<Target>,
    message: Option<Diagnostic>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

#[derive(Deserialize)]
struct Diagnostic {
    level: String,
    rendered: Option<String>,
    #[serde(default)]
    spans: Vec<serde::de::IgnoredAny>,
}

/// Reads one line.
pub(super) fn parse(line: &str) -> Option<Message> {
    let raw: Raw = serde_json::from_str(line).ok()?;
    match raw.reason.as_str() {
        "compiler-artifact" => Some(Message::Executable { name: raw.target?.name, path: raw.executable? }),
        "compiler-message" => {
            let diagnostic = raw.message?;
            let rendered = diagnostic.rendered?;
            // "aborting due to 2 previous errors" counts what is counted already.
            let summary = diagnostic.spans.is_empty() && rendered.contains("aborting due to");
            (diagnostic.level.starts_with("error") && !summary).then_some(Message::Error { rendered })
        }
        _ => None,
    }
}

/// How far a build is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    pub done: u64,
    pub total: u64,
    pub now: String,
}

/// Reads cargo's progress line: `Building [====>   ] 45/120: sqlx-postgres, ring`.
pub(super) fn progress(line: &str) -> Option<Step> {
    let rest = line.trim_start().strip_prefix("Building [")?;
    let (_, rest) = rest.split_once("] ")?;
    let (count, now) = rest.split_once(": ").unwrap_or((rest, ""));
    let (done, total) = count.trim().split_once('/')?;
    Some(Step { done: done.parse().ok()?, total: total.parse().ok()?, now: now.trim().to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargos_progress_is_understood() {
        let step = progress("    Building [=======>     ] 45/120: sqlx-postgres, ring(build)").unwrap();
        assert_eq!(step, Step { done: 45, total: 120, now: "sqlx-postgres, ring(build)".into() });
        assert_eq!(progress("   Compiling ring v0.17"), None);
    }

    #[test]
    fn the_count_of_errors_is_no_error() {
        let line = r#"{"reason":"compiler-message","message":{"level":"error","spans":[],"rendered":"error: aborting due to 2 previous errors"}}"#;
        assert_eq!(parse(line), None);
    }
}
