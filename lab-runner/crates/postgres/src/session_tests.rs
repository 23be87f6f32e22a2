//! The recorder, fed with the messages of whole conversations, split at every byte.

use super::log::Log;
use super::session::Recorder;
use lab_check::transcript::Transcript;
use lab_proxy::{Failpoints, Output, Session};

/// A turn of a conversation.
enum Turn {
    Client(Vec<u8>),
    Server(Vec<u8>),
}

use Turn::{Client, Server};

fn message(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let mut bytes = vec![tag];
    bytes.extend((u32::try_from(body.len()).unwrap() + 4).to_be_bytes());
    bytes.extend(body);
    bytes
}

fn query(sql: &str) -> Vec<u8> {
    message(b'Q', &[sql.as_bytes(), b"\0"])
}

fn parse(name: &str, sql: &str) -> Vec<u8> {
    message(b'P', &[name.as_bytes(), b"\0", sql.as_bytes(), b"\0\0\0"])
}

fn bind(portal: &str, name: &str) -> Vec<u8> {
    message(b'B', &[portal.as_bytes(), b"\0", name.as_bytes(), b"\0\0\0\0\0\0\0"])
}

fn describe(name: &str) -> Vec<u8> {
    message(b'D', &[b"S", name.as_bytes(), b"\0"])
}

fn execute(portal: &str) -> Vec<u8> {
    message(b'E', &[portal.as_bytes(), b"\0\0\0\0\0"])
}

fn sync() -> Vec<u8> {
    message(b'S', &[])
}

fn complete(tag: &str) -> Vec<u8> {
    message(b'C', &[tag.as_bytes(), b"\0"])
}

fn error(code: &str, text: &str) -> Vec<u8> {
    message(b'E', &[b"SERROR\0VERROR\0C", code.as_bytes(), b"\0M", text.as_bytes(), b"\0\0"])
}

fn ready() -> Vec<u8> {
    message(b'Z', &[b"I"])
}

fn rows() -> Vec<u8> {
    [message(b'T', &[b"\0\0"]), message(b'D', &[b"\0\0"])].concat()
}

const PARSED: u8 = b'1';
const BOUND: u8 = b'2';

fn ok(tag: u8) -> Vec<u8> {
    message(tag, &[])
}

/// Runs a conversation after the start-up, and gives each statement with its answer.
fn recorded(turns: &[Turn]) -> Vec<(String, String)> {
    let whole = run(turns, usize::MAX);
    for size in [1, 2, 3, 5, 7] {
        assert_eq!(run(turns, size), whole, "in chunks of {size}");
    }
    whole
}

fn run(turns: &[Turn], size: usize) -> Vec<(String, String)> {
    let log = Log::new(Transcript::default());
    let mut recorder = Recorder::new(log.clone(), Failpoints::default());
    let opening = [Server([message(b'S', &[b"a\0b\0"]), ready()].concat())];
    for turn in opening.iter().chain(turns) {
        let (bytes, from_client) = match turn {
            Client(bytes) => (bytes, true),
            Server(bytes) => (bytes, false),
        };
        let mut output = Output::default();
        for chunk in bytes.chunks(size.min(bytes.len())) {
            match from_client {
                true => recorder.client(chunk, &mut output),
                false => recorder.server(chunk, &mut output),
            }
        }
        let passed = if from_client { &output.to_server } else { &output.to_client };
        assert!(passed == bytes, "the bytes were changed");
    }
    log.all().iter().map(|s| (s.sql.clone(), s.answer.clone())).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(sql, answer)| ((*sql).to_owned(), (*answer).to_owned())).collect()
}

#[test]
fn a_simple_query_may_hold_several_statements() {
    let seen = recorded(&[
        Client(query("begin; insert into a values (';'); select 1")),
        Server([complete("BEGIN"), complete("INSERT 0 1"), rows(), complete("SELECT 1"), ready()].concat()),
        Client(query("")),
        Server([ok(b'I'), ready()].concat()),
    ]);
    let expected = [
        ("begin", "BEGIN"),
        ("insert into a values (';')", "INSERT 0 1"),
        ("select 1", "SELECT 1"),
        ("", "nothing to run"),
    ];
    assert_eq!(seen, pairs(&expected));
}

