//! The cache side, on a real Redis or Valkey.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use futures::future::join_all;
use lab_check::service::{Access, Replacement, Service, Tenant};
use lab_check::transcript::Transcript;
use lab_check::{CheckResult, Failure};
use lab_redis::{AsyncCommands as _, Keyspaces, Redis};
use redis::aio::MultiplexedConnection;
use redis::{Client, RedisResult};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use lab_test_services::{self as servers, PrivateRedis};

#[path = "redis/apart.rs"]
mod apart;

/// Long enough on the slowest machine; no test waits it out unless it fails.
const SOON: Duration = Duration::from_secs(20);

async fn keyspaces(run: &str) -> Keyspaces {
    Keyspaces::connect(&servers::redis_url(), &format!("{run} {}", std::process::id())).await.expect("keyspaces")
}

async fn keyspace(keyspaces: &Keyspaces) -> Redis {
    Redis::create(keyspaces, Transcript::default()).await.expect("a keyspace")
}

async fn learner(cache: &Redis) -> MultiplexedConnection {
    Client::open(cache.url()).unwrap().get_multiplexed_async_connection().await.expect("the learner's connection")
}

async fn administrator(url: &str) -> MultiplexedConnection {
    Client::open(url).unwrap().get_multiplexed_async_connection().await.expect("the administrator's connection")
}

