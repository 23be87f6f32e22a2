//! What a Redis keeps for everybody, of which a check learns nothing of another's; and that a server which only uses its own
//! notices nothing of that.

use lab_redis::Redis;
use redis::aio::MultiplexedConnection;
use redis::{RedisResult, Value, cmd, pipe};
use sha1_smol::Sha1;

use super::{PrivateRedis, administrator, keyspace, learner, say};
use lab_redis::Keyspaces;

fn sha1(text: &str) -> String {
    Sha1::from(text).digest().to_string()
}

async fn ask(connection: &mut MultiplexedConnection, words: &[&str]) -> RedisResult<Value> {
    let (name, rest) = words.split_first().unwrap();
    cmd(name).arg(rest).query_async(connection).await
}

/// Whether a script is known, which is never run.
async fn is_known(connection: &mut MultiplexedConnection, text: &str) -> bool {
    let id = sha1(text);
    let listed: Vec<bool> = cmd("SCRIPT").arg("EXISTS").arg(&id).query_async(connection).await.unwrap();
    let ran = ask(connection, &["EVALSHA", &id, "0"]).await;
    let refused = ran.as_ref().is_err_and(|error| error.code() == Some("NOSCRIPT"));
    assert_eq!(listed, [!refused], "{text}: {ran:?}");
    !refused
}

/// What is said around a command that Redis does not run.
type Way = fn(&str) -> String;

#[tokio::test]
async fn a_script_that_redis_has_not_taken_is_not_known_whoever_else_has_loaded_it() {
    let server = PrivateRedis::start();
    let all = Keyspaces::connect(&server.url(), "takes").await.unwrap();
    let (one, other) = (keyspace(&all).await, keyspace(&all).await);
    let (mut has, mut asks) = (learner(&one).await, learner(&other).await);
    let text = "return 'a note'";
    ask(&mut has, &["SCRIPT", "LOAD", text]).await.unwrap();
    assert!(is_known(&mut has, text).await && !is_known(&mut asks, text).await);

    let queued: Way = |command| format!("MULTI\n{command}\nDISCARD\nPING\n");
    let failed: Way = |command| format!("MULTI\n{command}\nNO-SUCH-COMMAND\nEXEC\nPING\n");
    let alone: Way = |command| format!("{command}\nPING\n");
    let ways: [(Way, &str); 9] = [
        (queued, "EVAL \"return 'a note'\" 0"),
        (queued, "EVAL_RO \"return 'a note'\" 0"),
        (queued, "SCRIPT LOAD \"return 'a note'\""),
        (failed, "EVAL \"return 'a note'\" 0"),
        (failed, "SCRIPT LOAD \"return 'a note'\""),
        (alone, "EVAL \"return 'a note'\" many"),
        (alone, "EVAL \"return 'a note'\""),
        (alone, "EVAL \"return 'a note'\" 3 k"),
        (alone, "SCRIPT LOAD \"return 'a note'\" more"),
    ];
    for (way, command) in ways {
        let said = say(&other, &way(command), "+PONG\r\n").await;
        assert!(said.ends_with("+PONG\r\n"), "{command}: {said}");
        assert!(!is_known(&mut asks, text).await, "{command} has told of a neighbour's script");
    }
    // It has been queued, and its connection has ended before it ran.
    say(&other, "MULTI\nEVAL \"return 'a note'\" 0\n", "+QUEUED\r\n").await;
    assert!(!is_known(&mut asks, text).await);
    ask(&mut asks, &["EVAL", text, "0"]).await.unwrap();
    assert!(is_known(&mut asks, text).await);
}

/// What a server does to leave word, and what it asks to find it.
type Word = (&'static [&'static str], &'static [&'static str]);

