//! What is left after a run was killed, and how it goes.

use std::process::Command;
use std::time::Duration;

use lab_container_engine::{EngineAddress, EngineRequest};
use lab_not_tried::not_tried;
use lab_sandbox::ContainerOwner;
use serde_json::{Value, json};

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

/// A container and a volume at the engine, as a killed grader leaves them: never started, and labelled with who is gone.
struct Left {
    engine: EngineAddress,
    name: String,
}

impl Left {
    fn of(owner: &ContainerOwner, engine: EngineAddress) -> Self {
        let left = Self { engine, name: format!("lab-services-left-{}", std::process::id()) };
        let image = [("fromSrc", "-"), ("repo", &left.name), ("tag", "none")];
        // An archive with nothing in it.
        left.ask(EngineRequest::new("POST", "/images/create").query(&image).tar(vec![0; 1024]));
        let labels = json!({ContainerOwner::LABEL: owner.label()});
        let settings = json!({"Image": format!("{}:none", left.name), "Cmd": ["/nothing"], "Labels": labels});
        let request = EngineRequest::new("POST", "/containers/create").query(&[("name", &left.name)]);
        assert!(left.ask(request.json(settings))["Id"].is_string());
        left.ask(EngineRequest::new("POST", "/volumes/create").json(json!({"Name": left.name, "Labels": labels})));
        left
    }

    fn ask(&self, request: EngineRequest) -> Value {
        request.ask(&self.engine, Duration::from_secs(60)).unwrap().body
    }

    /// Which of the two are there.
    fn there(&self) -> [bool; 2] {
        ["containers", "volumes"].map(|kind| {
            let path = if kind == "volumes" { String::new() } else { "/json".to_owned() };
            let request = EngineRequest::new("GET", format!("/{kind}/{}{path}", self.name));
            request.ask(&self.engine, Duration::from_secs(60)).unwrap().succeeded()
        })
    }
}

impl Drop for Left {
    fn drop(&mut self) {
        for path in ["containers", "volumes", "images"] {
            let tag = if path == "images" { ":none" } else { "" };
            let request = EngineRequest::new("DELETE", format!("/{path}/{}{tag}", self.name));
            let _ = request.query(&[("force", "1")]).ask(&self.engine, Duration::from_secs(60));
        }
    }
}

#[test]
fn down_removes_what_a_killed_grader_has_left_in_containers_and_nobody_elses() {
    let engine = match lab_services::container_engine() {
        Ok(engine) => engine,
        Err(error) => return not_tried("containers", &error.to_string()),
    };
    let world = World::new().set("DOCKER_HOST", &engine);
    let owner = ContainerOwner::ourselves().unwrap();
    let left = Left::of(&owner, EngineAddress::parse(&engine).unwrap());
    let down = || world.run("down kept")["done"].to_string();
    assert!(!down().contains(&left.name), "they have an owner");
    assert_eq!(left.there(), [true, true]);
    drop(owner);
    let done = down();
    assert!(done.contains(&format!("the container {} of a submission", left.name)), "{done}");
    assert!(done.contains(&format!("the volume {} of a submission", left.name)), "{done}");
    assert_eq!(left.there(), [false, false]);
}
