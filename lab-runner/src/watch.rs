//! Grades a lab on every save, until the user has enough: what `cargo lab watch` does. The engine is the same as for
//! `check`; so are its services, which stay up between runs.
//!
//! That something may have changed is known from events, where there are any, and from looking now and then. Whether it
//! has is decided by content alone, against what the last run began with, so that nothing is lost while a run goes on.

mod attention;
mod files;
mod helper;

use std::sync::Arc;

use camino::Utf8PathBuf;

use crate::context::RunContext;
use crate::engine::{Engine, Extent, Request};
use crate::error::{Error, ExpectedError as _};
use crate::events::{EventKind, EventSink};
use crate::exit::ExitCode;
use crate::helper::Helper;
use crate::interrupt::Interrupt;
use crate::manifest::{self, Manifest, ManifestError};
use crate::report::Report;
use crate::reporter::{Reporter, Style, WatchLines, WatchScreen, Wish};
use crate::suite::Suite;
use crate::workspace::Lab;

use attention::{Attention, Wake};
use files::Files;
use helper::Terminal;

/// How watching a lab came to its end.
#[derive(Debug)]
pub enum Ended {
    /// The user has enough: the program ends with this code.
    Exit(ExitCode),
    /// The user wants to go on with this lab.
    Lab(String),
}

/// Watches one lab.
pub struct Watch<'a> {
    engine: &'a Engine,
    /// The lab, as its manifest says it is now.
    lab: Lab,
    interrupt: &'a Interrupt,
    /// A request for a run, but for what changes from run to run.
    request: &'a dyn Fn() -> Request,
    attention: Attention<'a>,
    /// Who is told of everything.
    sinks: Vec<Arc<dyn EventSink>>,
    /// The screen to be had once its program is built.
    wanted: Option<(Helper, Arc<WatchScreen>)>,
    lines: Option<Arc<WatchLines>>,
}

impl<'a> Watch<'a> {
    /// Watches `lab` in plain lines; `request` makes the request for a run of it.
    pub fn in_lines(
        engine: &'a Engine,
        lab: &'a Lab,
        interrupt: &'a Interrupt,
        request: &'a dyn Fn() -> Request,
    ) -> Self {
        let lines = Arc::new(WatchLines::new(lab.id(), &lab.manifest.title, lab.manifest.program.is_some()));
        let attention = Attention::new(Files::of(&engine.workspace, lab), interrupt);
        let sinks: Vec<Arc<dyn EventSink>> = vec![lines.clone()];
        Self { engine, lab: lab.clone(), interrupt, request, attention, sinks, wanted: None, lines: Some(lines) }
    }

    /// Watches `lab` on a screen: at once if its program is there; else results are printed as `check` prints them until
    /// it has been built.
    pub fn on_a_screen(
        engine: &'a Engine,
        lab: &'a Lab,
        interrupt: &'a Interrupt,
        request: &'a dyn Fn() -> Request,
    ) -> Self {
        let readme = lab.folder.join("README.md");
        let screen = Arc::new(WatchScreen::new(lab.id(), &lab.manifest.title, lab.manifest.program.is_some(), readme));
        let mut watch = Self {
            attention: Attention::new(Files::of(&engine.workspace, lab), interrupt),
            sinks: vec![screen.clone(), Arc::new(Reporter::new(Style::default()))],
            wanted: helper::find().map(|helper| (helper, screen)),
            lines: None,
            engine,
            lab: lab.clone(),
            interrupt,
            request,
        };
        if let Some(program) = watch.wanted.as_ref().and_then(|(helper, _)| helper.fresh()) {
            watch.open(&program);
        }
        watch
    }

    /// Grades now and after every save, until the user has enough.
    ///
    /// # Errors
    /// The terminal was lost, or nothing can be printed.
    pub async fn watch(mut self) -> Result<Ended, Error> {
        let (lab, title) = (self.lab.id().to_owned(), self.lab.manifest.title.clone());
        self.context().emit(EventKind::WatchStarted { lab, title });
        let ended = self.rounds().await;
        if let Some(screen) = self.close().await? {
            screen.farewell()?;
        }
        self.lines.map_or(Ok(()), |lines| lines.finish())?;
        ended
    }

    async fn rounds(&mut self) -> Result<Ended, Error> {
        let mut due = Some(Vec::new());
        loop {
            let wake = match due.take() {
                Some(changed) => self.round(changed).await?,
                None => match self.prepare_screen().await {
                    Some(wake) => wake,
                    None => self.attention.next().await,
                },
            };
            match wake {
                Wake::Changed(paths) => due = Some(paths),
                Wake::Wished(Wish::Again) => due = Some(Vec::new()),
                Wake::Wished(Wish::Quit) => return Ok(Ended::Exit(ExitCode::Passed)),
                Wake::Wished(Wish::Interrupt) | Wake::Interrupted => return Ok(Ended::Exit(ExitCode::Interrupted)),
                Wake::Wished(Wish::Lab(lab)) => return Ok(Ended::Lab(lab)),
                Wake::Wished(wish) => self.grant(&wish),
                Wake::Done => {}
                Wake::Lost => return Err(self.lost().await),
            }
        }
    }

    fn context(&self) -> RunContext {
        let (first, more) = self.sinks.split_first().expect("there is always one who is told");
        more.iter().fold(RunContext::new(first.clone(), self.interrupt), |run, sink| run.with_sink(sink.clone()))
    }