/// Says `request` on a fresh connection, and gives what comes back until `end` stands at its end.
async fn say(cache: &Redis, request: &str, end: &str) -> String {
    let mut stream = TcpStream::connect(cache.proxy().address()).await.unwrap();
    stream.write_all(request.replace('\n', "\r\n").as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let read = async {
        while !answer.ends_with(end.as_bytes()) {
            if stream.read_buf(&mut answer).await.unwrap_or(0) == 0 {
                break;
            }
        }
    };
    let _ = timeout(SOON, read).await;
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn keyspaces_are_apart_although_every_server_believes_it_has_number_0() {
    let all = keyspaces("apart").await;
    assert!(all.version().starts_with("Redis ") || all.version().starts_with("Valkey "), "{}", all.version());
    let (one, two) = (keyspace(&all).await, keyspace(&all).await);
    let (mut first, mut second) = (learner(&one).await, learner(&two).await);
    let _: () = first.set("k", "one").await.unwrap();
    let _: () = second.set_ex("k", "two", 60).await.unwrap();
    redis::cmd("SELECT").arg(0).exec_async(&mut first).await.unwrap();
    let value: String = first.get("k").await.unwrap();
    assert_eq!(value, "one");
    assert_eq!(two.keys().await.unwrap(), ["k"]);
    assert_eq!(one.ttl("k").await.unwrap(), None);
    assert!(two.ttl("k").await.unwrap().unwrap() > Duration::from_secs(50));
    assert_eq!(two.ttl("gone").await.unwrap(), Some(Duration::ZERO));
    let seen: String = one.connection().await.unwrap().get("k").await.unwrap();
    assert_eq!(seen, "one");
    redis::cmd("FLUSHDB").exec_async(&mut first).await.unwrap();
    assert!(one.keys().await.unwrap().is_empty());
    assert_eq!(two.keys().await.unwrap(), ["k"]);
    all.remove_all().await.unwrap();
}

#[tokio::test]
async fn a_learner_can_do_what_clients_do_and_nothing_that_reaches_others() {
    let all = keyspaces("rights").await;
    let cache = keyspace(&all).await;
    let mut connection = learner(&cache).await;
    for allowed in [
        "INFO commandstats",
        "INFO keyspace",
        "KEYS *",
        "SCAN 0",
        "DBSIZE",
        "CLIENT SETNAME x",
        "CLIENT ID",
        "CLIENT GETNAME",
        "CLIENT NO-EVICT off",
        "PUBSUB CHANNELS",
        "EVAL return(1) 0",
        "SCRIPT LOAD return(1)",
        "COMMAND COUNT",
        "MEMORY USAGE k",
        "ROLE",
        "OBJECT HELP",
        "XADD s * a b",
        "FLUSHDB",
        "WAIT 0 0",
        "TIME",
        "LASTSAVE_IS_NOT_A_COMMAND",
    ] {
        let mut words = allowed.split(' ');
        let mut command = redis::cmd(words.next().unwrap());
        words.for_each(|word| {
            command.arg(word);
        });
        let answered: RedisResult<redis::Value> = command.query_async(&mut connection).await;
        let refused =
            answered.is_err_and(|error| error.to_string().contains("NOPERM") || error.code() == Some("NOPERM"));
        assert!(!refused, "{allowed} was refused");
    }
    for forbidden in [
        "FLUSHALL",
        "SWAPDB 0 1",
        "MOVE k 1",
        "COPY k l DB 1",
        "CONFIG GET *",
        "CONFIG SET maxmemory 1",
        "ACL LIST",
        "ACL WHOAMI",
        "DEBUG SLEEP 0",
        "SHUTDOWN",
        "REPLICAOF NO ONE",
        "MODULE LIST",
        "FUNCTION FLUSH",
        "FUNCTION LIST",
        "FUNCTION STATS",
        "SCRIPT FLUSH",
        "SCRIPT DEBUG SYNC",
        "SLOWLOG GET",
        "LATENCY DOCTOR",
        "MEMORY STATS",
        "CLIENT LIST",
        "CLIENT INFO",
        "CLIENT TRACKING ON",
        "CLIENT KILL TYPE normal",
        "CLIENT PAUSE 1",
        "MONITOR",
        "SAVE",
        "RESET",
        "SELECT 1",
        "SELECT 1000",
        "AUTH nobody secret",
    ] {
        let mut words = forbidden.split(' ');
        let mut command = redis::cmd(words.next().unwrap());
        words.for_each(|word| {
            command.arg(word);
        });
        let answered: RedisResult<redis::Value> = command.query_async(&mut connection).await;
        assert!(answered.is_err(), "{forbidden} was allowed");
    }
    let escape: RedisResult<redis::Value> =
        redis::cmd("EVAL").arg("return redis.call('select', 0)").arg(0).query_async(&mut connection).await;
    assert!(escape.is_err(), "a script left its database");
    let elsewhere: RedisResult<()> = redis::cmd("SELECT").arg(1).exec_async(&mut connection).await;
    assert!(elsewhere.unwrap_err().to_string().contains("out of range"));
    all.remove_all().await.unwrap();
}

#[tokio::test]
async fn hello_and_auth_work_as_on_a_server_without_a_password() {
    let all = keyspaces("hello").await;
    let cache = keyspace(&all).await;
    let hello = say(&cache, "HELLO 3 SETNAME x\nCLIENT GETNAME\n", "$1\r\nx\r\n").await;
    assert!(hello.starts_with('%') && hello.ends_with("$1\r\nx\r\n"), "{hello}");
    let hello = say(&cache, "HELLO 3 AUTH default anything SETNAME y\nCLIENT GETNAME\n", "$1\r\ny\r\n").await;
    assert!(hello.starts_with('%') && hello.ends_with("$1\r\ny\r\n"), "{hello}");
    assert_eq!(
        say(&cache, "AUTH secret\nAUTH default secret\nSELECT 0\nPING\n", "PONG\r\n").await,
        "+OK\r\n+OK\r\n+OK\r\n+PONG\r\n"
    );
    assert!(say(&cache, "AUTH somebody secret\n", "\r\n").await.starts_with("-WRONGPASS"));
    assert!(say(&cache, "HELLO 9\n", "\r\n").await.starts_with("-NOPROTO"));
    let resp3 = format!("{}/?protocol=resp3", cache.url());
    let mut connection = administrator(&resp3).await;
    let _: () = connection.set("k", 1).await.unwrap();
    assert_eq!(connection.get::<_, i64>("k").await.unwrap(), 1);
    all.remove_all().await.unwrap();
}

#[tokio::test]
async fn commands_are_recorded_and_only_calls_counted() {
    let all = keyspaces("recorded").await;
    let cache = keyspace(&all).await;
    let mut connection = learner(&cache).await;
    let long = "x".repeat(100_000);
    let seen = cache
        .record(async {
            let mut pipe = redis::pipe();
            pipe.atomic().set_ex("k", &long, 60).ignore().get("k");
            let (value,): (String,) = pipe.query_async(&mut connection).await.unwrap();
            assert!(value == long);
            CheckResult::Ok("done")
        })
        .await
        .unwrap();
    assert_eq!(seen.value, "done");
    let names: Vec<&str> = seen.commands.iter().map(|command| command.name.as_str()).collect();
    assert_eq!(names, ["MULTI", "SETEX", "GET", "EXEC"]);
    assert_eq!(&seen.commands[1].args[..2], ["k", "60"]);
    assert!(seen.commands[1].args[2].len() < 300);
    seen.commands.expect(2, "").unwrap();
    assert!(matches!(seen.commands.expect(0, ""), Err(Failure::Learner(_))));
    let all_so_far = cache.commands();
    assert!(all_so_far.len() >= 4 && all_so_far.calls().len() == 2, "{all_so_far:?}");
    let before = cache.commands().len();
    cache.keys().await.unwrap();
    assert_eq!(cache.commands().len(), before, "the administrator's commands are recorded too");
    assert_eq!(say(&cache, "set a 'b c'\nget a\n", "b c\r\n").await, "+OK\r\n$3\r\nb c\r\n");
    assert_eq!(cache.commands().last().unwrap().to_string(), "GET a");
    all.remove_all().await.unwrap();
}

#[tokio::test]
async fn channels_of_two_checks_are_apart() {
    let all = keyspaces("channels").await;
    let (one, two) = (keyspace(&all).await, keyspace(&all).await);
    let mut subscriber = Client::open(one.url()).unwrap().get_async_pubsub().await.unwrap();
    subscriber.subscribe("news").await.unwrap();
    subscriber.psubscribe("n*").await.unwrap();
    let (mut mine, mut other) = (learner(&one).await, learner(&two).await);
    assert_eq!(other.publish::<_, _, i64>("news", "from the other").await.unwrap(), 0);
    assert_eq!(mine.publish::<_, _, i64>("news", "mine").await.unwrap(), 2);
    let channels: Vec<String> = redis::cmd("PUBSUB").arg("CHANNELS").query_async(&mut mine).await.unwrap();
    assert_eq!(channels, ["news"]);
    let channels: Vec<String> = redis::cmd("PUBSUB").arg("CHANNELS").query_async(&mut other).await.unwrap();
    assert!(channels.is_empty());
    let mut messages = subscriber.into_on_message();
    for _ in 0..2 {
        let message = timeout(SOON, messages.next()).await.unwrap().unwrap();
        assert_eq!((message.get_channel_name(), message.get_payload_bytes()), ("news", &b"mine"[..]));
    }
    all.remove_all().await.unwrap();
}

#[tokio::test]
async fn a_long_message_stays_in_its_checks_channel() {
    let all = keyspaces("long").await;
    let (one, two) = (keyspace(&all).await, keyspace(&all).await);
    let mut subscriber = Client::open(one.url()).unwrap().get_async_pubsub().await.unwrap();
    subscriber.subscribe("news").await.unwrap();
    let long = "x".repeat(100_000);
    assert_eq!(learner(&two).await.publish::<_, _, i64>("news", &long).await.unwrap(), 0);
    assert_eq!(learner(&one).await.publish::<_, _, i64>("news", &long).await.unwrap(), 1);
    let message = timeout(SOON, subscriber.into_on_message().next()).await.unwrap().unwrap();
    assert!(message.get_channel_name() == "news" && message.get_payload_bytes() == long.as_bytes());
    // The proxy does not read to the end of what it refuses, and so its answer may get lost.
    let mut stream = TcpStream::connect(one.proxy().address()).await.unwrap();
    stream.write_all(b"PING\r\n").await.unwrap();
    stream.read_exact(&mut [0; 7]).await.unwrap();
    let name = "x".repeat(2_000_000);
    let _ = stream.write_all(format!("*2\r\n$9\r\nSUBSCRIBE\r\n${}\r\n{name}\r\n", name.len()).as_bytes()).await;
    let mut answer = Vec::new();
    let _ = timeout(SOON, stream.read_to_end(&mut answer)).await.unwrap();
    assert!(answer.is_empty() || answer.starts_with(b"-ERR Protocol error"), "{}", answer.len());
    assert!(one.commands().iter().filter(|command| command.name == "SUBSCRIBE").count() == 1);
    all.remove_all().await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_recorded_does_not_reach_redis() {
    let all = keyspaces("unrecorded").await;
    let cache = keyspace(&all).await;
    for request in ["SET a 1\n*1\n:5\nSET b 2\n", "set \"open\nSET b 2\n"] {
        let answer = say(&cache, request, "Z").await;
        assert!(answer.contains("-ERR Protocol error"), "{answer}");
    }
    assert!(!cache.keys().await.unwrap().contains(&"b".to_owned()));
    all.remove_all().await.unwrap();
}

#[tokio::test]
async fn many_connections_at_once_are_recorded_to_the_last_command() {
    let all = keyspaces("many").await;
    let cache = keyspace(&all).await;
    let client = Client::open(cache.url()).unwrap();
    let work = (0..100).map(|number: usize| {
        let client = client.clone();
        async move {
            let mut connection = client.get_multiplexed_async_connection().await.unwrap();
            for _ in 0..10 {
                let _: i64 = connection.incr("counter", number).await.unwrap();
            }
        }
    });
    join_all(work).await;
    let total: i64 = cache.connection().await.unwrap().get("counter").await.unwrap();
    assert_eq!(total, 10 * (0..100).sum::<i64>());
    assert_eq!(cache.commands().calls().len(), 1_000);
    assert_eq!(cache.service_error(), None);
    all.remove_all().await.unwrap();
}

#[tokio::test]
async fn a_cut_cache_fails_and_a_restored_one_serves_again() {
    let all = keyspaces("cut").await;
    let cache = keyspace(&all).await;
    let mut connection = learner(&cache).await;
    let _: () = connection.set("k", 1).await.unwrap();
    cache.proxy().cut();
    assert!(connection.get::<_, i64>("k").await.is_err());
    cache.proxy().restore();
    assert_eq!(learner(&cache).await.get::<_, i64>("k").await.unwrap(), 1);
    let failpoint = cache.proxy().cut_at("DEL k");
    assert!(learner(&cache).await.del::<_, ()>("k").await.is_err());
    assert!(failpoint.was_triggered());
    assert_eq!(cache.keys().await.unwrap(), ["k"]);
    cache.proxy().stop();
    let stuck = tokio::spawn(say_owned(cache.proxy().address()));
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!stuck.is_finished());
    cache.proxy().restore();
    assert_eq!(timeout(SOON, stuck).await.unwrap().unwrap(), "+PONG\r\n");
    all.remove_all().await.unwrap();
}

async fn say_owned(address: std::net::SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"PING\r\n").await.unwrap();
    let mut answer = vec![0; 7];
    stream.read_exact(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn the_end_of_a_run_leaves_nothing_and_touches_no_other_key() {
    let server = PrivateRedis::with_databases(16);
    let mut admin = administrator(&server.url()).await;
    let mut foreign = administrator(&format!("{}/3", server.url())).await;
    let _: () = admin.set("theirs", 1).await.unwrap();
    let _: () = foreign.set("theirs", 3).await.unwrap();
    let all = Keyspaces::connect(&server.url(), "a run").await.unwrap();
    // More keyspaces than databases, one after the other and many at once.
    let taken: Vec<Redis> = join_all((0..14).map(|_| keyspace(&all))).await;
    for cache in &taken {
        let _: () = learner(cache).await.set("ours", 1).await.unwrap();
    }
    let (_, next) = tokio::join!(async { drop(taken) }, timeout(SOON, keyspace(&all)));
    assert!(next.unwrap().keys().await.unwrap().is_empty(), "a keyspace was not emptied");
    all.remove_all().await.unwrap();
    assert!(Redis::create(&all, Transcript::default()).await.is_err());

    let info: String = redis::cmd("INFO").arg("keyspace").query_async(&mut admin).await.unwrap();
    let left: Vec<&str> = info.lines().filter(|line| line.starts_with("db")).collect();
    assert!(left.len() == 2 && left[0].starts_with("db0:keys=1") && left[1].starts_with("db3:keys=1"), "{left:?}");
    let users: Vec<String> = redis::cmd("ACL").arg("USERS").query_async(&mut admin).await.unwrap();
    assert_eq!(users, ["default"]);
}

#[tokio::test]
async fn a_dead_runs_keys_and_users_are_removed_by_the_next_and_a_living_ones_kept() {
    let server = PrivateRedis::with_databases(16);
    let living = Keyspaces::connect(&server.url(), "living").await.unwrap();
    let kept = keyspace(&living).await;
    let _: () = learner(&kept).await.set("k", "kept").await.unwrap();
    let mut admin = administrator(&server.url()).await;
    let mut left = administrator(&format!("{}/9", server.url())).await;
    let _: () = left.set("left", 1).await.unwrap();
    let _: () = admin.hset("backend-labs:claims", 9, "0123456789abcdef").await.unwrap();
    redis::cmd("ACL").arg(&["SETUSER", "lab_0123456789abcdef_1", "on"]).exec_async(&mut admin).await.unwrap();
    redis::cmd("ACL").arg(&["SETUSER", "lab_orders_1", "on"]).exec_async(&mut admin).await.unwrap();

    let next = Keyspaces::connect(&server.url(), "next").await.unwrap();
    let deadline = Instant::now() + SOON;
    loop {
        let users: Vec<String> = redis::cmd("ACL").arg("USERS").query_async(&mut admin).await.unwrap();
        let gone: Option<i64> = left.get("left").await.unwrap();
        if gone.is_none() && !users.iter().any(|user| user == "lab_0123456789abcdef_1") {
            assert!(users.iter().any(|user| user == "lab_orders_1"), "a user that is not ours was removed");
            break;
        }
        assert!(Instant::now() < deadline, "the dead run's traces are still there");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    next.remove_all().await.unwrap();
    assert!(Service::notes(&next)[0].ends_with("was removed: 2 users and keyspaces"), "{:?}", Service::notes(&next));
    assert_eq!(learner(&kept).await.get::<_, String>("k").await.unwrap(), "kept");
    assert!(living.is_alive().await);
    living.remove_all().await.unwrap();
}

#[tokio::test]
async fn scripts_are_forgotten_by_the_check_that_asks_for_it_and_by_no_other() {
    let server = PrivateRedis::start();
    let all = Keyspaces::connect(&server.url(), "forgets").await.unwrap();
    let (one, other) = (keyspace(&all).await, keyspace(&all).await);
    let (mut here, mut there) = (learner(&one).await, learner(&other).await);
    let mut ids = Vec::new();
    for connection in [&mut here, &mut there] {
        ids.push(redis::cmd("SCRIPT").arg("LOAD").arg("return 7").query_async::<String>(connection).await.unwrap());
    }
    let script = || redis::cmd("EVALSHA").arg(&ids[0]).arg(0).to_owned();
    assert_eq!(script().query_async::<i64>(&mut here).await.unwrap(), 7);
    one.forget_scripts();
    let refused = script().query_async::<i64>(&mut here).await.unwrap_err();
    assert_eq!(refused.code(), Some("NOSCRIPT"), "{refused}");
    assert_eq!(script().query_async::<i64>(&mut there).await.unwrap(), 7);
    let loaded = redis::cmd("EVAL").arg("return 7").arg(0).query_async::<i64>(&mut here).await.unwrap();
    assert_eq!((loaded, script().query_async::<i64>(&mut here).await.unwrap()), (7, 7));
}

/// Ends by itself some day, so that a test that fails ends too.
const SPIN: &str = "local i = 0 while i < 3e9 do i = i + 1 end";

/// A script that spins used to count as the end of Redis: every check after it was an error of the grader's.
#[tokio::test]
async fn a_script_that_spins_is_killed_and_neighbours_go_on() {
    let server = PrivateRedis::start();
    let all = Keyspaces::connect(&server.url(), "spins").await.unwrap();
    let (greedy, neighbour) = (keyspace(&all).await, keyspace(&all).await);
    let (mut spins, mut calm) = (learner(&greedy).await, learner(&neighbour).await);
    let _: () = calm.set("k", 1).await.unwrap();
    let script = tokio::spawn(async move {
        redis::cmd("EVAL").arg(SPIN).arg(0).exec_async(&mut spins).await.unwrap_err().to_string()
    });
    let deadline = Instant::now() + SOON;
    while Tenant::shortage(&neighbour).is_none() {
        assert!(Instant::now() < deadline, "nobody has noticed");
        // Commands of the grader's and new connections wait; what a client asks meanwhile is refused.
        let _ = timeout(SOON, calm.get::<_, i64>("k")).await.unwrap();
        assert_eq!(timeout(SOON, neighbour.keys()).await.unwrap().unwrap(), ["k"]);
        assert_eq!(say(&neighbour, "PING\n", "\r\n").await, "+PONG\r\n");
    }
    timeout(SOON, script).await.unwrap().unwrap();
    assert!(all.is_alive().await);
    assert_eq!((greedy.service_error(), neighbour.service_error()), (None, None));
    assert_eq!(calm.get::<_, i64>("k").await.unwrap(), 1);
    assert_eq!(Tenant::shortage(&keyspace(&all).await), None);
    all.remove_all().await.unwrap();
}

/// Has written, and so cannot be killed.
const WRITE_AND_SPIN: &str = "redis.call('set', KEYS[1], 1) local i = 0 while i < 3e9 do i = i + 1 end";

/// A way to a Redis that another can be had in place of. Counts how often one was.
fn replaceable(first: &PrivateRedis) -> (Access, Arc<Mutex<Vec<PrivateRedis>>>) {
    let others: Arc<Mutex<Vec<PrivateRedis>>> = Arc::default();
    let kept = Arc::clone(&others);
    let replacement = Replacement::new(move |_| {
        let kept = Arc::clone(&kept);
        Box::pin(async move {
            let next = tokio::task::spawn_blocking(PrivateRedis::start).await.unwrap();
            let url = next.url();
            kept.lock().unwrap().push(next);
            Ok(url)
        })
    });
    (Access { replacement: Some(replacement), ..Access::to(first.url(), "writes and spins") }, others)
}

async fn write_and_spin(cache: &Redis) -> JoinHandle<RedisResult<()>> {
    let mut connection = learner(cache).await;
    tokio::spawn(
        async move { redis::cmd("EVAL").arg(WRITE_AND_SPIN).arg(1).arg("k").exec_async(&mut connection).await },
    )
}

/// Redis answers UNKILLABLE to SCRIPT KILL: it used to fail for the rest of the run, and so did every check.
#[tokio::test]
async fn a_script_that_has_written_and_spins_takes_its_redis_with_it_and_the_run_goes_on_with_another() {
    let first = PrivateRedis::start();
    let (access, others) = replaceable(&first);
    let all = Keyspaces::by(access).await.unwrap();
    let (greedy, neighbour) = (keyspace(&all).await, keyspace(&all).await);
    let script = write_and_spin(&greedy).await;
    assert!(timeout(SOON, script).await.unwrap().unwrap().is_err(), "it never comes to its end");
    assert!(all.is_alive().await);
    assert_eq!(others.lock().unwrap().len(), 1);
    for hit in [&greedy, &neighbour] {
        assert!(Tenant::shortage(hit).unwrap().contains("was ended and started again"));
        let _ = Client::open(hit.url()).unwrap().get_multiplexed_async_connection().await;
        assert_eq!(hit.service_error(), None, "nothing of it is the grader's fault");
    }
    let later = keyspace(&all).await;
    let _: () = learner(&later).await.set("k", "new").await.unwrap();
    assert_eq!(later.keys().await.unwrap(), ["k"]);
    assert_eq!(Tenant::shortage(&later), None);
    assert!(Service::notes(&all)[0].contains("had written did not end"), "{:?}", Service::notes(&all));
    all.remove_all().await.unwrap();
}

#[tokio::test]
async fn a_redis_that_ends_by_itself_is_replaced_and_held_against_nobody() {
    let first = PrivateRedis::start();
    let (access, others) = replaceable(&first);
    let all = Keyspaces::by(access).await.unwrap();
    let cache = keyspace(&all).await;
    drop(first);
    assert!(all.is_alive().await);
    assert_eq!(others.lock().unwrap().len(), 1);
    let _ = Client::open(cache.url()).unwrap().get_multiplexed_async_connection().await;
    assert!(Tenant::shortage(&cache).unwrap().contains("ended by itself"));
    assert!(cache.service_error().is_some());
    assert!(keyspace(&all).await.keys().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_redis_of_somebody_elses_is_not_ended_and_what_has_happened_is_told() {
    let server = PrivateRedis::start();
    let mut admin = administrator(&server.url()).await;
    let all = Keyspaces::connect(&server.url(), "elsewhere").await.unwrap();
    let cache = keyspace(&all).await;
    let script = write_and_spin(&cache).await;
    let deadline = Instant::now() + 2 * SOON;
    while all.is_alive().await {
        assert!(Instant::now() < deadline, "nobody has noticed");
    }
    let why = Service::failure(&all).unwrap();
    assert!(why.contains("does not end") && why.contains("has not started"), "{why}");
    assert!(Redis::create(&all, Transcript::default()).await.is_err());
    script.abort();
    let asked: RedisResult<()> = redis::cmd("PING").exec_async(&mut admin).await;
    assert_eq!(asked.unwrap_err().code(), Some("BUSY"), "the script goes on");
    // Only now: it would go on until its end.
    let _: RedisResult<()> = redis::cmd("SHUTDOWN").arg("NOSAVE").exec_async(&mut admin).await;
}

#[tokio::test]
async fn a_redis_that_is_gone_counts_as_dead() {
    let server = PrivateRedis::start();
    let all = Keyspaces::connect(&server.url(), "gone").await.unwrap();
    assert!(all.is_alive().await);
    drop(server);
    assert!(!all.is_alive().await);
    assert!(!all.is_alive().await);
}
