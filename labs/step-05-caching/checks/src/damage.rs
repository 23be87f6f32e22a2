//! Task 7: what Redis holds is not what was written.

use lab_kit::prelude::*;
use lab_redis::LabRedis as _;
use redis::aio::MultiplexedConnection;
use redis::{RedisResult, cmd};

use crate::support::{Customer, Event, expect_items, warm};

/// What a value is changed into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Damage {
    Bytes,
    OtherShape,
    ListOfOtherShape,
    CutInHalf,
    OtherType,
}

const NO_TEXT: &[u8] = b"\xff\x00\xfe not yours \x80";
/// Locks live for LOCK_TTL_MS, which is 5 seconds. They are no copies.
const SHORT: i64 = 5_500;

/// After a release, old copies are still there, and a shared Redis may hold anything: a copy that cannot be read is a
/// miss (OWASP ASVS 5.0, V1.5 Safe Deserialization).
#[check(title = "a damaged copy is a miss", task = 7, points = 2, needs = ["miss_cached", "session"],
        hints = ["Does your server trust what it reads from Redis? What if it does not parse?",
                 "A copy that cannot be read is deleted and read again from Postgres.",
                 "A key of another type makes `GET` fail with WRONGTYPE: this, too, is a miss."])]
async fn damaged_copies(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let customer = Customer::insert(lab, 5).await?;
    for damage in [Damage::Bytes, Damage::OtherShape, Damage::ListOfOtherShape, Damage::CutInHalf, Damage::OtherType] {
        let (event, nobody) = (Event::random(lab), Event::random(lab));
        event.insert(lab).await?;
        let ids = format!("/events?ids={},{}", nobody.id, event.id);
        warm(lab, app.get(event.path())).await?;
        warm(lab, app.get(event.list())).await?;
        warm(lab, app.get(&ids)).await?;
        let session = customer.session(&app).await?;
        apply(lab, damage).await?;
        let why = format!("the grader has changed what Redis holds ({damage:?}), and Postgres has the right data");
        for _ in 0..2 {
            event.expect_read(app.get(event.path())).await.because(&why)?;
            expect_items(app.get(event.list()).await?, &[&event]).because(&why)?;
            expect_items(app.get(&ids).await?, &[&event]).because(&why)?;
            // never fails alone: the ids above have mended this copy, which held what the copy of the event did
            app.get(nobody.path()).await?.expect_status(404).because(&why)?;
        }
        app.get("/session")
            .cookie("session", &session)
            .await?
            .expect_status(401)
            .because("nobody can tell whose session it was")?;
        let mut connection = lab.redis().await?.connection().await?;
        cmd("FLUSHDB").query_async::<()>(&mut connection).await.ours("emptying the keyspace")?;
    }
    Ok(())
}

async fn apply(lab: &Lab, damage: Damage) -> CheckResult {
    lab.note(format!("the grader changes every value in Redis: {damage:?}"));
    let cache = lab.redis().await?;
    let mut connection = cache.connection().await?;
    let mut changed = 0;
    for key in cache.keys().await? {
        changed += usize::from(apply_to(&mut connection, &key, damage).await.ours("changing a value in Redis")?);
    }
    // never fails alone: `miss_cached` fails a server that keeps no copies
    expect_that(changed > 0, "Redis holds no copy at all")
}

/// Changes one key; says whether it did.
async fn apply_to(connection: &mut MultiplexedConnection, key: &str, damage: Damage) -> RedisResult<bool> {
    let kind: String = cmd("TYPE").arg(key).query_async(connection).await?;
    let left: i64 = cmd("PTTL").arg(key).query_async(connection).await?;
    if left < SHORT {
        return Ok(false);
    }
    if damage == Damage::OtherType {
        cmd("DEL").arg(key).query_async::<()>(connection).await?;
        if kind == "list" {
            cmd("SADD").arg(key).arg("not yours").query_async::<()>(connection).await?;
        } else {
            cmd("RPUSH").arg(key).arg("not yours").query_async::<()>(connection).await?;
        }
        cmd("PEXPIRE").arg(key).arg(left).query_async::<()>(connection).await?;
        return Ok(true);
    }
    match kind.as_str() {
        "string" => {
            let value: Vec<u8> = cmd("GET").arg(key).query_async(connection).await?;
            let value = spoiled(&value, damage);
            cmd("SET").arg(key).arg(value).arg("KEEPTTL").query_async::<()>(connection).await?;
        }
        "hash" => {
            let fields: Vec<Vec<u8>> = cmd("HKEYS").arg(key).query_async(connection).await?;
            let one_left = damage == Damage::CutInHalf && fields.len() > 1;
            for field in fields.iter().skip(usize::from(one_left)) {
                if one_left {
                    cmd("HDEL").arg(key).arg(field).query_async::<()>(connection).await?;
                    continue;
                }
            }
            let rest: Vec<Vec<u8>> = cmd("HKEYS").arg(key).query_async(connection).await?;
            for field in rest {
                cmd("HSET").arg(key).arg(field).arg(NO_TEXT).query_async::<()>(connection).await?;
            }
        }
        // Other types have no one place whose loss can be noticed.
        _ => return Ok(false),
    }
    Ok(true)
}

fn spoiled(value: &[u8], damage: Damage) -> Vec<u8> {
    match damage {
        Damage::OtherShape => br#"{"old_format": true}"#.to_vec(),
        Damage::ListOfOtherShape => br#"[{"old_format": true}]"#.to_vec(),
        // Half of a short value may be a value, such as a number.
        Damage::CutInHalf if value.len() > 40 => value[..value.len() / 2].to_vec(),
        Damage::Bytes | Damage::CutInHalf | Damage::OtherType => NO_TEXT.to_vec(),
    }
}
