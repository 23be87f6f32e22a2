//! Has the terminal and the files' events while `cargo lab watch` runs: shows the lines that the runner sends, and tells it
//! of keys, of the screen's size, and that files may have changed.
//!
//! Standard input is the terminal, and standard output a socket to the runner (see `lab_protocol::ToScreen`). When the
//! runner hangs up, however it ended, the terminal is given back as it was.
#![expect(clippy::print_stderr, reason = "what goes wrong is told to the runner, which reads stderr")]

mod files;
mod keys;
mod socket;
mod terminal;

use std::io;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use crossterm::event::Event;
use lab_protocol::{FromScreen, ToScreen};

use files::Watcher;
use keys::Meaning;
use socket::Runner;
use terminal::Terminal;

/// What there is to react to.
enum Signal {
    /// The runner said something.
    Message(ToScreen),
    /// The runner is gone, or the terminal is.
    HungUp,
    /// The terminal said something.
    Input(Event),
    /// Something happened to a watched file.
    Touched,
}

fn main() -> ExitCode {
    terminal::restore_on_panic();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> io::Result<()> {
    let (signals, coming) = channel();
    let (mut runner, messages) = socket::open()?;
    let told = signals.clone();
    thread::spawn(move || {
        messages.map(Signal::Message).chain([Signal::HungUp]).for_each(|signal| drop(told.send(signal)));
    });
    let mut terminal = Terminal::enter()?;
    let (columns, rows) = crossterm::terminal::size()?;
    runner.send(FromScreen::Size { columns, rows });
    let pressed = signals.clone();
    thread::spawn(move || {
        while let Ok(event) = crossterm::event::read() {
            drop(pressed.send(Signal::Input(event)));
        }
        drop(pressed.send(Signal::HungUp));
    });
    let touched = move || drop(signals.send(Signal::Touched));
    let served = serve(&coming, &mut runner, &mut terminal, touched);
    let left = terminal.leave();
    served.and(left)
}

/// Reacts to what comes, until the runner hangs up.
fn serve(
    coming: &Receiver<Signal>,
    runner: &mut Runner,
    terminal: &mut Terminal,
    touched: impl Fn() + Clone + Send + 'static,
) -> io::Result<()> {
    let mut watcher: Option<Watcher> = None;
    for signal in coming {
        match signal {
            Signal::HungUp => break,
            Signal::Touched => runner.send(FromScreen::Touched),
            Signal::Message(ToScreen::Show { lines }) => terminal.show(lines)?,
            Signal::Message(ToScreen::Watch { folders, shallow }) => {
                watcher = files::watch(&folders, &shallow, touched.clone());
                // Whatever happened before now was not seen by anybody.
                runner.send(if watcher.is_some() { FromScreen::Touched } else { FromScreen::Blind });
            }
            Signal::Input(event) => match keys::meaning(&event) {
                Meaning::Nothing => {}
                Meaning::Pressed(key) => runner.send(FromScreen::Pressed { key }),
                Meaning::Size(columns, rows) => {
                    terminal.resized(columns, rows)?;
                    runner.send(FromScreen::Size { columns, rows });
                }
                Meaning::Suspend => terminal.suspend()?,
            },
        }
    }
    drop(watcher);
    Ok(())
}
