//! What is left after a run was killed, and how it goes.

use std::process::Command;

use super::probe::sql;
use super::world::World;

#[test]
fn servers_end_with_a_run_that_is_killed() {
    for world in [World::new(), World::of_an_ordinary_user()] {
        let started = world.start("native", "postgres,redis");
        assert!(!world.processes().is_empty());
        started.kill();
        world.wait_for_silence();
        assert_eq!(world.instances().len(), 2);
        // The next run clears it all away.
        let next = world.start("native", "postgres,redis");
        assert_eq!(world.instances().len(), 2);
        assert_eq!(sql(&next.url("postgres"), "select 1", &world.cache()), "1");
        next.stop();
        assert_eq!(world.instances().len(), 1);
    }
}

#[test]
fn a_server_that_did_not_end_with_its_run_is_ended_by_the_next() {
    let world = World::new();
    let started = world.start("native", "postgres");
    let postmaster = world.processes().iter().find(|line| line.contains(" -D ")).expect("a postmaster").clone();
    let number = postmaster.split(' ').next().expect("a number").to_owned();
    // A stopped process takes no signal but the last.
    assert!(Command::new("kill").args(["-STOP", &number]).status().expect("kill").success());
    started.kill();
    let next = world.start("native", "postgres");
    let left = world.processes();
    assert!(!left.iter().any(|line| line.split(' ').next() == Some(&number)), "{postmaster} is one of {left:?}");
    next.stop();
    world.wait_for_silence();
}

#[test]
fn down_removes_what_was_kept_and_leaves_what_is_used() {
    let world = World::new();
    world.start("native", "postgres").stop();
    let started = world.start("native", "postgres,redis");
    let report = world.run("down kept");
    assert!(!report["in_use"].as_array().expect("a list").is_empty(), "{report}");
    assert_eq!(sql(&started.url("postgres"), "select 1", &world.cache()), "1");
    started.stop();
    let report = world.run("down kept");
    assert!(report["done"].to_string().contains("1 folder"), "{report}");
    assert_eq!(world.instances(), Vec::<String>::new());
    assert!(world.instance_folders().iter().all(|folder| !folder.exists()));
    assert!(world.cache().join("templates").exists());
    assert!(world.removes_nothing());
    world.run("down all");
    assert!(!world.cache().exists());
}
