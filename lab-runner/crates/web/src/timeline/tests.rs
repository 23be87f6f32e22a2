//! Timelines of small transcripts.

use std::time::Duration;

use lab_protocol::{Asked, Exchange, Happening, Mark, TranscriptEntry};

use super::*;

fn entry(ms: u64, what: Happening) -> TranscriptEntry {
    TranscriptEntry { at_us: 5_000_000 + ms * 1000, what }
}

fn sent(ms: u64, connection: u64, text: &str) -> TranscriptEntry {
    entry(ms, Happening::Sent { connection, text: text.into(), port: Some(20001) })
}

fn received(ms: u64, connection: u64, text: &str) -> TranscriptEntry {
    entry(ms, Happening::Received { connection, text: text.into() })
}

fn sql(ms: u64, took_ms: u64, connection: u64, statement: &str, answer: &str) -> TranscriptEntry {
    let exchange = Exchange::new("sql", "Postgres", Asked::Statement(statement.into()));
    let exchange = exchange.answered(answer, answer.starts_with("ERROR"), Duration::from_millis(took_ms));
    entry(ms, Happening::Exchange(Exchange { connection: Some(connection), ..exchange }))
}

fn note(ms: u64, text: &str, mark: Option<Mark>) -> TranscriptEntry {
    entry(ms, Happening::Note { text: text.into(), mark })
}

fn names(timeline: &Timeline) -> Vec<&str> {
    timeline.lanes.iter().map(|lane| lane.name.as_str()).collect()
}

#[test]
fn a_request_is_a_bar_from_its_first_byte_to_the_last_of_its_answer() {
    let timeline = Timeline::new(&[
        sent(10, 1, "GET /a HTTP/1.1\\r\nHost: x\\r\n\\r\n"),
        sent(12, 1, "body"),
        received(20, 1, "HTTP/1.1 404 Not Found\\r\n\\r\n"),
        received(25, 1, "the end"),
        sent(30, 1, "GET /b HTTP/1.1\\r\n\\r\n"),
    ]);
    let events: Vec<_> =
        timeline.events.iter().map(|event| (event.from_us, event.to_us, event.kind, event.title.as_str())).collect();
    assert_eq!(events, [(0, 15_000, Kind::Request(4), "GET /a"), (20_000, 20_000, Kind::Request(0), "GET /b")]);
    assert_eq!((timeline.events[0].result.as_str(), timeline.events[0].parts.len()), ("404 Not Found", 4));
    assert_eq!(timeline.begin_us, 5_010_000);
}

