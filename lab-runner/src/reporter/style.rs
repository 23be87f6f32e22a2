//! Colours. Everything reads the same without them; anstream takes them out where none are wanted.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};

fn styled(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Something passed.
pub fn good(text: impl Display) -> String {
    styled(AnsiColor::Green.on_default().bold(), text)
}

/// Something failed.
pub fn bad(text: impl Display) -> String {
    styled(AnsiColor::Red.on_default().bold(), text)
}

/// Something is to be looked at.
pub fn warn(text: impl Display) -> String {
    styled(AnsiColor::Yellow.on_default().bold(), text)
}

/// Something stands out.
pub fn strong(text: impl Display) -> String {
    styled(Style::new().bold(), text)
}

/// Something matters less.
pub fn dim(text: impl Display) -> String {
    styled(Style::new().dimmed(), text)
}
