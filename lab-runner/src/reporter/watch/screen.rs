//! The one screen of `watch`: what is known, in as many lines as there are, and what keys do to it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use lab_protocol::Key;
use tokio::sync::Notify;

use super::super::human::{self, Size, View};
use super::super::inert::{self, inert};
use super::super::style::{bad, dim, good, strong, warn};
use super::super::{live, print};
use super::fit::fit;
use super::model::{Doing, Model};
use super::pages::{self, Page};
use crate::error::Error;
use crate::events::{EventKind, EventSink, RunEvent};
use crate::report::Check;

/// How long what has turned green is named.
const MOMENT: Duration = Duration::from_secs(6);
/// Screens with less than this have no room for the usual one.
const LEAST: Size = Size { columns: 40, rows: 14 };
/// More than this is hard to read, in columns.
const MOST_COLUMNS: usize = 100;
/// The keys and what they do, the most important first.
const KEYS: [&str; 7] = ["q quit", "h hint", "t transcript", "l log", "a all", "n next", "o README"];

/// What the user wishes, beside what the screen does by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// Nothing, or something that is done.
    None,
    /// To end.
    Quit,
    /// To end at once: Ctrl-C.
    Interrupt,
    /// To check again, without a change.
    Again,
    /// Another hint of this check: now so many are shown.
    Hint {
        /// The check's id.
        check: String,
        /// How many hints are shown.
        shown: u32,
    },
    /// To go on with this lab.
    Lab(String),
}

/// Shows what happens on one screen. It draws nothing itself: its lines go to the program that has the terminal.
#[derive(Debug)]
pub struct WatchScreen {
    state: Mutex<State>,
    changed: Notify,
    colours: bool,
}

#[derive(Debug)]
struct State {
    model: Model,
    readme: Utf8PathBuf,
    page: Page,
    /// The first line of a page that is to be seen.
    offset: usize,
    /// The failure that the user has chosen.
    focus: Option<String>,
    /// Until when what has turned green is named.
    green_until: Option<Instant>,
    warning: Option<String>,
}

impl WatchScreen {
    /// A screen for the lab called `id`, with its README at `readme`, which grades a program or a server.
    pub fn new(id: &str, title: &str, is_program: bool, readme: Utf8PathBuf) -> Self {
        let state = State {
            model: Model::new(id, title, is_program),
            readme,
            page: Page::Result,
            offset: 0,
            focus: None,
            green_until: None,
            warning: None,
        };
        let colours = anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never;
        Self { state: Mutex::new(state), changed: Notify::new(), colours }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns when there is something new to show.
    pub async fn changed(&self) {
        let moment = self.state().green_until;
        tokio::select! {
            () = self.changed.notified() => {}
            () = until(moment) => self.state().green_until = None,
        }
    }

    /// The check that the user looks at.
    pub fn focus(&self) -> Option<String> {
        self.state().check().map(|check| check.id.clone())
    }

    /// What a screen of `columns` and `rows` shows.
    pub fn lines(&self, columns: usize, rows: usize) -> Vec<String> {
        let lines = self.state().lines(Size { columns, rows });
        if self.colours {
            return lines;
        }
        lines.iter().map(|line| anstream::adapter::strip_str(line).to_string()).collect()
    }

    /// Does what `key` means, on a screen of so many `rows`.
    pub fn press(&self, key: Key, rows: usize) -> Wish {
        let wish = self.state().press(key, rows.saturating_sub(2).max(1));
        self.changed.notify_one();
        wish
    }

    /// Leaves a line where the screen was.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn farewell(&self) -> Result<(), Error> {
        let state = self.state();
        let Some(report) = &state.model.graded else { return Ok(()) };
        let report = inert::report(report);
        let size = Size { columns: human::width().min(MOST_COLUMNS), rows: 1 };
        let view = View { size, all_hints: false, focus: None, watched: true };
        let text = human::one_screen(&report, &state.model.guide, view);
        let head = text.lines().next().unwrap_or_default();
        print(&format!("{head}\n"))
            .map_err(|source| Error::io("write to", camino::Utf8Path::new("standard output"), source))
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment.into()).await,
        None => std::future::pending().await,
    }
}

impl EventSink for WatchScreen {
    fn emit(&self, event: &RunEvent) {
        // There may be thousands of these, and the result has them all.
        if matches!(event.kind, EventKind::Transcript { .. }) {
            return;
        }
        let mut state = self.state();
        state.take(event);
        drop(state);
        self.changed.notify_one();
    }
}

