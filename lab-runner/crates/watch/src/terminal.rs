//! The terminal: taken, drawn on, and given back as it was.

use std::fs::File;
use std::io::{self, Write as _};

use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::style::{Attribute, Print, SetAttribute};
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, DisableLineWrap, EnableLineWrap, EndSynchronizedUpdate,
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{execute, queue};
use rustix::process::{Signal, kill_current_process_group};

/// A terminal in raw mode, on its alternate screen.
pub(crate) struct Terminal {
    out: File,
    rows: usize,
    /// What is to be seen.
    lines: Vec<String>,
    /// What is seen, as far as it is known.
    shown: Vec<String>,
}

/// Gives the terminal back before a panic is told.
pub(crate) fn restore_on_panic() {
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if let Ok(mut out) = open() {
            let _ = give_back(&mut out);
        }
        tell(panic);
        // A thread that is gone would be waited for.
        std::process::exit(101);
    }));
}

fn open() -> io::Result<File> {
    File::options().write(true).open("/dev/tty")
}

fn take(out: &mut File) -> io::Result<()> {
    enable_raw_mode()?;
    execute!(out, EnterAlternateScreen, Hide, DisableLineWrap, Clear(ClearType::All))
}

fn give_back(out: &mut File) -> io::Result<()> {
    let left = execute!(out, EndSynchronizedUpdate, EnableLineWrap, Show, LeaveAlternateScreen);
    disable_raw_mode()?;
    left
}

impl Terminal {
    /// Takes the terminal.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn enter() -> io::Result<Self> {
        let mut out = open()?;
        if let Err(error) = take(&mut out) {
            let _ = give_back(&mut out);
            return Err(error);
        }
        let (_, rows) = crossterm::terminal::size()?;
        Ok(Self { out, rows: rows.into(), lines: Vec::new(), shown: Vec::new() })
    }

    /// Shows `lines` from the top, and nothing else. What has not changed is not drawn again.
    pub(crate) fn show(&mut self, lines: Vec<String>) -> io::Result<()> {
        self.lines = lines;
        let mut drawing = Vec::new();
        queue!(drawing, BeginSynchronizedUpdate)?;
        for row in 0..self.rows {
            let line = self.lines.get(row).map_or("", String::as_str);
            if self.shown.get(row).is_some_and(|shown| shown == line) {
                continue;
            }
            // A line may end in the last column, from where clearing would take its last character away: so it is cleared
            // first.
            let at = MoveTo(0, u16::try_from(row).unwrap_or(u16::MAX));
            let reset = SetAttribute(Attribute::Reset);
            queue!(drawing, at, reset, Clear(ClearType::UntilNewLine), Print(line), reset)?;
        }
        queue!(drawing, EndSynchronizedUpdate)?;
        self.out.write_all(&drawing)?;
        self.shown = self.lines.clone();
        self.shown.resize(self.rows, String::new());
        Ok(())
    }

    /// Takes note of the screen's new size. What is on it is anybody's guess.
    pub(crate) fn resized(&mut self, _columns: u16, rows: u16) -> io::Result<()> {
        self.rows = rows.into();
        self.redraw()
    }

    fn redraw(&mut self) -> io::Result<()> {
        execute!(self.out, SetAttribute(Attribute::Reset), Clear(ClearType::All))?;
        self.shown = vec![String::new(); self.rows];
        self.show(self.lines.clone())
    }

    /// Gives the terminal back and stops, and the runner with us, until the shell lets us go on.
    pub(crate) fn suspend(&mut self) -> io::Result<()> {
        self.leave()?;
        // The runner is of our process group. We are stopped before this returns, as it is the first thread that asks.
        kill_current_process_group(Signal::TSTP)?;
        take(&mut self.out)?;
        let (_, rows) = crossterm::terminal::size()?;
        self.rows = rows.into();
        self.redraw()
    }

    /// Gives the terminal back.
    pub(crate) fn leave(&mut self) -> io::Result<()> {
        give_back(&mut self.out)
    }
}