#[test]
fn the_rest_of_a_simple_query_after_an_error_is_not_counted() {
    let seen = recorded(&[
        Client(query("insert into a values (1); insert into b values (1); select 1")),
        Server([complete("INSERT 0 1"), error("42P01", "no b"), ready()].concat()),
    ]);
    let expected = [("insert into a values (1)", "INSERT 0 1"), ("insert into b values (1)", "ERROR 42P01: no b")];
    assert_eq!(seen, pairs(&expected));
}

#[test]
fn a_prepared_statement_counts_once_for_each_execution() {
    let twice = [bind("", "s1"), execute(""), sync()].concat();
    let answer = [ok(BOUND), rows(), complete("SELECT 1"), ready()].concat();
    let seen = recorded(&[
        Client([parse("s1", "select $1"), describe("s1"), sync()].concat()),
        Server([ok(PARSED), message(b't', &[b"\0\0"]), message(b'T', &[b"\0\0"]), ready()].concat()),
        Client(twice.clone()),
        Server(answer.clone()),
        Client(twice),
        Server(answer),
    ]);
    assert_eq!(seen, pairs(&[("select $1", "SELECT 1"), ("select $1", "SELECT 1")]));
}

#[test]
fn answers_of_a_pipeline_are_paired_in_order() {
    let one = |sql: &str| [parse("", sql), bind("", ""), describe(""), execute("")].concat();
    let answer = |tag: &str| [ok(PARSED), ok(BOUND), message(b't', &[b"\0\0"]), ok(b'n'), complete(tag)].concat();
    let seen = recorded(&[
        Client([one("insert 1"), one("insert 2"), sync(), one("update 3"), sync()].concat()),
        Server([answer("INSERT 0 1"), answer("INSERT 0 2"), ready(), answer("UPDATE 3"), ready()].concat()),
    ]);
    assert_eq!(seen, pairs(&[("insert 1", "INSERT 0 1"), ("insert 2", "INSERT 0 2"), ("update 3", "UPDATE 3")]));
}

#[test]
fn after_an_error_the_pipeline_up_to_the_sync_was_never_run() {
    let one = |sql: &str| [parse("", sql), bind("", ""), execute("")].concat();
    let good = [ok(PARSED), ok(BOUND), complete("INSERT 0 1")].concat();
    let seen = recorded(&[
        Client([one("insert 1"), one("insert 2"), one("insert 3"), sync(), one("insert 4"), sync()].concat()),
        Server([good.clone(), ok(PARSED), ok(BOUND), error("23505", "twice"), ready(), good, ready()].concat()),
    ]);
    let expected = [("insert 1", "INSERT 0 1"), ("insert 2", "ERROR 23505: twice"), ("insert 4", "INSERT 0 1")];
    assert_eq!(seen, pairs(&expected));
}

#[test]
fn what_is_sent_after_an_error_and_before_the_sync_was_never_run() {
    let one = |sql: &str| [parse("", sql), bind("", ""), execute("")].concat();
    let good = [ok(PARSED), ok(BOUND), complete("INSERT 0 1")].concat();
    let seen = recorded(&[
        Client(one("insert 1")),
        Server([ok(PARSED), ok(BOUND), error("23505", "twice")].concat()),
        Client([one("insert 2"), query("insert 3"), sync(), one("insert 4"), sync()].concat()),
        Server([ready(), good, ready()].concat()),
    ]);
    assert_eq!(seen, pairs(&[("insert 1", "ERROR 23505: twice"), ("insert 4", "INSERT 0 1")]));
}

#[test]
fn a_statement_that_cannot_be_prepared_is_seen_with_its_error() {
    let seen = recorded(&[
        Client([parse("s1", "select * from nowhere"), describe("s1"), sync()].concat()),
        Server([error("42P01", "relation \"nowhere\" does not exist"), ready()].concat()),
        Client(query("select 2")),
        Server([rows(), complete("SELECT 1"), ready()].concat()),
    ]);
    let expected =
        [("select * from nowhere", "ERROR 42P01: relation \"nowhere\" does not exist"), ("select 2", "SELECT 1")];
    assert_eq!(seen, pairs(&expected));
}

