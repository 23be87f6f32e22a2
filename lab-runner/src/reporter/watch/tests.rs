//! The screen of `watch`, drawn for terminals of several sizes while it is fed with a run's events and with keys.

use camino::Utf8PathBuf;
use lab_protocol::{Happening, Key, TranscriptEntry, Verdict};

use super::super::tests::{check, diagnostics, event, failed, guide, info, of_check, report};
use super::{WatchScreen, Wish};
use crate::events::{EventKind, EventSink as _, RunEvent};
use crate::report::{Check, Outcome, Report};
use crate::state::CheckProgress;

const IDS: [&str; 3] = ["greets", "missing", "slow"];

fn screen() -> WatchScreen {
    WatchScreen::new("tiny-1", "Greeter", false, Utf8PathBuf::from("/no/such/README.md"))
}

fn began() -> Vec<RunEvent> {
    let mut guide = guide();
    for id in IDS {
        guide.known.insert(id.to_owned(), CheckProgress { counted: true, ..CheckProgress::default() });
    }
    let checks = IDS.iter().map(|id| info(id, 1)).collect();
    vec![
        event(EventKind::RunStarted {
            run_id: "a".into(),
            runner_version: "0.1.0".into(),
            lab: "tiny-1".into(),
            title: "Greeter".into(),
            submission: None,
        }),
        event(EventKind::LabGuided { guide: Box::new(guide) }),
        event(EventKind::ChecksPlanned { checks }),
    ]
}

fn finished(check: Check) -> [RunEvent; 2] {
    let id = check.id.clone();
    [of_check(&id, EventKind::CheckStarted), of_check(&id, EventKind::CheckFinished { result: Box::new(check) })]
}

fn failure() -> Check {
    let entry = |at_us, what| TranscriptEntry { at_us, what };
    let transcript = vec![
        entry(
            1_000,
            Happening::Sent { connection: 1, text: "GET /nothing HTTP/1.1\\r\nhost: lab\\r\n\\r\n".into(), port: None },
        ),
        entry(2_000, Happening::Log { line: "GET /nothing\u{1b}[2J".into(), port: None }),
        entry(3_000, Happening::Received { connection: 1, text: "HTTP/1.1 200 OK\\r\n\\r\nok".into() }),
    ];
    Check { transcript, ..failed() }
}

/// A run whose first check passed for the first time, whose second failed, and whose third is running.
fn half_way(screen: &WatchScreen) {
    let started = of_check("slow", EventKind::CheckStarted);
    let events = began().into_iter().chain(finished(check("greets", 1, Verdict::Passed))).chain(finished(failure()));
    events.chain([started]).for_each(|event| screen.emit(&event));
}

fn ended(screen: &WatchScreen, report: Report) {
    screen.emit(&event(EventKind::RunFinished { report: Box::new(report) }));
}

fn shown(screen: &WatchScreen, columns: usize, rows: usize) -> String {
    let lines = screen.lines(columns, rows);
    assert!(lines.len() <= rows, "{columns} x {rows}: {lines:#?}");
    let plain: Vec<String> = lines.iter().map(|line| anstream::adapter::strip_str(line).to_string()).collect();
    for line in &plain {
        assert!(textwrap::core::display_width(line) <= columns, "{columns} x {rows}: {line:?}");
        assert!(!line.contains(char::is_control), "{line:?}");
    }
    plain.iter().map(|line| line.trim_end().to_owned() + "\n").collect()
}

#[test]
fn a_failure_is_shown_while_other_checks_still_run() {
    let screen = screen();
    half_way(&screen);
    for (columns, rows) in [(100, 30), (80, 24), (24, 10)] {
        insta::assert_snapshot!(format!("half_way_{columns}_by_{rows}"), shown(&screen, columns, rows));
    }
}

#[test]
fn a_server_is_started_once_it_is_built_and_a_program_by_each_check() {
    for (is_program, said) in [(false, "starting your server"), (true, "starting the checks")] {
        let screen = WatchScreen::new("tiny-1", "Greeter", is_program, Utf8PathBuf::from("/no/such/README.md"));
        screen.emit(&event(EventKind::BuildFinished { what: "tiny-1".into(), took_ms: 1_000 }));
        let lines = screen.lines(120, 24);
        assert!(lines.iter().any(|line| line.contains(said)), "{lines:#?}");
    }
}

