//! The event streams of the last runs, as JSON lines in the state folder: written while a run goes on, and read back.
//!
//! What happened in a check stands in the stream once, as its own events. Reports of checks are therefore written
//! without their transcripts, and get them back when they are read.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::sync::{Mutex, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};
use lab_protocol::TranscriptEntry;

use super::{EventKind, EventSink, RunEvent};
use crate::report::Check;

/// How many runs are kept.
const KEPT_RUNS: usize = 20;
/// How many runs of each lab's solution are kept beside these: a learner compares with them, and makes them seldom.
const KEPT_SOLUTIONS: usize = 3;
/// What stands in the name of a solution's run before the lab.
const OF_SOLUTION: &str = "-solution-";
/// From this size on, in bytes, only what is bounded by the number of checks is still written.
const MOST_BYTES: usize = 16 << 20;
/// How the files' names end.
const ENDING: &str = ".jsonl";

/// Writes the events of one run to a file. A recording may be lost without harm, so that nothing here fails.
#[derive(Debug)]
pub struct Recorder {
    state: Mutex<RecorderState>,
}

#[derive(Debug)]
struct RecorderState {
    file: File,
    written: usize,
    limit: usize,
}

impl Recorder {
    /// Begins the recording of the run `id` in `folder`, and removes the oldest of those that are there.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn create(folder: &Utf8Path, id: &str) -> io::Result<Self> {
        Self::with_limit(folder, id, MOST_BYTES)
    }

    /// The same for a run of the solution of `lab`, of which fewer are kept, whatever else is recorded.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn of_solution(folder: &Utf8Path, id: &str, lab: &str) -> io::Result<Self> {
        Self::create(folder, &format!("{id}{OF_SOLUTION}{lab}"))
    }

    fn with_limit(folder: &Utf8Path, id: &str, limit: usize) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let file = File::create_new(folder.join(format!("{id}{ENDING}")))?;
        let mut counts: BTreeMap<Option<String>, usize> = BTreeMap::new();
        for path in recordings(folder)?.iter().rev() {
            let lab = path.file_stem().and_then(|name| Some(name.split_once(OF_SOLUTION)?.1.to_owned()));
            let kept = if lab.is_some() { KEPT_SOLUTIONS } else { KEPT_RUNS };
            let count = counts.entry(lab).or_default();
            *count += 1;
            if *count > kept {
                let _ = std::fs::remove_file(path);
            }
        }
        Ok(Self { state: Mutex::new(RecorderState { file, written: 0, limit }) })
    }
}

impl EventSink for Recorder {
    fn emit(&self, event: &RunEvent) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.written > state.limit && event.kind.is_detail() {
            return;
        }
        let slim = slim(event);
        let Ok(mut line) = serde_json::to_vec(slim.as_ref().unwrap_or(event)) else { return };
        line.push(b'\n');
        state.written += line.len();
        let _ = state.file.write_all(&line);
    }
}

impl EventKind {
    /// Whether there is no end to how many of these a run may have.
    fn is_detail(&self) -> bool {
        matches!(
            self,
            Self::Transcript { .. } | Self::ServerLog { .. } | Self::BuildProgress { .. } | Self::Step { .. }
        )
    }
}

/// The event without transcripts, if it has some.
fn slim(event: &RunEvent) -> Option<RunEvent> {
    let without = |check: &Check| Check { transcript: Vec::new(), ..check.clone() };
    let kind = match &event.kind {
        EventKind::CheckFinished { result } => EventKind::CheckFinished { result: Box::new(without(result)) },
        EventKind::RunFinished { report } => {
            let mut report = report.clone();
            report.checks = report.checks.iter().map(without).collect();
            EventKind::RunFinished { report }
        }
        _ => return None,
    };
    Some(RunEvent { at: event.at, check: event.check.clone(), kind })
}

