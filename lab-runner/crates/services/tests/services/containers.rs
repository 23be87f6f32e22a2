//! Containers. Where no engine answers, or the images cannot be had, these tests say so and prove nothing. In CI that is
//! a failure, unless `LAB_TESTS_WITHOUT=containers` says that it is known.

use std::process::Command;
use std::sync::LazyLock;

use lab_not_tried::not_tried;

use super::probe::use_both;
use super::world::World;

/// The images of Postgres and Redis that fixtures/images/build makes, else the official ones.
const IMAGES: [[&str; 2]; 2] = [["backend-labs/postgres:15", "backend-labs/redis:7"], ["postgres:17", "redis:8"]];

/// The images that this machine has or can pull, if there is an engine.
static HERE: LazyLock<Option<[&str; 2]>> = LazyLock::new(|| {
    let [made, official] = IMAGES;
    if made.iter().all(|image| docker(&["image", "inspect", image]).is_some()) {
        return Some(made);
    }
    let has = |image: &&str| docker(&["image", "inspect", image]).or_else(|| docker(&["pull", image])).is_some();
    official.iter().all(has).then_some(official)
});

/// A world with this machine's engine and its images; `None` without them.
fn world() -> Option<World> {
    let Some(images) = *HERE else {
        not_tried(
            "containers",
            "no container engine answers, or its images cannot be had; fixtures/images/build makes them",
        );
        return None;
    };
    let engine = std::env::var("DOCKER_HOST").unwrap_or_default();
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../..");
    let world = World::new()
        .set("DOCKER_HOST", &engine)
        .set("LAB_WORKSPACE", root)
        .set("LAB_POSTGRES_IMAGE", images[0])
        .set("LAB_REDIS_IMAGE", images[1]);
    Some(world)
}

/// The images of the world that [`world`] has given.
fn images() -> [&'static str; 2] {
    HERE.expect("images")
}

fn docker(arguments: &[&str]) -> Option<String> {
    let output = Command::new("docker").args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The containers with the world's own mark in their name: tests that run beside this one start others.
fn of(world: &World) -> Vec<String> {
    let all = docker(&["ps", "--all", "--format", "{{.Names}}"]).expect("a list");
    all.lines().filter(|name| name.contains(&world.owner())).map(str::to_owned).collect()
}

/// A container that somebody else made, with a name like ours and without our label; removed at the end.
struct Foreign(String);

impl Foreign {
    fn new(world: &World) -> Self {
        let name = format!("backend-labs-postgres-{}-foreign", world.owner());
        docker(&["create", "--name", &name, images()[1]]).expect("a container");
        Self(name)
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        docker(&["rm", "--force", &self.0]);
    }
}

#[test]
fn containers_are_kept_warm_and_down_removes_ours_alone() {
    let Some(world) = world() else { return };
    let first = world.start("containers", "postgres,redis");
    assert_eq!((first.provider("postgres"), first.provider("redis")), ("containers".into(), "containers".into()));
    assert_eq!(first.version("postgres"), format!("image {}", images()[0]));
    use_both(&first.url("postgres"), &first.url("redis"), &world.cache());
    let ours = of(&world);
    assert_eq!(ours.len(), 2, "{ours:?}");
    let foreign = Foreign::new(&world);
    let report = world.run("down kept");
    assert!(!report["in_use"].as_array().expect("a list").is_empty(), "{report}");
    let urls = (first.url("postgres"), first.url("redis"));
    first.stop();

    let second = world.start("auto", "postgres,redis");
    assert_eq!((second.url("postgres"), second.url("redis")), urls);
    assert_eq!(second.progress, Vec::<String>::new());
    second.stop();

    // One that was stopped is started again.
    for name in &ours {
        docker(&["stop", name]).expect("a stop");
    }
    let third = world.start("containers", "postgres,redis");
    use_both(&third.url("postgres"), &third.url("redis"), &world.cache());
    third.stop();

    let report = world.run("down kept");
    assert_eq!(report["code"], 0);
    assert_eq!(report["done"].to_string().matches("the container").count(), 2, "{report}");
    assert_eq!(of(&world), std::slice::from_ref(&foreign.0), "what we did not start stays, whatever its name");
    assert!(std::fs::read_dir(world.cache().join("containers")).expect("a folder").next().is_none());
}

/// A warm container is another run's as well, and both get the same one in its place.
#[test]
fn a_container_whose_server_does_not_answer_any_more_is_replaced_by_one_for_all_and_the_others_stay() {
    let Some(world) = world() else { return };
    let told = world.run("replace containers redis,postgres");
    for what in ["another", "same_for_all", "others_kept"] {
        assert_eq!(told[what], true, "{what}: {told}");
    }
    world.run("down all");
    assert_eq!(of(&world), Vec::<String>::new());
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
    let world = world.set("LAB_POSTGRES_IMAGE", images()[1]);
    let error = world.start("containers", "postgres").error();
    assert!(error.contains("the container"), "{error}");
    assert_eq!(of(&world), Vec::<String>::new());
}
