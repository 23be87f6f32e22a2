//! What one run carries with it: its id, its clock, where its events go, and how it is cancelled.

use std::sync::Arc;

use lab_protocol::{RunClock, Stamp};

use crate::events::{EventKind, EventSink, NullSink, RunEvent};
use crate::interrupt::{CancelToken, Interrupt};

/// One run.
#[derive(Debug, Clone)]
pub struct RunContext {
    id: String,
    clock: RunClock,
    sinks: Vec<Arc<dyn EventSink>>,
    cancel: CancelToken,
}

impl RunContext {
    /// A run that begins now, whose events go to `sink` and which `interrupt` cancels.
    pub fn new(sink: Arc<dyn EventSink>, interrupt: &Interrupt) -> Self {
        Self::begin(vec![sink], interrupt.token())
    }

    /// A run that begins now, is cancelled with this one, and tells nobody of itself: part of a greater work.
    pub fn silent(&self) -> Self {
        Self::begin(vec![Arc::new(NullSink)], self.cancel.clone())
    }

    /// A run that begins now, whose events go to `sink` and which `cancel` cancels: part of a greater work.
    pub fn part(sink: Arc<dyn EventSink>, cancel: CancelToken) -> Self {
        Self::begin(vec![sink], cancel)
    }

    /// The same run, with its events going to `sink` as well.
    pub fn with_sink(&self, sink: Arc<dyn EventSink>) -> Self {
        let mut run = self.clone();
        run.sinks.push(sink);
        run
    }

    fn begin(sinks: Vec<Arc<dyn EventSink>>, cancel: CancelToken) -> Self {
        let clock = RunClock::start();
        Self { id: run_id(clock.began()), clock, sinks, cancel }
    }

    /// The run's id: unique, and sorted by time.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The clock that every event of the run is stamped by.
    pub fn clock(&self) -> &RunClock {
        &self.clock
    }

    /// Tells when the run is to stop.
    pub fn cancel(&self) -> &CancelToken {
        &self.cancel
    }

    /// Emits something that happened now and belongs to no check.
    pub fn emit(&self, kind: EventKind) {
        self.pass_on(&RunEvent { at: self.clock.now(), check: None, kind });
    }

    /// Emits something that happened `at` that time in `check`.
    pub fn emit_of(&self, check: &str, at: Stamp, kind: EventKind) {
        self.pass_on(&RunEvent { at, check: Some(check.to_owned()), kind });
    }

    fn pass_on(&self, event: &RunEvent) {
        self.sinks.iter().for_each(|sink| sink.emit(event));
    }
}

/// Differs for runs that began in the same second.
fn run_id(began: Stamp) -> String {
    let word = uuid::Uuid::new_v4().simple().to_string();
    format!("{}-{}", began.wall.format("%Y%m%dT%H%M%SZ"), &word[..8])
}
