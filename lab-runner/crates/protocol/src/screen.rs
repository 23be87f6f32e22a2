//! What the runner and `lab-watch`, the program that has the terminal while `watch` runs, say to each other: a line of JSON
//! for each message, on a socket that is the program's standard output. Its standard input is the terminal.
//!
//! The runner decides what is seen, line by line; the program only shows it, and tells which keys were pressed and that
//! files may have changed. Either ends when the other hangs up, and leaves the terminal as it was.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// From the runner to the screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "message", rename_all = "snake_case")]
pub enum ToScreen {
    /// The first message: which files to watch.
    Watch {
        /// Folders, watched with all that is below them.
        folders: Vec<PathBuf>,
        /// Folders of which only the files in them are watched.
        shallow: Vec<PathBuf>,
    },
    /// What the screen is to show from now on.
    Show {
        /// Its lines from the top, each as wide as the screen at most, with no control but the colours of SGR (ECMA-48).
        lines: Vec<String>,
    },
}

/// From the screen to the runner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "message", rename_all = "snake_case")]
pub enum FromScreen {
    /// The screen's size: told first, and whenever it changes.
    Size {
        /// In characters.
        columns: u16,
        /// In lines.
        rows: u16,
    },
    /// A key was pressed.
    Pressed {
        /// Which.
        key: Key,
    },
    /// Something has happened to a watched file, and is over for now. Whether its content has changed is for the runner to
    /// see.
    Touched,
    /// No events come of the watched files: the runner has to look by itself.
    Blind,
}

/// The keys that mean something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Key {
    /// A letter or a space.
    Letter(char),
    /// Enter.
    Enter,
    /// Esc.
    Escape,
    /// The arrow up.
    Up,
    /// The arrow down.
    Down,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// To the beginning.
    Home,
    /// To the end.
    End,
    /// Ctrl-C.
    Interrupt,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_understood() {
        let key = FromScreen::Pressed { key: Key::Letter('h') };
        let line = serde_json::to_string(&key).unwrap();
        assert_eq!(line, r#"{"message":"pressed","key":{"letter":"h"}}"#);
        assert_eq!(serde_json::from_str::<FromScreen>(&line).unwrap(), key);
        let show = ToScreen::Show { lines: vec!["\u{1b}[1mbold\u{1b}[0m".to_owned()] };
        let line = serde_json::to_string(&show).unwrap();
        assert!(!line.contains('\u{1b}'), "{line}");
        assert_eq!(serde_json::from_str::<ToScreen>(&line).unwrap(), show);
    }
}