/// Those that find it on a Redis that nothing stands in front of.
const WORDS: [Word; 12] = [
    (&["EVAL", "return redis.error_reply('NOTE of a cheat')", "0"], &["INFO", "errorstats"]),
    (
        &["EVAL", "return redis.error_reply('NOTE2 of a cheat')", "0"],
        &["EVAL", "return redis.call('info', 'errorstats')", "0"],
    ),
    (&["LOLWUT"], &["INFO", "commandstats"]),
    (&["SET", "k", "v"], &["INFO", "everything"]),
    (&["SET", "k", "v"], &["INFO"]),
    (&["EVAL", "cjson.encode_max_depth(771)", "0"], &["EVAL", "return cjson.encode_max_depth()", "0"]),
    (&["EVAL", "_G.cjson.encode_max_depth(772)", "0"], &["EVAL", "return _G.cjson.encode_max_depth()", "0"]),
    (
        &["EVAL", "loadstring('cjson.encode_max_depth(773)')()", "0"],
        &["EVAL", "return loadstring('return cjson.encode_max_depth()')()", "0"],
    ),
    (&["EVAL", "collectgarbage('setpause', 777)", "0"], &["EVAL", "return collectgarbage('setpause', 200)", "0"]),
    (&["SUBSCRIBE", "a-note-of-a-cheat"], &["PUBSUB", "CHANNELS"]),
    (&["SUBSCRIBE", "a-note-of-a-cheat"], &["EVAL", "return redis.call('pubsub', 'channels')", "0"]),
    (&["PSUBSCRIBE", "a-note-of-a-cheat"], &["PUBSUB", "NUMPAT"]),
];

/// Those that find it on some versions of Redis, or now and then.
const OTHER_WORDS: [Word; 6] = [
    (&["SET", "k", "v"], &["ROLE"]),
    (&["SET", "k", "v"], &["MEMORY", "STATS"]),
    (&["PUBLISH", "a", "b"], &["EVAL", "return redis.call('memory', 'stats')", "0"]),
    (&["EVAL", "getmetatable('').note = 1", "0"], &["EVAL", "return getmetatable('').note", "0"]),
    (&["EVAL", "_G.note = 1", "0"], &["EVAL", "return _G.note", "0"]),
    (&["EVAL", "KEYS.note = 1 ARGV.note = 1", "0"], &["EVAL", "return {KEYS.note, ARGV.note}", "0"]),
];

#[tokio::test]
async fn no_word_of_one_check_reaches_another() {
    let (server, open) = (PrivateRedis::start(), PrivateRedis::start());
    let all = Keyspaces::connect(&server.url(), "words").await.unwrap();
    let (one, other) = (keyspace(&all).await, keyspace(&all).await);
    for word in WORDS.into_iter().chain(OTHER_WORDS) {
        assert!(!is_told(one.url(), other.url(), word).await, "{word:?}");
    }
    for word in WORDS {
        assert!(is_told(&open.url(), &open.url(), word).await, "this is no word: {word:?}");
    }
    all.remove_all().await.unwrap();
}

/// Whether what is left at `there` is found at `here`.
async fn is_told(there: &str, here: &str, (left, looked): Word) -> bool {
    let mut asks = administrator(here).await;
    let before = ask(&mut asks, looked).await;
    // In RESP 3 a connection that listens goes on to answer.
    let mut leaves = administrator(&format!("{there}/?protocol=resp3")).await;
    let _ = ask(&mut leaves, left).await;
    format!("{:?}", ask(&mut asks, looked).await) != format!("{before:?}")
}

#[tokio::test]
async fn what_follows_from_a_seed_is_not_what_another_script_has_chosen() {
    let server = PrivateRedis::start();
    let all = Keyspaces::connect(&server.url(), "seeds").await.unwrap();
    let cache = keyspace(&all).await;
    let mut connection = learner(&cache).await;
    let draw = "return tostring(math.random())";
    let chosen = format!("math.randomseed(5) {draw}");
    let expected = ask(&mut connection, &["EVAL", &chosen, "0"]).await.unwrap();
    assert_eq!(ask(&mut connection, &["EVAL", &chosen, "0"]).await.unwrap(), expected, "a script's own seed counts");
    ask(&mut connection, &["EVAL", "math.randomseed(5)", "0"]).await.unwrap();
    assert_ne!(ask(&mut connection, &["EVAL", draw, "0"]).await.unwrap(), expected);
}

/// By how many connections others have made, word could be left, too.
#[tokio::test]
async fn a_connections_number_counts_those_of_its_check() {
    let server = PrivateRedis::start();
    let all = Keyspaces::connect(&server.url(), "numbers").await.unwrap();
    let (one, other) = (keyspace(&all).await, keyspace(&all).await);
    for _ in 0..20 {
        say(&one, "PING\n", "+PONG\r\n").await;
    }
    let id = |text: &str| text.split("$2\r\nid\r\n").nth(1).unwrap().split("\r\n").next().unwrap().to_owned();
    assert_eq!(id(&say(&other, "HELLO 2\nPING\n", "+PONG\r\n").await), ":1");
    assert_eq!(id(&say(&other, "HELLO 3\nPING\n", "+PONG\r\n").await), ":2");
    assert_eq!(
        say(&other, "CLIENT ID\nMULTI\nCLIENT ID\nEXEC\nPING\n", "+PONG\r\n").await.matches(":3\r\n").count(),
        2
    );
}

