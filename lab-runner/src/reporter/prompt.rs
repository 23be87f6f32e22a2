//! Questions to the user.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

/// Asks on the terminal. Without one, nobody has agreed.
pub fn ask(question: &str) -> bool {
    if !can_ask() {
        return false;
    }
    let _ = write!(anstream::stderr(), "{question} [y/N] ");
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    read.is_ok() && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}

/// Whether there is somebody to ask.
pub fn can_ask() -> bool {
    std::io::stdin().is_terminal()
}
