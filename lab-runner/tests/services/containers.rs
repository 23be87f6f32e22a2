//! Containers. Where no engine answers, or the images are not there, these tests say so and prove nothing.

use std::process::Command;

use super::probe::use_both;
use super::world::World;

/// A world with this machine's engine and the images that fixtures/images/build makes; `None` without them.
fn world() -> Option<World> {
    let images = ["backend-labs/postgres:15", "backend-labs/redis:7"];
    let there = images.iter().all(|image| docker(&["image", "inspect", image]).is_some());
    if !there {
        println!("skipped: no container engine, or no images; fixtures/images/build makes them");
        return None;
    }
    let engine = std::env::var("DOCKER_HOST").unwrap_or_default();
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let world = World::new()
        .set("DOCKER_HOST", &engine)
        .set("LAB_WORKSPACE", root)
        .set("LAB_POSTGRES_IMAGE", images[0])
        .set("LAB_REDIS_IMAGE", images[1]);
    Some(world)
}

fn docker(arguments: &[&str]) -> Option<String> {
    let output = Command::new("docker").args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn names() -> Vec<String> {
    docker(&["ps", "--all", "--format", "{{.Names}}"]).expect("a list").lines().map(str::to_owned).collect()
}

#[test]
fn containers_are_kept_warm_and_down_removes_ours_alone() {
    let Some(world) = world() else { return };
    let before = names();
    let first = world.start("containers", "postgres,redis");
    assert_eq!((first.provider("postgres"), first.provider("redis")), ("containers".into(), "containers".into()));
    assert_eq!(first.version("postgres"), "image backend-labs/postgres:15");
    use_both(&first.url("postgres"), &first.url("redis"), &world.cache());
    let ours: Vec<String> = names().into_iter().filter(|name| !before.contains(name)).collect();
    assert!(ours.iter().filter(|name| name.starts_with("backend-labs-")).count() >= 2, "{ours:?}");
    let in_use = world.run("down kept")["text"].as_str().expect("text").to_owned();
    assert!(in_use.contains("another run uses it"), "{in_use}");
    let urls = (first.url("postgres"), first.url("redis"));
    first.stop();

    let second = world.start("auto", "postgres,redis");
    assert_eq!((second.url("postgres"), second.url("redis")), urls);
    assert_eq!(second.progress, Vec::<String>::new());
    second.stop();

    // One that was stopped is started again.
    for name in ours.iter().filter(|name| name.starts_with("backend-labs-")) {
        docker(&["stop", name]).expect("a stop");
    }
    let third = world.start("containers", "postgres,redis");
    use_both(&third.url("postgres"), &third.url("redis"), &world.cache());
    third.stop();

    let report = world.run("down kept");
    assert_eq!(report["code"], 0);
    assert!(report["text"].as_str().is_some_and(|text| text.matches("removed the container").count() == 2), "{report}");
    assert!(before.iter().all(|name| names().contains(name)), "a container that is not ours is gone");
    assert!(std::fs::read_dir(world.cache().join("containers")).expect("a folder").next().is_none());
}

#[test]
fn without_an_engine_it_is_said_where_one_was_looked_for() {
    let error = World::new().set("DOCKER_HOST", "tcp://127.0.0.1:9").start("containers", "redis").error();
    assert!(error.contains("tcp://127.0.0.1:9"), "{error}");
    let error = World::new().start("containers", "redis").error();
    assert!(error.contains("unix:///nowhere/engine.sock"), "{error}");
}

#[test]
fn an_image_that_cannot_be_had_is_named_with_both_ways_out() {
    let Some(world) = world() else { return };
    let world = world.set("LAB_POSTGRES_IMAGE", "127.0.0.1:9/absent/postgres:1");
    let error = world.start("containers", "postgres").error();
    for part in ["127.0.0.1:9/absent/postgres:1", "LAB_POSTGRES_IMAGE", "fixtures/images/build"] {
        assert!(error.contains(part), "`{part}` is missing: {error}");
    }
    // Where there are others to choose from, it is passed over, and not tried again at once.
    let first = world.start("auto", "postgres");
    assert_eq!(first.provider("postgres"), "native");
    assert!(!first.progress.iter().any(|line| line.contains("pulling")), "{:?}", first.progress);
    first.stop();
}

#[test]
fn a_container_that_ends_at_once_is_quoted_and_removed() {
    let Some(world) = world() else { return };
    let world = world.set("LAB_POSTGRES_IMAGE", "backend-labs/redis:7");
    let before = names();
    let error = world.start("containers", "postgres").error();
    assert!(error.contains("the container"), "{error}");
    let left: Vec<String> =
        names().into_iter().filter(|name| !before.contains(name) && name.contains("postgres")).collect();
    assert_eq!(left, Vec::<String>::new());
}