#[tokio::test]
async fn a_server_that_uses_scripts_notices_nothing() {
    let server = PrivateRedis::start();
    let all = Keyspaces::connect(&server.url(), "notices").await.unwrap();
    let cache = keyspace(&all).await;
    let mut connection = learner(&cache).await;
    let mut plain = administrator(&server.url()).await;
    for text in [
        "return redis.call('incr', KEYS[1])",
        "#!lua flags=no-writes\nreturn {1, ARGV[1], false}",
        "",
        "-- a comment\nreturn redis.error_reply('OWN is my error')",
        "return nonexistent",
        "local x = 1\nlocal y = x.z.z\nreturn y",
        "return (",
        "return 1 --[[ never closed",
        "#!lua",
        "#!ruby\nreturn 1",
        "#!lua flags=wrong\nreturn 1",
        "return redis.call('no-such-command')",
        "return redis.call('get', KEYS[1], 'more')",
        "return cjson.decode('[1,2')",
        "return {cjson.encode({a = {}}), math.floor(1.5), cjson.null == cjson.decode('null')}",
        "local s = 0 for i = 1, 10 do s = s + math.abs(-i) end return s",
    ] {
        let id = sha1(text);
        for words in [
            &["EVALSHA", &id, "1", "k", "a"][..],
            &["EVAL", text, "1", "k", "a"],
            &["SCRIPT", "EXISTS", &id],
            &["EVALSHA", &id, "1", "k", "a"],
            &["SCRIPT", "LOAD", text],
            &["EVALSHA_RO", &id.to_uppercase(), "1", "k", "a"],
        ] {
            let (expected, got) = (ask(&mut plain, words).await, ask(&mut connection, words).await);
            assert_eq!(format!("{got:?}"), format!("{expected:?}"), "{words:?}");
        }
    }
    assert!(cache.scripts().contains(&"return redis.call('incr', KEYS[1])".to_owned()));
    check_transactions(&cache, &mut connection).await;
    // As after a restart.
    cmd("SCRIPT").arg("FLUSH").exec_async(&mut plain).await.unwrap();
    assert!(!is_known(&mut connection, "return 7").await);
    assert_eq!(redis::Script::new("return 7").invoke_async::<_, i64>(&mut connection).await.unwrap(), 7);
    assert!(is_known(&mut connection, "return 7").await);
    cache.forget_scripts();
    assert!(!is_known(&mut connection, "return 7").await);
    assert_eq!(redis::Script::new("return 7").invoke_async::<_, i64>(&mut connection).await.unwrap(), 7);
}

/// In a pipeline and in a transaction, names are those that the client knows, too.
async fn check_transactions(cache: &Redis, connection: &mut MultiplexedConnection) {
    let text = "return 7";
    let mut all = pipe();
    all.atomic().cmd("SCRIPT").arg("LOAD").arg(text).cmd("EVALSHA").arg(sha1(text)).arg(0).cmd("CLIENT").arg("GETNAME");
    let (id, seven, _): (String, i64, Option<String>) = all.query_async(connection).await.unwrap();
    assert_eq!((id, seven), (sha1(text), 7));
    let said = say(cache, "SUBSCRIBE a\nUNSUBSCRIBE a\nPUBSUB NUMSUB a\nPING\n", "+PONG\r\n").await;
    assert!(said.ends_with("*2\r\n$1\r\na\r\n:0\r\n+PONG\r\n"), "{said}");
    let info: String = cmd("INFO").query_async(connection).await.unwrap();
    assert!(info.contains("redis_version:") && info.contains("role:master"), "{info}");
    let _: () = cmd("SET").arg("k").arg(1).query_async(connection).await.unwrap();
    let keys: redis::InfoDict = cmd("INFO").arg("keyspace").query_async(connection).await.unwrap();
    assert_eq!(keys.get::<String>("db0").as_deref(), Some("keys=1"));
}
