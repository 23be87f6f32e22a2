//! What `watch` pays attention to, all at once: files, keys, signals, and a screen that is to be kept up to date.

use std::sync::Arc;
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use lab_protocol::{FromScreen, ToScreen};

use super::files::Files;
use super::helper::Terminal;
use crate::interrupt::Interrupt;
use crate::reporter::{WatchScreen, Wish};
use crate::workspace::Lab;

/// How often files are looked at where no events come.
const OFTEN: Duration = Duration::from_millis(100);
/// How often they are looked at where events come: one may be lost, or a file system may know none of another machine's.
const SELDOM: Duration = Duration::from_secs(1);
/// A save is over when nothing more has changed for this long: editors and formatters write more than once.
const SETTLED: Duration = Duration::from_millis(40);
/// Who never stops writing is not waited for any longer.
const MOST_SETTLING: Duration = Duration::from_secs(1);
/// The shortest time between two drawings of the screen.
const FRAME: Duration = Duration::from_millis(30);

/// What happened that concerns the run.
#[derive(Debug)]
pub(super) enum Wake {
    /// These files have changed.
    Changed(Vec<Utf8PathBuf>),
    /// The user wishes this.
    Wished(Wish),
    /// The process is to end.
    Interrupted,
    /// The program that has the terminal has ended.
    Lost,
    /// Nothing: a run is over.
    Done,
}

/// What is paid attention to.
pub(super) struct Attention<'a> {
    files: Files,
    interrupt: &'a Interrupt,
    /// When the files are looked at next.
    look_at: Instant,
    every: Duration,
    settling: Option<Settling>,
    display: Option<Display>,
    screen: Option<Arc<WatchScreen>>,
    /// What went wrong with the terminal.
    screen_error: Option<String>,
}

/// A save that may go on.
struct Settling {
    since: Instant,
    paths: Vec<Utf8PathBuf>,
}

/// A screen on a terminal.
struct Display {
    terminal: Terminal,
    columns: usize,
    rows: usize,
    /// When it was drawn, and whether it has changed since.
    drawn: Instant,
    stale: bool,
}

impl<'a> Attention<'a> {
    pub(super) fn new(files: Files, interrupt: &'a Interrupt) -> Self {
        let look_at = Instant::now() + OFTEN;
        let (display, screen, settling, screen_error) = (None, None, None, None);
        Self { files, interrupt, look_at, every: OFTEN, settling, display, screen, screen_error }
    }

    /// Shows `screen` on `terminal` from now on.
    pub(super) fn show_on(&mut self, terminal: Terminal, screen: Arc<WatchScreen>) {
        let (folders, shallow) = self.files.folders();
        terminal.send(ToScreen::Watch { folders, shallow });
        self.display = Some(Display { terminal, columns: 0, rows: 0, drawn: Instant::now(), stale: false });
        self.screen = Some(screen);
    }

    /// Whether the manifest is among `changed`.
    pub(super) fn is_manifest_among(&self, changed: &[Utf8PathBuf]) -> bool {
        changed.contains(&self.files.manifest())
    }

    /// Looks at the files that the manifest of `lab` names now.
    pub(super) fn belong_to(&mut self, lab: &Lab) {
        self.files.belong_to(lab);
    }

    /// The screen that is, or was, shown.
    pub(super) fn screen(&self) -> Option<Arc<WatchScreen>> {
        self.screen.clone()
    }

    /// What went wrong with the terminal, if something did.
    pub(super) fn screen_error(&self) -> Option<String> {
        self.screen_error.clone()
    }

    /// The check that the user looks at.
    pub(super) fn focus(&self) -> Option<String> {
        self.screen.as_ref().and_then(|screen| screen.focus())
    }

    /// Has the terminal given back.
    pub(super) async fn release(&mut self) {
        if let Some(display) = self.display.take() {
            self.screen_error = display.terminal.close().await;
        }
    }

    /// Keeps the screen up to date until something happens that concerns the run. Safe to cancel.
    pub(super) async fn next(&mut self) -> Wake {
        loop {
            let draw_at = self.display.as_ref().filter(|display| display.stale).map(|display| display.drawn + FRAME);
            let (display, screen) = (&mut self.display, &self.screen);
            let showing = display.is_some();
            let occurrence = tokio::select! {
                () = self.interrupt.wait() => return Wake::Interrupted,
                () = until(Some(self.look_at)) => Occurrence::Look,
                () = until(draw_at) => Occurrence::Draw,
                () = changed(screen.as_deref()), if showing && draw_at.is_none() => Occurrence::Stale,
                message = next_message(display) => Occurrence::Message(message),
            };
            let wake = match occurrence {
                Occurrence::Look => self.look(),
                Occurrence::Draw => self.draw(),
                Occurrence::Stale => self.make_stale(),
                Occurrence::Message(message) => self.take(message),
            };
            if let Some(wake) = wake {
                return wake;
            }
        }
    }

    /// Looks at the files; what has changed is told once it changes no more.
    fn look(&mut self) -> Option<Wake> {
        let now = Instant::now();
        let changed = self.files.look();
        self.look_at = now + self.every;
        let still = !changed.is_empty();
        if still {
            let settling = self.settling.get_or_insert_with(|| Settling { since: now, paths: Vec::new() });
            let new = changed.into_iter().filter(|path| !settling.paths.contains(path)).collect::<Vec<_>>();
            settling.paths.extend(new);
        }
        let settling = self.settling.take()?;
        if still && settling.since + MOST_SETTLING > now {
            self.look_at = now + SETTLED;
            self.settling = Some(settling);
            return None;
        }
        Some(Wake::Changed(settling.paths))
    }

    fn make_stale(&mut self) -> Option<Wake> {
        if let Some(display) = &mut self.display {
            display.stale = true;
        }
        None
    }

    fn draw(&mut self) -> Option<Wake> {
        if let (Some(display), Some(screen)) = (&mut self.display, &self.screen) {
            display.stale = false;
            display.drawn = Instant::now();
            if display.rows > 0 {
                display.terminal.send(ToScreen::Show { lines: screen.lines(display.columns, display.rows) });
            }
        }
        None
    }

    fn take(&mut self, said: Option<FromScreen>) -> Option<Wake> {
        match said {
            None => return Some(Wake::Lost),
            // Events come in crowds; looking costs little.
            Some(FromScreen::Touched) => {
                self.every = SELDOM;
                if self.settling.is_none() {
                    self.look_at = Instant::now();
                }
            }
            Some(FromScreen::Blind) => self.every = OFTEN,
            Some(FromScreen::Size { columns, rows }) => {
                if let Some(display) = &mut self.display {
                    (display.columns, display.rows) = (columns.into(), rows.into());
                }
                return self.draw();
            }
            Some(FromScreen::Pressed { key }) => {
                let rows = self.display.as_ref().map_or(0, |display| display.rows);
                let wish = self.screen.as_ref().map_or(Wish::None, |screen| screen.press(key, rows));
                return (wish != Wish::None).then_some(Wake::Wished(wish));
            }
        }
        None
    }
}

/// What there is to do.
enum Occurrence {
    Look,
    Draw,
    Stale,
    Message(Option<FromScreen>),
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment.into()).await,
        None => std::future::pending().await,
    }
}

async fn changed(screen: Option<&WatchScreen>) {
    match screen {
        Some(screen) => screen.changed().await,
        None => std::future::pending().await,
    }
}

async fn next_message(display: &mut Option<Display>) -> Option<FromScreen> {
    match display {
        Some(display) => display.terminal.next().await,
        None => std::future::pending().await,
    }
}