#[test]
fn a_portal_read_in_parts_is_one_execution() {
    let seen = recorded(&[
        Client([parse("", "select many"), bind("c", ""), execute("c"), sync()].concat()),
        Server([ok(PARSED), ok(BOUND), rows(), ok(b's'), ready()].concat()),
        Client([execute("c"), sync()].concat()),
        Server([rows(), complete("SELECT 7"), ready()].concat()),
    ]);
    assert_eq!(seen, pairs(&[("select many", "a part of the rows")]));
}

#[test]
fn copied_data_passes_whichever_protocol_began_it() {
    let data = [message(b'd', &[&[b'x'; 300_000]]), ok(b'c')].concat();
    let begins = message(b'G', &[b"\0\0\0"]);
    let simple = [
        Client(query("copy a from stdin")),
        Server(begins.clone()),
        Client(data.clone()),
        Server([complete("COPY 1"), ready()].concat()),
        Client(query("select 2")),
        Server([rows(), complete("SELECT 1"), ready()].concat()),
    ];
    assert_eq!(run(&simple, usize::MAX), pairs(&[("copy a from stdin", "COPY 1"), ("select 2", "SELECT 1")]));

    // libpq sends a Sync before the data, which Postgres ignores, and one after.
    let open = [parse("", "copy a from stdin"), bind("", ""), describe(""), execute(""), sync()].concat();
    let opened = [ok(PARSED), ok(BOUND), ok(b'n'), begins].concat();
    let next = [parse("", "select 2"), bind("", ""), execute(""), sync()].concat();
    let rest = [complete("COPY 1"), ready(), ok(PARSED), ok(BOUND), complete("SELECT 1"), ready()].concat();
    let expected = pairs(&[("copy a from stdin", "COPY 1"), ("select 2", "SELECT 1")]);
    let waiting = [
        Client(open.clone()),
        Server(opened.clone()),
        Client([data.clone(), sync(), next.clone()].concat()),
        Server(rest.clone()),
    ];
    assert_eq!(run(&waiting, usize::MAX), expected);
    let pipelined = [Client([open, data, sync(), next].concat()), Server([opened, rest].concat())];
    assert_eq!(run(&pipelined, usize::MAX), expected);
}

/// What the client is told, and the statements of a conversation that ends with the last turn.
fn ended(turns: &[Turn]) -> (String, Vec<(String, String)>) {
    let log = Log::new(Transcript::default());
    let mut recorder = Recorder::new(log.clone(), Failpoints::default());
    let mut output = Output::default();
    recorder.server(&ready(), &mut output);
    for turn in turns {
        assert!(!output.close, "it ended too early");
        output = Output::default();
        match turn {
            Client(bytes) => recorder.client(bytes, &mut output),
            Server(bytes) => recorder.server(bytes, &mut output),
        }
    }
    assert!(output.close, "it goes on");
    let told = String::from_utf8_lossy(&output.to_client).into_owned();
    output = Output::default();
    recorder.client(&query("select 'late'"), &mut output);
    recorder.server(&ready(), &mut output);
    assert_eq!(output.to_server, b"", "it goes on");
    (told, log.all().iter().map(|s| (s.sql.clone(), s.answer.clone())).collect())
}

#[test]
fn what_cannot_be_recorded_ends_the_connection() {
    let start_up = b"\0\0\0\x11\0\x03\0\0user\0a\0\0".to_vec();
    for garbage in [start_up, vec![0; 64], vec![255; 64], message(b'p', &[b"x\0"]), message(b'z', &[])] {
        let (told, seen) = ended(&[Client([query("select 1"), garbage].concat())]);
        assert!(told.contains("08P01"), "{told}");
        assert_eq!(seen, pairs(&[("select 1", "")]));
    }
}

