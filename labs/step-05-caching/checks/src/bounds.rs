//! Task 4: what Redis is asked to do and to hold.

use lab_kit::prelude::*;
use lab_redis::AsyncCommands as _;
use lab_redis::LabRedis as _;
use redis::aio::MultiplexedConnection;

use crate::support::{Event, distinct, every_kind, insert_all};

/// Commands that look at every key, or throw all of them away.
const WHOLE_KEYSPACE: [&str; 7] = ["KEYS", "SCAN", "DBSIZE", "RANDOMKEY", "FLUSHDB", "FLUSHALL", "SAVE"];
/// The most that one key may hold.
const MOST_BYTES: u64 = 40 * 1024;
const MOST_ELEMENTS: u64 = 1_000;

/// Redis does one thing at a time: while it scans a million keys, nobody else gets an answer (Redis documentation,
/// `KEYS`: "use in production with extreme care").
#[check(title = "no request scans all keys", task = 4, points = 2, needs = ["hit"],
        hints = ["Search your code for KEYS and SCAN. What are they for?",
                 "To clear copies whose keys you do not know, put a part into their keys that you can change."])]
async fn no_key_scans(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    every_kind(lab, &app).await?;
    let cache = lab.redis().await?;
    let commands = cache.commands();
    // never fails alone: `hit` needs a command for each of its reads
    expect_that(!commands.calls().is_empty(), "Redis got no command at all")?;
    let plain = commands.named(&WHOLE_KEYSPACE).first().map(ToString::to_string);
    match plain.or_else(|| cache.scripts().into_iter().find(|script| calls_one(script))) {
        None => Ok(()),
        Some(culprit) => Err(Failure::learner("a request made Redis scan all of its keys, or delete them")
            .expected("commands on named keys")
            .actual(culprit)),
    }
}

/// A value that grows with the data is read, sent and copied in full just to get one row (Redis documentation, "Memory
/// optimization"; redis-cli --bigkeys).
#[check(title = "no key grows with the data", task = 4, points = 2, needs = ["hit"],
        hints = ["Which of your keys holds more the more events there are?",
                 "The fields of one big hash cannot expire one by one or be spread over servers. One key for each event can."])]
async fn bounded_values(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let long = "all night long ".repeat(12);
    let events: Vec<_> = distinct(lab, 120)
        .into_iter()
        .map(|event| Event { title: format!("{long}{}", event.title).chars().take(200).collect(), ..event })
        .collect();
    insert_all(lab, &events).await?;
    for some in events.chunks(40) {
        for answer in lab.burst(some.iter().map(|event| app.get(event.path()))).await? {
            // never fails alone: `events` asks the same of a GET
            answer.expect_status(200)?;
        }
        let ids: Vec<_> = some.iter().map(|event| event.id.to_string()).collect();
        for path in [format!("/events?ids={}", ids.join(",")), some[0].list()] {
            app.get(path).await?.expect_status(200)?;
        }
    }
    for path in ["/events?limit=50", "/events?limit=50&sort=price_cents"] {
        app.get(path).await?.expect_status(200)?;
    }
    let cache = lab.redis().await?;
    let keys = cache.keys().await?;
    // never fails alone: `hit` fails a server that keeps no copies
    expect_that(!keys.is_empty(), "Redis holds no key at all")?;
    let mut connection = cache.connection().await?;
    for key in keys {
        let (bytes, elements) = size(&mut connection, &key).await.ours("measuring a key")?;
        if bytes > MOST_BYTES || elements > MOST_ELEMENTS {
            return Err(Failure::learner(format!("the key `{key}` takes {bytes} bytes in {elements} elements"))
                .expected(format!("at most {MOST_BYTES} bytes and {MOST_ELEMENTS} elements in any key"))
                .actual(format!("{bytes} bytes, {elements} elements")));
        }
    }
    Ok(())
}

fn calls_one(script: &str) -> bool {
    let text: String = script.to_uppercase().chars().filter(|letter| !letter.is_whitespace()).collect();
    WHOLE_KEYSPACE
        .iter()
        .any(|name| text.contains(&format!("CALL('{name}'")) || text.contains(&format!("CALL(\"{name}\"")))
}

async fn size(connection: &mut MultiplexedConnection, key: &str) -> redis::RedisResult<(u64, u64)> {
    let bytes: Option<u64> =
        redis::cmd("MEMORY").arg("USAGE").arg(key).arg("SAMPLES").arg(0).query_async(connection).await?;
    let kind: String = redis::cmd("TYPE").arg(key).query_async(connection).await?;
    let elements = match kind.as_str() {
        "hash" => connection.hlen(key).await?,
        "set" => connection.scard(key).await?,
        "zset" => connection.zcard(key).await?,
        "list" => connection.llen(key).await?,
        "stream" => connection.xlen(key).await?,
        _ => 1,
    };
    Ok((bytes.unwrap_or_default(), elements))
}
