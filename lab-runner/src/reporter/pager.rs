//! Long text on a terminal goes through a pager, as git's does.

use std::io::{self, IsTerminal as _, Write as _};
use std::process::{Command, Stdio};

/// Prints `text`: through the user's pager, or less, if it does not fit the terminal that standard output is.
pub(super) fn print(text: &str) -> io::Result<()> {
    let rows = terminal_size::terminal_size().map_or(usize::MAX, |(_, rows)| usize::from(rows.0));
    if !io::stdout().is_terminal() || text.lines().count() < rows || !paged(text) {
        return super::print(text);
    }
    Ok(())
}

/// Whether a pager took `text`.
fn paged(text: &str) -> bool {
    let command = match std::env::var("PAGER") {
        Ok(pager) if pager.trim().is_empty() || pager.trim() == "cat" => return false,
        Ok(pager) => pager,
        Err(_) => "less".to_owned(),
    };
    let plain = anstream::AutoStream::choice(&io::stdout()) == anstream::ColorChoice::Never;
    let text = if plain { anstream::adapter::strip_str(text).to_string() } else { text.to_owned() };
    let mut shell = Command::new("sh");
    shell.args(["-c", &command]).stdin(Stdio::piped());
    if std::env::var_os("LESS").is_none() {
        // Colours as they are, no clearing, and nothing to quit where a screen is enough.
        shell.env("LESS", "FRX");
    }
    let Ok(mut pager) = shell.spawn() else { return false };
    // One that is quit early reads no more.
    let _ = pager.stdin.take().map(|mut stdin| stdin.write_all(text.as_bytes()));
    // A shell that does not find the pager says so, and ends with 127 (POSIX, Shell Command Language, 2.8.2).
    pager.wait().is_ok_and(|status| status.code() != Some(127))
}