impl State {
    fn take(&mut self, event: &RunEvent) {
        let green = self.model.green.len();
        self.model.take(event);
        if self.model.green.len() > green {
            self.green_until = Some(Instant::now() + MOMENT);
        }
        match &event.kind {
            EventKind::RunStarted { .. } => self.warning = None,
            EventKind::Warning { message, .. } => self.warning = Some(inert::line(message)),
            EventKind::SourceChanged { paths } => {
                self.model.doing = Doing::Busy(format!("{} has changed", super::lines::named(paths)));
            }
            _ => {}
        }
    }

    /// The failure to show.
    fn check(&self) -> Option<&Check> {
        let failures = self.model.failures();
        let wanted = failures.iter().find(|check| self.focus.as_deref() == Some(check.id.as_str()));
        wanted.or(failures.first()).copied()
    }

    fn press(&mut self, key: Key, page: usize) -> Wish {
        match key {
            Key::Interrupt => return Wish::Interrupt,
            Key::Letter('q' | 'Q') => return Wish::Quit,
            Key::Letter('r') => return Wish::Again,
            Key::Letter('h') => return self.hint(),
            Key::Letter('n') => return self.next(),
            Key::Escape | Key::Enter => self.open(Page::Result),
            Key::Up | Key::Letter('k') => self.offset = self.offset.saturating_sub(1),
            Key::Down | Key::Letter('j') => self.offset = self.offset.saturating_add(1),
            Key::PageUp | Key::Letter('b') => self.offset = self.offset.saturating_sub(page),
            Key::PageDown | Key::Letter(' ') => self.offset = self.offset.saturating_add(page),
            Key::Home | Key::Letter('g') => self.offset = 0,
            // Cut to what there is when it is shown.
            Key::End | Key::Letter('G') => self.offset = usize::MAX / 2,
            Key::Letter(letter) => match Page::of(letter) {
                // The same key closes it.
                Some(page) if page == self.page => self.open(Page::Result),
                Some(page) => self.open(page),
                None => {}
            },
        }
        Wish::None
    }

    fn open(&mut self, page: Page) {
        (self.page, self.offset) = (page, 0);
        if page == Page::Readme {
            let task = self.check().map(|check| check.task);
            // As it is wrapped is not known here: where the task begins is looked for when it is shown.
            self.offset = task.map_or(0, |_| usize::MAX);
        }
    }

    /// One more hint of the failure that is shown.
    fn hint(&mut self) -> Wish {
        self.open(Page::Hints);
        let Some(check) = self.check().cloned() else { return Wish::None };
        let shown = (pages::hints_shown(&self.model.guide, &check) + 1).min(check.hints.len());
        let shown = u32::try_from(shown).unwrap_or(u32::MAX);
        self.model.guide.known.entry(check.id.clone()).or_default().asked_for(shown, &check);
        Wish::Hint { check: check.id, shown }
    }

    /// The next failure; where there is none and all is done, the next lab.
    fn next(&mut self) -> Wish {
        self.open(Page::Result);
        let failures: Vec<String> = self.model.failures().iter().map(|check| check.id.clone()).collect();
        if failures.is_empty() {
            let done = self.model.graded.as_ref().is_some_and(|report| {
                let fine = |id: &str| report.checks.iter().any(|check| check.id == id && check.is_fine());
                self.model.guide.checks.iter().all(|check| fine(&check.id))
            });
            let next = self.model.guide.next_lab.clone().filter(|_| done && self.model.doing == Doing::Waiting);
            return next.map_or(Wish::None, Wish::Lab);
        }
        let now = self.check().map(|check| check.id.clone());
        let at = failures.iter().position(|id| now.as_ref() == Some(id)).map_or(0, |at| at + 1);
        self.focus = failures.get(at % failures.len()).cloned();
        Wish::None
    }

    fn lines(&mut self, size: Size) -> Vec<String> {
        if size.rows == 0 {
            return Vec::new();
        }
        let Some(room) = size.rows.checked_sub(2).filter(|room| *room > 0 && size.columns > 0) else {
            return vec![fit(&self.status(size.columns), size.columns)];
        };
        let mut lines = match self.page {
            Page::Result => self.result(Size { rows: room, ..size }),
            page => self.page(page, Size { rows: room, ..size }),
        };
        lines.resize(room, String::new());
        lines.push(self.news());
        lines.push(self.status(size.columns));
        lines.iter().map(|line| fit(line, size.columns)).collect()
    }