#[test]
fn requests_at_the_same_time_stand_below_one_another() {
    let mut transcript: Vec<_> = (1..=3).map(|n| sent(n, n, "GET / HTTP/1.1\\r\n\\r\n")).collect();
    transcript.extend((1..=3).map(|n| received(10 + n, n, "HTTP/1.1 200 OK\\r\n\\r\n")));
    let timeline = Timeline::new(&transcript);
    assert_eq!(timeline.events.iter().map(|event| event.row).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(timeline.lanes[0].rows, 3);
    assert_eq!(items(&timeline).len(), 1);
}

#[test]
fn each_connection_to_a_service_has_a_lane_and_its_transactions_a_bracket() {
    let timeline = Timeline::new(&[
        sql(10, 1, 7, "BEGIN", "BEGIN"),
        sql(11, 1, 9, "select 1", "SELECT 1"),
        sql(12, 1, 7, "insert into t values (1)", "ERROR 23505: twice"),
        sql(14, 1, 7, "COMMIT", "ROLLBACK"),
        sql(15, 1, 9, "begin", "BEGIN"),
    ]);
    assert_eq!(names(&timeline), ["SQL 1", "SQL 2"]);
    let kinds: Vec<_> = timeline.brackets.iter().map(|bracket| (bracket.lane, bracket.kind)).collect();
    assert_eq!(kinds, [(0, BracketKind::Undone), (1, BracketKind::Undone)]);
    let refused: Vec<_> =
        timeline.events.iter().filter(|event| event.kind == Kind::Exchange { refused: true }).collect();
    assert_eq!(refused.len(), 1);
}

#[test]
fn a_fault_crosses_the_lanes_of_its_service_until_it_is_taken_back() {
    let fault = |service: &str| Some(Mark::Fault { service: service.into() });
    let timeline = Timeline::new(&[
        sql(1, 1, 1, "select 1", "SELECT 1"),
        note(5, "cut", fault("Postgres")),
        note(6, "cut", fault("Redis")),
        note(9, "back", Some(Mark::Restored { service: "Postgres".into() })),
        note(12, "once", Some(Mark::Cut { service: "Postgres".into() })),
    ]);
    assert_eq!(names(&timeline), ["check", "SQL"]);
    let on_sql: Vec<_> =
        timeline.brackets.iter().filter(|bracket| bracket.lane == 1).map(|b| (b.from_us, b.to_us)).collect();
    assert_eq!(on_sql, [(5_000, 9_000), (12_000, 12_000)]);
    assert_eq!(timeline.counts(), (0, 1, 3));
}

#[test]
fn a_programs_run_is_a_bar_from_its_start_to_its_end() {
    let ended = |ms, text| note(ms, text, Some(Mark::Connection { connection: 1 }));
    let timeline = Timeline::new(&[
        sent(10, 1, "$ import --jobs 2\n"),
        sent(11, 1, "a line\n"),
        received(20, 1, "the line\n"),
        sent(25, 1, "another\n"),
        received(30, 1, "that one\n"),
        ended(40, "run 1: ended after 30 ms: exit code 1"),
    ]);
    assert_eq!(names(&timeline), ["program"]);
    let [run] = timeline.events.as_slice() else { panic!("one event: {:#?}", timeline.events) };
    assert_eq!((run.kind, run.took_us(), run.parts.len()), (Kind::Run, 30_000, 6));
    assert_eq!((run.title.as_str(), run.result.as_str()), ("$ import --jobs 2", "exit code 1"));
    assert_eq!((timeline.counts(), timeline.runs()), ((0, 0, 0), 1));
}

#[test]
fn a_server_lives_from_its_start_to_its_end_and_a_port_may_be_used_again() {
    let mark = |ms, mark| note(ms, "said", Some(mark));
    let timeline = Timeline::new(&[
        mark(0, Mark::Started { port: 1 }),
        mark(2, Mark::Ready { port: 1 }),
        mark(3, Mark::Signalled { port: 1 }),
        mark(5, Mark::Ended { port: 1 }),
        mark(6, Mark::Started { port: 1 }),
        mark(8, Mark::Ready { port: 1 }),
    ]);
    let lives: Vec<_> =
        timeline.brackets.iter().map(|bracket| (bracket.lane, bracket.from_us, bracket.to_us)).collect();
    assert_eq!(lives, [(0, 0, 5_000), (1, 6_000, 8_000)]);
}

#[test]
fn equal_statements_of_one_request_are_one_item_and_the_next_requests_are_another() {
    let mut transcript = Vec::new();
    for round in [0, 100] {
        transcript.push(sent(round, 1, "GET / HTTP/1.1\\r\n\\r\n"));
        transcript.extend((0..50).map(|n| sql(round + 2 + n, 1, n % 5, "select * from t where id = $1", "SELECT 1")));
        transcript.push(received(round + 60, 1, "HTTP/1.1 200 OK\\r\n\\r\n"));
    }
    let counts: Vec<usize> = items(&Timeline::new(&transcript)).iter().map(|item| item.events.len()).collect();
    assert_eq!(counts, [1, 50, 1, 50]);
}

#[test]
fn a_gap_of_more_than_a_second_is_folded_and_everything_stays_in_order() {
    let timeline =
        Timeline::new(&[note(0, "a", None), note(500, "b", None), note(9_500, "c", None), note(10_000, "d", None)]);
    let scale = Scale::of(&[&timeline]);
    assert_eq!(scale.folds, [Fold { from_us: 500_000, to_us: 9_500_000 }]);
    let places: Vec<f64> = timeline.events.iter().map(|event| scale.place(event.from_us)).collect();
    assert!(places.windows(2).all(|pair| pair[0] < pair[1]), "{places:?}");
    assert!(places[2] - places[1] < 10.0 && places[3] < 100.0, "{places:?}");
    let ticks = scale.ticks(10);
    assert!(!ticks.is_empty() && ticks.iter().all(|tick| *tick <= 500_000 || *tick >= 9_500_000), "{ticks:?}");
}

#[test]
fn nothing_at_all_and_one_moment_are_timelines_too() {
    for transcript in [vec![], vec![note(3, "alone", None)]] {
        let timeline = Timeline::new(&transcript);
        let scale = Scale::of(&[&timeline]);
        assert!(scale.place(0) >= 0.0 && scale.place(timeline.length_us) <= 100.0);
    }
}