#[test]
fn every_page_fits_every_screen() {
    let pages = [Key::Escape, Key::Letter('h'), Key::Letter('t'), Key::Letter('l'), Key::Letter('a'), Key::Letter('o')];
    let not_compiling = || report(Outcome::BuildFailed, diagnostics("it does not compile: 4 errors"), Vec::new());
    let graded = || report(Outcome::Graded, None, vec![check("greets", 1, Verdict::Passed), failure()]);
    let passed = || report(Outcome::Graded, None, vec![check("greets", 1, Verdict::Passed)]);
    let states: [&dyn Fn(&WatchScreen); 6] = [
        &|_| (),
        &half_way,
        &|screen| ended(screen, not_compiling()),
        &|screen| ended(screen, graded()),
        &|screen| ended(screen, passed()),
        &|screen| {
            let hints = vec!["what may help".to_owned()];
            screen.emit(&event(EventKind::CommandFailed { message: "no suite".into(), details: Vec::new(), hints }));
        },
    ];
    for state in states {
        let screen = screen();
        state(&screen);
        for page in pages {
            screen.press(page, 10);
            for (columns, rows) in [(0, 0), (1, 1), (2, 3), (10, 4), (24, 10), (39, 13), (40, 16), (80, 24), (300, 90)]
            {
                for key in [Key::Down, Key::PageDown, Key::End, Key::PageUp, Key::Up, Key::Home] {
                    screen.press(key, rows);
                    shown(&screen, columns, rows);
                }
            }
        }
    }
}

#[test]
fn a_page_is_opened_by_its_key_and_closed_by_escape() {
    let screen = screen();
    half_way(&screen);
    screen.press(Key::Letter('t'), 24);
    insta::assert_snapshot!("the_transcript", shown(&screen, 80, 24));
    screen.press(Key::Letter('l'), 24);
    let log = shown(&screen, 80, 24);
    assert!(log.contains("GET /nothing\\u{1b}[2J"), "{log}");
    screen.press(Key::Escape, 24);
    assert!(shown(&screen, 80, 24).contains("✗ missing"));
}

#[test]
fn each_press_shows_one_more_hint() {
    let screen = screen();
    half_way(&screen);
    let press = || screen.press(Key::Letter('h'), 24);
    assert_eq!(press(), Wish::Hint { check: "missing".into(), shown: 2 });
    assert!(shown(&screen, 80, 24).contains("hint 2 of 2 a plain hint"));
    assert_eq!(press(), Wish::Hint { check: "missing".into(), shown: 2 });
}

#[test]
fn the_next_failure_is_shown_and_is_the_one_to_check_first() {
    let screen = screen();
    half_way(&screen);
    let late = Check { message: Some("not finished within 10 s".into()), ..check("slow", 1, Verdict::TimedOut) };
    finished(late).iter().for_each(|event| screen.emit(event));
    assert_eq!(screen.focus().as_deref(), Some("missing"));
    screen.press(Key::Letter('n'), 24);
    assert_eq!(screen.focus().as_deref(), Some("slow"));
    assert!(shown(&screen, 80, 24).contains("✗ out of time slow"));
    screen.press(Key::Letter('n'), 24);
    assert_eq!(screen.focus().as_deref(), Some("missing"));
}

#[test]
fn a_compile_error_takes_the_place_of_checks_until_the_code_compiles() {
    let screen = screen();
    half_way(&screen);
    ended(&screen, report(Outcome::BuildFailed, diagnostics("it does not compile: 4 errors"), Vec::new()));
    insta::assert_snapshot!("not_compiling", shown(&screen, 80, 24));
    began().iter().for_each(|event| screen.emit(event));
    assert!(shown(&screen, 80, 24).contains("✗ missing"));
}

#[test]
fn when_all_is_done_the_next_lab_is_a_key_away() {
    let screen = screen();
    let mut all = guide();
    all.checks.retain(|check| check.id == "greets");
    screen.emit(&event(EventKind::LabGuided { guide: Box::new(all) }));
    ended(&screen, report(Outcome::Graded, None, vec![check("greets", 1, Verdict::Passed)]));
    insta::assert_snapshot!("all_passed", shown(&screen, 80, 24));
    assert_eq!(screen.press(Key::Letter('n'), 24), Wish::Lab("tiny-2".into()));
    assert_eq!(screen.press(Key::Letter('q'), 24), Wish::Quit);
    assert_eq!(screen.press(Key::Interrupt, 24), Wish::Interrupt);
}