    /// A page, as much of it as fits from where the user has gone to.
    fn page(&mut self, page: Page, size: Size) -> Vec<String> {
        let width = size.columns.min(MOST_COLUMNS);
        let check = self.check();
        let (text, begin) = match page {
            Page::Result => (Vec::new(), 0),
            Page::Hints => (pages::hints(&self.model.guide, &self.model.lab, check), 0),
            Page::Transcript => (pages::transcript(check, width), 0),
            Page::Log => (pages::log(check), 0),
            Page::All => (pages::all(&self.model, width), 0),
            Page::Readme => {
                let text = std::fs::read_to_string(&self.readme).unwrap_or_else(|error| error.to_string());
                pages::readme(&text, check.map(|check| check.task), width)
            }
        };
        let title = page.title(&self.model, check);
        let room = size.rows.saturating_sub(1);
        let last = text.len().saturating_sub(room);
        self.offset = if self.offset == usize::MAX { begin } else { self.offset }.min(last);
        let part = match last {
            0 => String::new(),
            _ => format!("  {}–{} of {}", self.offset + 1, (self.offset + room).min(text.len()), text.len()),
        };
        let head = format!("{}{}", strong(title), dim(format_args!("{part}  Esc goes back")));
        std::iter::once(head).chain(text.into_iter().skip(self.offset).take(room)).collect()
    }

    /// The result on one screen, or what there is in its place.
    fn result(&self, size: Size) -> Vec<String> {
        let model = &self.model;
        if let Some(problem) = &model.problem {
            let details: Vec<String> = problem.details.iter().map(|detail| inert(detail).into_owned()).collect();
            return cut(&live::words::failure(&problem.message, &details, &problem.hints), size);
        }
        let columns = size.columns.clamp(LEAST.columns, MOST_COLUMNS);
        let view =
            View { size: Size { columns, ..size }, all_hints: false, focus: self.focus.as_deref(), watched: true };
        if let Some(report) = model.nothing_checked() {
            let why = human::one_screen(report, &model.guide, view);
            return cut(&format!("{}\n\n{}", self.name(), why.trim_start()), size);
        }
        let Some(report) = &model.graded else {
            return vec![self.name()];
        };
        if size.columns < LEAST.columns || size.rows < LEAST.rows {
            return self.small(size);
        }
        cut(&human::one_screen(report, &model.guide, view), size)
    }

    fn name(&self) -> String {
        strong(format_args!("{} {}", inert(&self.model.lab), inert(&self.model.title)))
    }

    /// The points and the failure, where there is room for no more.
    fn small(&self, size: Size) -> Vec<String> {
        let Some(report) = &self.model.graded else { return Vec::new() };
        let mut lines = vec![strong(format_args!("{} {}/{}", inert(&report.lab), report.score, report.max_score))];
        if let Some(check) = self.check().map(inert::check) {
            lines.push(bad(format_args!("✗ {}", check.id)));
            let text = format!("{}\n{}", check.title, check.message.unwrap_or_default());
            let options = textwrap::Options::new(size.columns.max(1)).break_words(true);
            lines.extend(textwrap::wrap(&text, options).into_iter().map(String::from));
        }
        lines.truncate(size.rows);
        lines
    }

    /// What has just turned green, or what there is to be warned of.
    fn news(&self) -> String {
        if self.green_until.is_some() && !self.model.green.is_empty() {
            let names = self.model.green.iter().map(|id| inert(id).into_owned()).collect::<Vec<_>>().join(", ");
            return good(format_args!("✓ just passed: {names}"));
        }
        self.warning.as_ref().map(|warning| format!("{} {warning}", warn("warning:"))).unwrap_or_default()
    }

    /// What goes on, and as many keys as there is room for.
    fn status(&self, width: usize) -> String {
        let model = &self.model;
        let doing = match &model.doing {
            Doing::Waiting => "waiting for a save".to_owned(),
            Doing::Busy(what) => format!("{what} …"),
            Doing::Checking => {
                let names: Vec<&str> = model.running.iter().map(String::as_str).take(1).collect();
                format!("{}/{} checking {} …", model.done, model.planned, inert(&names.concat()))
            }
        };
        let mut keys: Vec<&str> = Vec::new();
        // What goes on may take the rest, but keys are not to come and go with it.
        let least = width.min(18);
        for key in KEYS {
            let used: usize = keys.iter().chain([&key]).map(|key| key.chars().count() + 2).sum();
            if least + used <= width {
                keys.push(key);
            }
        }
        // In the order of the sketch: to leave comes last.
        if !keys.is_empty() {
            keys.rotate_left(1);
        }
        let keys: String = keys.iter().map(|key| format!("  {key}")).collect();
        let room = width.saturating_sub(keys.chars().count());
        let doing = fit(&doing, room);
        let gap = room.saturating_sub(textwrap::core::display_width(&doing));
        format!("{}{}{}", strong(doing), " ".repeat(gap), dim(keys))
    }
}

/// The first lines of `text`; of more, the last says so.
fn cut(text: &str, size: Size) -> Vec<String> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if lines.len() > size.rows {
        let more = lines.len() + 1 - size.rows;
        lines.truncate(size.rows.saturating_sub(1));
        lines.push(dim(format_args!("… {more} more lines: a")));
    }
    lines
}
