//! What the terminal's events mean.

use crossterm::event::{Event, KeyCode, KeyEventKind, KeyModifiers};
use lab_protocol::Key;

/// What an event means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Nothing to us.
    Nothing,
    /// A key for the runner.
    Pressed(Key),
    /// The screen is now this many columns and rows.
    Size(u16, u16),
    /// Ctrl-Z, which a terminal in raw mode leaves to us.
    Suspend,
}

/// What `event` means.
pub(crate) fn meaning(event: &Event) -> Meaning {
    let key = match event {
        Event::Resize(columns, rows) => return Meaning::Size(*columns, *rows),
        Event::Key(key) if key.kind != KeyEventKind::Release => key,
        _ => return Meaning::Nothing,
    };
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    let key = match key.code {
        KeyCode::Char('z') if control => return Meaning::Suspend,
        KeyCode::Char('c') if control => Key::Interrupt,
        KeyCode::Char(_) if control || key.modifiers.contains(KeyModifiers::ALT) => return Meaning::Nothing,
        KeyCode::Char(letter) => Key::Letter(letter),
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Escape,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        _ => return Meaning::Nothing,
    };
    Meaning::Pressed(key)
}

#[cfg(test)]
mod tests {
    use crossterm::event::KeyEvent;

    use super::*;

    #[test]
    fn control_keys_are_no_letters() {
        let pressed = |letter, modifiers| meaning(&Event::Key(KeyEvent::new(KeyCode::Char(letter), modifiers)));
        assert_eq!(pressed('c', KeyModifiers::CONTROL), Meaning::Pressed(Key::Interrupt));
        assert_eq!(pressed('z', KeyModifiers::CONTROL), Meaning::Suspend);
        assert_eq!(pressed('q', KeyModifiers::ALT), Meaning::Nothing);
        assert_eq!(pressed('G', KeyModifiers::SHIFT), Meaning::Pressed(Key::Letter('G')));
    }
}
