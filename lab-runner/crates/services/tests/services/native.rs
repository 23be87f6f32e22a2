//! Private instances of the programs on this machine.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::thread;

use super::probe::{in_path, sql, use_both, works};
use super::resp::redis;
use super::world::World;

fn serves(world: &World) {
    let started = world.start("native", "postgres,redis");
    assert_eq!((started.provider("postgres"), started.provider("redis")), ("native".into(), "native".into()));
    assert!(started.version("postgres").starts_with("PostgreSQL "));
    use_both(&started.url("postgres"), &started.url("redis"), &world.cache());
    started.stop();
    world.wait_for_silence();
    // What is left is a data folder in order, for the next run; of Redis nothing.
    let instances = world.instances();
    assert_eq!(instances.len(), 1, "{instances:?}");
    assert!(instances[0].starts_with("postgres-"));
}

#[test]
fn serves_whoever_runs_the_tests_and_leaves_nothing_running() {
    serves(&World::new());
}

#[test]
fn serves_an_ordinary_user() {
    serves(&World::of_an_ordinary_user());
}

#[test]
fn a_umask_that_closes_everything_keeps_no_server_from_its_folder() {
    serves(&World::new().set("UMASK", "077"));
}

#[test]
fn a_user_without_a_home_is_told_what_to_set() {
    let world = World::of_an_ordinary_user().set("HOME", "").set("XDG_CACHE_HOME", "").set("LAB_CACHE_DIR", "");
    let error = world.start("native", "postgres").error();
    assert!(error.contains("neither HOME nor XDG_CACHE_HOME is set"), "{error}");
    assert!(error.contains("set LAB_CACHE_DIR to a folder"), "{error}");
}

#[test]
fn a_second_run_takes_the_data_folder_of_the_first() {
    let world = World::new();
    let first = world.start("native", "postgres");
    assert!(first.progress.iter().any(|line| line.contains("preparing PostgreSQL")), "{:?}", first.progress);
    sql(&first.url("postgres"), "create table seen (x int)", &world.cache());
    first.stop();
    let second = world.start("native", "postgres");
    assert_eq!(second.progress, Vec::<String>::new());
    assert_eq!(sql(&second.url("postgres"), "select count(*) from seen", &world.cache()), "0");
    second.stop();
}

#[test]
fn a_data_folder_in_which_a_database_was_left_is_not_used_again() {
    let world = World::new();
    let first = world.start("native", "postgres");
    sql(&first.url("postgres"), "create database left_behind", &world.cache());
    first.stop();
    assert_eq!(world.instances(), Vec::<String>::new());
    let second = world.start("native", "postgres");
    let databases = "select count(*) from pg_database where datname = 'left_behind'";
    assert_eq!(sql(&second.url("postgres"), databases, &world.cache()), "0");
    second.stop();
}

#[test]
fn runs_at_the_same_time_have_instances_of_their_own_from_one_template() {
    let world = World::new();
    let (first, second) = thread::scope(|scope| {
        let first = scope.spawn(|| world.start("native", "postgres,redis"));
        let second = scope.spawn(|| world.start("native", "postgres,redis"));
        (first.join().expect("the first"), second.join().expect("the second"))
    });
    assert_ne!(first.url("postgres"), second.url("postgres"));
    sql(&first.url("postgres"), "create table mine (x int)", &world.cache());
    assert_eq!(sql(&second.url("postgres"), "select to_regclass('mine') is null", &world.cache()), "t");
    redis(&first.url("redis"), &[&["SET", "a", "1"]]);
    assert_eq!(redis(&second.url("redis"), &[&["EXISTS", "a"]]), [":0"]);
    let templates = fs::read_dir(world.cache().join("templates")).expect("templates");
    assert_eq!(templates.filter(|entry| entry.as_ref().is_ok_and(|entry| entry.path().is_dir())).count(), 1);
    first.stop();
    second.stop();
    world.wait_for_silence();
}

/// What a submission does to a service of the run's own is not to be the end of the run.
#[test]
fn a_server_that_had_to_be_ended_is_replaced_by_one_for_all_and_the_others_stay() {
    let world = World::new();
    let told = world.run("replace native redis,postgres");
    for what in ["another", "same_for_all", "others_kept"] {
        assert_eq!(told[what], true, "{what}: {told}");
    }
    world.wait_for_silence();
}

#[test]
fn nobody_else_can_read_the_passwords() {
    let world = World::new();
    world.start("native", "postgres,redis").stop();
    let folder = fs::read_dir(world.cache().join("templates")).expect("templates");
    let folder = folder.map(|entry| entry.expect("an entry").path()).find(|path| path.is_dir()).expect("a template");
    for path in [folder.clone(), folder.join("facts.json")] {
        assert_eq!(fs::metadata(&path).expect("it").permissions().mode() & 0o077, 0, "{}", path.display());
    }
}

#[test]
fn a_program_without_initdb_beside_it_is_turned_down() {
    let world = World::new().with_program("postgres", "echo 'postgres (PostgreSQL) 17.1'");
    let folder = world.path("bin");
    let world = world.set("LAB_POSTGRES_BIN", folder.to_str().expect("a path"));
    let error = world.start("native", "postgres").error();
    assert!(error.contains("no initdb beside it"), "{error}");
}

