//! Servers that already run.

use std::io::Write as _;
use std::net::TcpListener;
use std::thread;

use super::world::World;

#[test]
fn servers_that_are_named_are_used_and_left_running() {
    let native = World::new();
    let servers = native.start("native", "postgres,redis");
    let world =
        World::new().set("LAB_POSTGRES_URL", &servers.url("postgres")).set("LAB_REDIS_URL", &servers.url("redis"));
    for provider in ["external", "auto"] {
        let started = world.start(provider, "postgres,redis");
        assert_eq!((started.provider("postgres"), started.provider("redis")), ("external".into(), "external".into()));
        assert_eq!(started.url("postgres"), servers.url("postgres"));
        started.stop();
    }
    assert_eq!(super::resp::redis(&servers.url("redis"), &[&["PING"]]), ["+PONG"]);
    servers.stop();
}

#[test]
fn each_service_may_come_from_its_own_provider() {
    let native = World::new();
    let server = native.start("native", "redis");
    let world = World::new().set("LAB_REDIS_URL", &server.url("redis"));
    let started = world.start("auto", "postgres,redis");
    assert_eq!((started.provider("postgres"), started.provider("redis")), ("native".into(), "external".into()));
    started.stop();
    server.stop();
}

#[test]
fn a_variable_that_is_not_set_is_named() {
    let error = World::new().start("external", "postgres").error();
    assert!(error.contains("LAB_POSTGRES_URL is not set"), "{error}");
}

#[test]
fn a_server_that_does_not_answer_is_named() {
    let world = World::new().set("LAB_REDIS_URL", "redis://127.0.0.1:9/");
    let error = world.start("external", "redis").error();
    assert!(error.contains("127.0.0.1:9") && error.contains("LAB_REDIS_URL"), "{error}");
    // With others to choose from it is said, and passed over.
    let started = world.start("auto", "redis");
    assert_eq!(started.provider("redis"), "native");
    assert!(started.progress.iter().any(|line| line.contains("LAB_REDIS_URL")), "{:?}", started.progress);
    started.stop();
}

/// The system's own words for it are "Resource temporarily unavailable".
#[test]
fn a_server_that_is_silent_is_told_to_be() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let world = World::new().set("LAB_REDIS_URL", &format!("redis://127.0.0.1:{port}/"));
    let error = world.start("external", "redis").error();
    assert!(error.contains("it accepts connections and is silent"), "{error}");
    assert!(!error.contains("os error"), "{error}");
}

#[test]
fn a_server_of_another_kind_is_quoted() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let _ = stream.expect("a connection").write_all(b"220 mail.example ESMTP\r\n");
        }
    });
    let world = World::new().set("LAB_POSTGRES_URL", &format!("postgres://a:b@127.0.0.1:{port}/c"));
    let error = world.start("external", "postgres").error();
    assert!(error.contains("is not Postgres: it answered \"220 mail.example ESMTP\""), "{error}");
}