    /// One run, because the files in `changed` have changed. Gives what ended it, or what is to come next.
    async fn round(&mut self, changed: Vec<Utf8PathBuf>) -> Result<Wake, Error> {
        let run = self.context();
        let has_manifest = self.attention.is_manifest_among(&changed);
        if !changed.is_empty() {
            run.emit(EventKind::SourceChanged { paths: changed });
        }
        if has_manifest && let Err(error) = self.read_manifest() {
            tell(&run, &error.into());
            return Ok(Wake::Done);
        }
        let request = Request { extent: Extent::NextTask, first: self.first(), ..(self.request)() };
        let (engine, lab) = (self.engine, self.lab.clone());
        let mut grading = std::pin::pin!(engine.grade(&lab, &request, &run));
        let graded = loop {
            let wake = tokio::select! {
                graded = &mut grading => break graded,
                wake = self.attention.next() => wake,
            };
            if let Wake::Wished(wish @ Wish::Hint { .. }) = &wake {
                self.grant(wish);
                continue;
            }
            // Whoever leaves wants the terminal back, and not to wait until everything is cleaned up.
            if !matches!(wake, Wake::Changed(_) | Wake::Wished(Wish::Again)) {
                self.attention.release().await;
            }
            run.cancel().cancel();
            let _ = grading.await;
            engine.tidy();
            return Ok(wake);
        };
        let wake = match graded {
            Ok(report) if self.has_more_to_ask(&report) => Wake::Wished(Wish::Again),
            Ok(_) => Wake::Done,
            Err(Error::Interrupted) => Wake::Interrupted,
            Err(error) => {
                tell(&run, &error);
                Wake::Done
            }
        };
        engine.tidy();
        Ok(wake)
    }

    /// Takes in what the lab's manifest says now.
    fn read_manifest(&mut self) -> Result<(), ManifestError> {
        self.lab.manifest = Manifest::load(&self.lab.folder.join(manifest::FILE_NAME))?;
        self.attention.belong_to(&self.lab);
        Ok(())
    }

    /// What is run first: the check that the user looks at, then its task.
    fn first(&self) -> Vec<Vec<String>> {
        let known = self.engine.state.lab(self.lab.id());
        let focus = self.attention.focus().or(known.next_check);
        let (declared, _) = Suite::known_checks(&self.engine.workspace, &self.lab);
        let Some(check) = declared.iter().find(|check| Some(&check.id) == focus.as_ref()) else { return Vec::new() };
        let task = declared.iter().filter(|one| one.task == check.task).map(|one| one.id.clone()).collect();
        vec![vec![check.id.clone()], task]
    }

    /// Whether everything that was asked is done and the next task is not: then that is asked, without a save.
    fn has_more_to_ask(&self, report: &Report) -> bool {
        let done = !report.checks.is_empty() && report.checks.iter().all(crate::report::Check::is_fine);
        let next = self.engine.state.lab(self.lab.id()).next_check;
        done && next.is_some_and(|next| report.checks.iter().all(|check| check.id != next))
    }

    fn grant(&self, wish: &Wish) {
        if let Wish::Hint { check, shown } = wish {
            self.engine.state.record_hints(self.lab.id(), check, *shown);
        }
    }

    /// Builds the screen's program if it is wanted and not there, and has it take the terminal. Gives what came in between.
    async fn prepare_screen(&mut self) -> Option<Wake> {
        let (helper, _) = self.wanted.clone()?;
        // The screen is to show the lab's own runs, and nothing of how it came about.
        let run = RunContext::new(self.sinks.last()?.clone(), self.interrupt);
        run.emit(EventKind::Step { text: "compiling the screen, once; results are printed until it is there".into() });
        let folder = self.engine.folder();
        let built = tokio::select! {
            built = async { helper.build(folder.map_err(|error| lab_protocol::in_full(&error))?, &run).await } => built,
            wake = self.attention.next() => {
                run.cancel().cancel();
                return Some(wake);
            }
        };
        match built {
            Ok(program) => self.open(&program),
            Err(message) => self.give_up(message),
        }
        None
    }

    /// Goes on without a screen.
    fn give_up(&mut self, message: String) {
        self.wanted = None;
        let hints = vec!["results are printed after each save".to_owned()];
        self.context().emit(EventKind::Warning { message: format!("there is no screen: {message}"), hints });
    }

    /// Has `program` take the terminal.
    fn open(&mut self, program: &Utf8PathBuf) {
        let Some((_, screen)) = self.wanted.take() else { return };
        match Terminal::open(program) {
            Ok(terminal) => {
                self.sinks = vec![screen.clone()];
                self.attention.show_on(terminal, screen);
            }
            Err(error) => self.give_up(format!("{program}: {error}")),
        }
    }

    /// Has the terminal given back. Gives the screen that was on it.
    async fn close(&mut self) -> Result<Option<Arc<WatchScreen>>, Error> {
        self.attention.release().await;
        Ok(self.attention.screen())
    }

    /// The error that the terminal was lost.
    async fn lost(&mut self) -> Error {
        self.attention.release().await;
        Error::Fault(self.attention.screen_error().unwrap_or_else(|| "the screen was lost".to_owned()))
    }
}

/// Tells that a run came to nothing.
fn tell(run: &RunContext, error: &Error) {
    let (message, details, hints) = (error.message(), error.details().to_vec(), error.hints());
    run.emit(EventKind::CommandFailed { message, details, hints });
}
