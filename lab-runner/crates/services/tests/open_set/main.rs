//! Services are an open set: the module `toy` adds one, and no other file knows of it. What the built-in services can,
//! it can: it is probed, started natively and externally, examined by the doctor, handed to a suite, stopped, and
//! cleaned up even if its user was killed.
#![expect(clippy::print_stdout, reason = "the child answers on stdout")]

#[path = "../services/child.rs"]
mod child;
#[path = "../services/resp.rs"]
#[expect(dead_code, reason = "the tests of real services use all of it")]
mod resp;
mod toy;
#[path = "../services/world.rs"]
#[expect(dead_code, reason = "the tests of the built-in services need more of it")]
mod world;

use std::io::Write as _;
use std::net::TcpListener;
use std::thread;

use lab_services::ServiceId;
use world::World;

/// A world in whose `PATH` the toy's program is: this very program, started anew.
fn world() -> World {
    let program = std::env::current_exe().expect("our own path");
    let script = format!(
        "[ \"$1\" = --version ] && {{ echo 'toy-server 3.2.1'; exit; }}\n\
         TOY_ARGUMENTS=\"$*\" exec {} --ignored --exact toy::server --nocapture",
        program.display()
    );
    World::new().with_program("toy-server", &script)
}

#[test]
fn it_is_registered_beside_the_others() {
    let ids: Vec<&str> = ServiceId::all().iter().map(|service| service.id()).collect();
    assert!(ids.contains(&"toy") && ids.len() > 1, "{ids:?}");
    assert_eq!(serde_json::from_str::<ServiceId>("\"toy\"").expect("a service").name(), "Toy");
}

#[test]
fn it_is_started_natively_and_leaves_nothing() {
    let world = world();
    let started = world.start("native", "toy");
    assert_eq!((started.provider("toy"), started.version("toy")), ("native".into(), "Toy 3.2.1".into()));
    assert_eq!(toy::say(&started.url("toy"), "PING"), "PONG");
    started.stop();
    world.wait_for_silence();
    assert_eq!(world.instances(), Vec::<String>::new());
}

#[test]
fn a_server_that_runs_is_used_and_left_running() {
    let other = world();
    let server = other.start("native", "toy");
    let world = World::new().set("LAB_TOY_URL", &server.url("toy"));
    for provider in ["external", "auto"] {
        let started = world.start(provider, "toy");
        assert_eq!((started.provider("toy"), started.url("toy")), ("external".into(), server.url("toy")));
        started.stop();
    }
    assert_eq!(toy::say(&server.url("toy"), "PING"), "PONG");
    server.stop();
}

#[test]
fn another_server_is_told_from_it() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let _ = stream.expect("a connection").write_all(b"220 mail.example ESMTP\r\n");
        }
    });
    let error = World::new().set("LAB_TOY_URL", &format!("toy://{address}/")).start("external", "toy").error();
    assert!(error.contains("is not Toy: it answered \"220 mail.example ESMTP\""), "{error}");
    let error = World::new().set("LAB_TOY_URL", "redis://127.0.0.1/").start("external", "toy").error();
    assert!(error.contains("LAB_TOY_URL cannot be used: its scheme is `redis`, not `toy`"), "{error}");
}

#[test]
fn the_providers_that_it_lacks_say_so() {
    let error = World::new().set("PATH", "/nowhere").start("auto", "toy").error();
    for part in ["LAB_TOY_URL is not set", "no image of Toy", "no toy-server, version 2", "cannot be downloaded"] {
        assert!(error.contains(part), "`{part}` is missing: {error}");
    }
}

#[test]
fn the_doctor_shows_it() {
    let report = world().run("doctor look");
    let taken = report["taken"].to_string();
    assert!(taken.contains("Toy from native") && report["findings"].to_string().contains("Toy 3.2.1"), "{report}");
}

#[test]
fn a_suite_is_told_its_url_under_its_name() {
    let world = world();
    let pool = world.run("pool toy");
    let url = pool["for_suite"]["toy"]["url"].as_str().expect("a URL");
    assert!(url.starts_with("toy://127.0.0.1:"), "{url}");
    assert_eq!(pool["kept"], true);
    world.wait_for_silence();
}

#[test]
fn it_ends_with_a_user_that_is_killed_and_the_next_clears_up() {
    let world = world();
    let started = world.start("native", "toy");
    assert!(!world.processes().is_empty());
    started.kill();
    world.wait_for_silence();
    assert_eq!(world.instances().len(), 1);
    let next = world.start("native", "toy");
    assert_eq!(toy::say(&next.url("toy"), "PING"), "PONG");
    next.stop();
    assert_eq!(world.instances(), Vec::<String>::new());
    assert!(world.removes_nothing());
}

#[test]
fn down_clears_up_what_a_killed_user_has_left() {
    let world = world();
    world.start("native", "toy").kill();
    world.wait_for_silence();
    let report = world.run("down kept");
    assert!(report["done"].to_string().contains("1 folder"), "{report}");
    assert_eq!(world.instances(), Vec::<String>::new());
}