#[test]
fn a_postgres_that_is_too_old_is_turned_down() {
    let world = World::new().with_program("postgres", "echo 'postgres (PostgreSQL) 14.9 (Debian 14.9-1)'");
    let world = world.with_program("initdb", "exit 1");
    let folder = world.path("bin");
    let world = world.set("LAB_POSTGRES_BIN", folder.to_str().expect("a path"));
    let error = world.start("native", "postgres").error();
    assert!(error.contains("14.9") && error.contains("older than version 15"), "{error}");
}

/// What is meant for work by hand: a Postgres on its usual port, and the variables that lead to it.
#[test]
fn a_postgres_that_already_runs_is_left_alone() {
    // Where one does run, the port is taken all the better.
    let there = TcpListener::bind("127.0.0.1:5432").ok();
    let world = World::new().set("PGHOST", "127.0.0.1").set("PGPORT", "5432").set("PGUSER", "somebody");
    let world = world.set("PGPASSWORD", "theirs").set("DATABASE_URL", "postgres://somebody:theirs@127.0.0.1/own");
    let started = world.start("native", "postgres");
    assert!(!started.url("postgres").contains(":5432/"), "{}", started.url("postgres"));
    assert_eq!(sql(&started.url("postgres"), "select 1", &world.cache()), "1");
    started.stop();
    if let Some(there) = there {
        there.set_nonblocking(true).expect("it is ours");
        assert!(there.accept().is_err(), "nobody has asked it anything");
    }
}

#[test]
fn a_redis_that_is_too_old_is_turned_down() {
    let world = World::new().with_program("redis-server", "echo 'Redis server v=6.0.16 sha=0 bits=64'");
    let program = world.path("bin/redis-server");
    let world = world.set("LAB_REDIS_BIN", program.to_str().expect("a path"));
    let error = world.start("native", "redis").error();
    assert!(error.contains("v=6.0.16"), "{error}");
}

#[test]
fn a_server_that_ends_at_once_is_quoted() {
    let script = "[ \"$1\" = --version ] && echo 'Redis server v=7.9.9' || { echo 'no such luck' >&2; exit 3; }";
    let world = World::new().with_program("redis-server", script);
    let program = world.path("bin/redis-server");
    let world = world.set("LAB_REDIS_BIN", program.to_str().expect("a path"));
    let error = world.start("native", "redis").error();
    assert!(error.contains("no such luck") && error.contains("exit status: 3"), "{error}");
    assert_eq!(world.instances(), Vec::<String>::new());
}

#[test]
fn a_port_that_somebody_took_meanwhile_is_left_to_them() {
    // The first start gets a port that is taken, as happens when another program is faster.
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    let world = World::new();
    let named = world.variable("LAB_REDIS_BIN").map(PathBuf::from);
    let programs = [in_path("redis-server"), in_path("valkey-server")].concat();
    let real = named.into_iter().chain(programs).find(works).expect("there is no redis-server or valkey-server");
    let real = real.display();
    let mark = world.path("home/first");
    fs::set_permissions(world.path("home"), fs::Permissions::from_mode(0o777)).expect("permissions");
    let script = format!(
        "[ \"$1\" = --version ] && exec {real} --version\n\
         [ -e {0} ] || {{ touch {0}; exec {real} \"$@\" --port {port}; }}\n\
         exec {real} \"$@\"",
        mark.display()
    );
    let world = world.with_program("redis-server", &script);
    let program = world.path("bin/redis-server");
    let world = world.set("LAB_REDIS_BIN", program.to_str().expect("a path"));
    let started = world.start("native", "redis");
    assert!(mark.exists());
    assert!(!started.url("redis").contains(&format!(":{port}/")));
    assert_eq!(redis(&started.url("redis"), &[&["PING"]]), ["+PONG"]);
    started.stop();
    assert_eq!(world.instances(), Vec::<String>::new());
}

#[test]
fn no_setting_of_the_users_reaches_a_server_or_what_makes_its_data() {
    let world = World::new()
        .set("PGOPTIONS", "-c search_path=zzz -c default_transaction_read_only=on")
        .set("PGDATA", "/nowhere")
        .set("PGPORT", "1")
        .set("PGSSLMODE", "require")
        .set("POSTGRES_INITDB_ARGS", "--no-such-option")
        .set("LC_ALL", "tr_TR.UTF-8")
        .set("TZ", "Asia/Kathmandu");
    let started = world.start("native", "postgres,redis");
    let url = started.url("postgres");
    let settings = "select current_setting('search_path') || '|' || current_setting('default_transaction_read_only') \
                    || '|' || current_setting('TimeZone')";
    assert_eq!(sql(&url, settings, &world.cache()), "\"$user\", public|off|UTC");
    use_both(&url, &started.url("redis"), &world.cache());
    for process in world.processes() {
        let id = process.split(' ').next().expect("a number");
        let environment = fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
        let environment = String::from_utf8_lossy(&environment).replace('\0', "\n");
        for variable in environment.lines().filter_map(|line| line.split('=').next()) {
            // Postgres sets PGLOCALEDIR, PGSYSCONFDIR and PG_GRANDPARENT_PID for itself; none of them is a setting of the user's.
            let own = ["PGLOCALEDIR", "PGSYSCONFDIR", "PG_GRANDPARENT_PID"].contains(&variable);
            assert!(
                own || !(variable.starts_with("PG") || variable.starts_with("LAB_") || variable == "HOME"),
                "{process}: {environment}"
            );
        }
    }
    started.stop();
}
