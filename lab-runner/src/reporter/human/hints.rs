//! What `cargo lab hint` shows: the hints of one check so far, and whether there are more.

use super::super::inert::inert;
use super::super::style::{dim, strong};

/// The hints of the check `id`, of which there are `total`.
pub(in crate::reporter) fn hints(lab: &str, id: &str, title: &str, hints: &[String], total: usize) -> String {
    let mut text = format!("{}  {}\n\n", strong(inert(id)), inert(title));
    for (index, hint) in hints.iter().enumerate() {
        text.push_str(&format!("  {} {}\n", dim(format_args!("hint {} of {total}", index + 1)), inert(hint)));
    }
    let more = if hints.is_empty() {
        format!("this check has no hints; labs/{lab}-*/README.md says what it asks for")
    } else if hints.len() < total {
        "more: cargo lab hint".to_owned()
    } else {
        "that was the last one".to_owned()
    };
    text.push_str(&format!("\n{}\n", dim(more)));
    text
}