/// The recordings in `folder`, the oldest first: their names begin with the time.
///
/// # Errors
/// The folder cannot be read.
pub fn recordings(folder: &Utf8Path) -> io::Result<Vec<Utf8PathBuf>> {
    let mut found = Vec::new();
    for entry in folder.read_dir_utf8()? {
        let path = entry?.into_path();
        if path.as_str().ends_with(ENDING) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Reads a recording, event by event. The last line of a run that was killed may be half written: it ends the stream.
#[derive(Debug)]
pub struct Recording {
    lines: io::Lines<BufReader<File>>,
    transcripts: BTreeMap<String, Vec<TranscriptEntry>>,
}

impl Recording {
    /// Opens the recording at `path`.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn open(path: &Utf8Path) -> io::Result<Self> {
        Ok(Self { lines: BufReader::new(File::open(path)?).lines(), transcripts: BTreeMap::new() })
    }

    /// Gives a check back what happened in it.
    fn fill(&self, check: &mut Check) {
        check.transcript = self.transcripts.get(&check.id).cloned().unwrap_or_default();
    }
}

impl Iterator for Recording {
    type Item = RunEvent;

    fn next(&mut self) -> Option<RunEvent> {
        let mut event: RunEvent = serde_json::from_str(&self.lines.next()?.ok()?).ok()?;
        match (&mut event.kind, &event.check) {
            // A check may be tried more than once: the last time counts.
            (EventKind::CheckStarted, Some(check)) => drop(self.transcripts.remove(check)),
            (EventKind::Transcript { entry }, Some(check)) => {
                self.transcripts.entry(check.clone()).or_default().push(entry.clone());
            }
            (EventKind::CheckFinished { result }, _) => self.fill(result),
            (EventKind::RunFinished { report }, _) => report.checks.iter_mut().for_each(|check| self.fill(check)),
            _ => {}
        }
        Some(event)
    }
}

#[cfg(test)]
mod tests {
    use lab_protocol::{Happening, RunClock};

    use super::*;

    fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
        let keep = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::try_from(keep.path().to_owned()).unwrap();
        (keep, path)
    }

    fn event(kind: EventKind) -> RunEvent {
        RunEvent { at: RunClock::start().now(), check: Some("greets".into()), kind }
    }

    fn noted(text: &str) -> RunEvent {
        let entry = TranscriptEntry { at_us: 5, what: Happening::Note { text: text.into(), mark: None } };
        event(EventKind::Transcript { entry })
    }

    #[test]
    fn what_was_recorded_is_read_back_while_the_run_goes_on() {
        let (_keep, folder) = folder();
        let recorder = Recorder::create(&folder, "20260101T000000Z-1").unwrap();
        let events = [event(EventKind::CheckStarted), noted("one"), noted("two")];
        events.iter().for_each(|event| recorder.emit(event));
        let read: Vec<RunEvent> = Recording::open(&recordings(&folder).unwrap()[0]).unwrap().collect();
        let json = |events: &[RunEvent]| serde_json::to_string(events).unwrap();
        assert_eq!(json(&read), json(&events));
    }

    #[test]
    fn the_last_runs_are_kept_and_no_more() {
        let (_keep, folder) = folder();
        std::fs::write(folder.join("notes.txt"), "not ours").unwrap();
        for number in 10..10 + KEPT_RUNS + 3 {
            Recorder::create(&folder, &format!("20260101T0000{number}Z-x")).unwrap();
        }
        let names = recordings(&folder).unwrap();
        assert_eq!(names.len(), KEPT_RUNS);
        assert_eq!(names[0].file_name(), Some("20260101T000013Z-x.jsonl"));
        assert!(folder.join("notes.txt").exists());
    }

    #[test]
    fn a_solutions_runs_are_not_pushed_out_by_others() {
        let (_keep, folder) = folder();
        for number in 10..15 {
            Recorder::of_solution(&folder, &format!("20260101T0000{number}Z-x"), "tiny-1").unwrap();
        }
        for number in 10..10 + KEPT_RUNS + 3 {
            Recorder::create(&folder, &format!("20260102T0000{number}Z-x")).unwrap();
        }
        let names = recordings(&folder).unwrap();
        assert_eq!(names.len(), KEPT_RUNS + KEPT_SOLUTIONS);
        assert_eq!(names[0].file_name(), Some("20260101T000012Z-x-solution-tiny-1.jsonl"));
    }

    #[test]
    fn a_flood_of_details_does_not_fill_the_disk_and_hides_no_result() {
        let (_keep, folder) = folder();
        let recorder = Recorder::with_limit(&folder, "a", 1000).unwrap();
        (0..100).for_each(|_| recorder.emit(&noted("flood")));
        recorder.emit(&event(EventKind::CheckStarted));
        let path = &recordings(&folder).unwrap()[0];
        assert!(path.metadata().unwrap().len() < 1500);
        let last = Recording::open(path).unwrap().last().unwrap();
        assert!(matches!(last.kind, EventKind::CheckStarted));
    }

    #[test]
    fn a_half_written_line_ends_the_stream() {
        let (_keep, folder) = folder();
        let recorder = Recorder::create(&folder, "a").unwrap();
        recorder.emit(&noted("whole"));
        let path = &recordings(&folder).unwrap()[0];
        let whole = std::fs::read(path).unwrap();
        std::fs::write(path, [whole.as_slice(), &whole[..20]].concat()).unwrap();
        assert_eq!(Recording::open(path).unwrap().count(), 1);
    }
}