#[test]
fn a_message_in_the_midst_of_copied_data_ends_the_connection() {
    let begins = || Server(message(b'G', &[b"\0\0\0"]));
    // Postgres takes the second query for a mistake in the data: the answers would be paired with the wrong statements.
    let pipelined = [Client([query("copy a from stdin"), query("select 2")].concat()), begins()];
    let live = [Client(query("copy a from stdin")), begins(), Client(query("select 2"))];
    for turns in [&pipelined[..], &live] {
        assert!(ended(turns).0.contains("08P01"));
    }
}

#[test]
fn a_failed_preparation_renames_no_statement() {
    let run_s1 = || Client([bind("", "s1"), execute(""), sync()].concat());
    let ran = || Server([ok(BOUND), complete("SELECT 1"), ready()].concat());
    let seen = recorded(&[
        Client([parse("s1", "select 'much'"), sync()].concat()),
        Server([ok(PARSED), ready()].concat()),
        // The name is taken. Pipelined, the execution is on its way before that is known.
        Client([parse("s1", "set x to y"), sync(), bind("", "s1"), execute(""), sync()].concat()),
        Server([error("42P05", "taken"), ready(), ok(BOUND), complete("SELECT 1"), ready()].concat()),
        run_s1(),
        ran(),
    ]);
    let expected = [("select 'much'", "SELECT 1"), ("set x to y", "ERROR 42P05: taken"), ("select 'much'", "SELECT 1")];
    let mut seen = seen;
    seen.sort();
    let mut expected = pairs(&expected);
    expected.sort();
    assert_eq!(seen, expected);
}

#[test]
fn a_statement_prepared_in_sql_does_not_go_by_an_older_name() {
    let seen = recorded(&[
        Client([parse("s1", "set x to y"), sync()].concat()),
        Server([ok(PARSED), ready()].concat()),
        Client(query("deallocate s1; prepare s1 as select 'much'")),
        Server([complete("DEALLOCATE"), complete("PREPARE"), ready()].concat()),
        Client([bind("", "s1"), execute(""), sync()].concat()),
        Server([ok(BOUND), complete("SELECT 1"), ready()].concat()),
    ]);
    assert_eq!(seen.last().unwrap(), &("an unnamed portal".to_owned(), "SELECT 1".to_owned()));
}

#[test]
fn a_call_of_the_function_protocol_is_a_statement() {
    let seen = recorded(&[
        Client([message(b'F', &[&1397_u32.to_be_bytes(), b"\0\0\0\0\0\0"]), query("select 2")].concat()),
        Server([message(b'V', &[b"\0\0\0\0"]), ready(), complete("SELECT 1"), ready()].concat()),
    ]);
    let expected = [("call of the function with OID 1397", "the function's value"), ("select 2", "SELECT 1")];
    assert_eq!(seen, pairs(&expected));
}

#[test]
fn a_statement_behind_a_comment_that_is_too_long_to_keep_is_a_query() {
    let log = Log::new(Transcript::default());
    let mut recorder = Recorder::new(log.clone(), Failpoints::default());
    let long = format!("/* {} */ select * from events", "x".repeat(100_000));
    let mut output = Output::default();
    recorder.client(&[query(&long), parse("", &long), bind("", ""), execute("")].concat(), &mut output);
    assert!(log.all().expect(2, "").is_ok());
}

#[test]
fn a_trap_cuts_a_statement_off_before_it_arrives() {
    let failpoints = Failpoints::default();
    let log = Log::new(Transcript::default());
    let mut recorder = Recorder::new(log.clone(), failpoints.clone());
    let mut output = Output::default();
    let failpoint = failpoints.arm("commit", lab_proxy::Moment::Arrival);
    recorder.client(&[query("select 1"), query("COMMIT")].concat(), &mut output);
    assert!(output.end && failpoint.was_triggered());
    assert_eq!(output.to_server, query("select 1"));

    let failpoint = failpoints.arm("insert", lab_proxy::Moment::Answer);
    let mut recorder = Recorder::new(log, failpoints);
    recorder.client(&query("insert 1"), &mut output);
    output = Output::default();
    recorder.server(&[ready(), complete("INSERT 0 1"), ready()].concat(), &mut output);
    assert!(output.end && failpoint.was_triggered() && output.to_client.is_empty());
}
