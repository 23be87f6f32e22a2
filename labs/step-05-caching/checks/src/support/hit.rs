//! Reads, and what they cost.

use lab_kit::prelude::*;
use lab_postgres::LabPostgres as _;
use lab_redis::LabRedis as _;

use super::Event;

/// How long a server may take to keep a copy after it has answered: some do so in the background.
pub const KEPT: Duration = Duration::from_secs(2);

/// Sends a `GET` that a copy must answer: without SQL, and with Redis.
pub async fn expect_hit(lab: &Lab, request: Request, why: &str) -> CheckResult<Response> {
    let (db, cache) = (lab.postgres().await?, lab.redis().await?);
    let seen = db.record(cache.record(request)).await?;
    seen.statements.expect(0, why)?;
    seen.value.commands.expect_at_least(1, "a hit is read from Redis, so that other instances can clear it")?;
    Ok(seen.value.value)
}

/// Sends a `GET` until it is answered from a copy.
pub async fn warm(lab: &Lab, request: Request) -> CheckResult<Response> {
    request.clone().await?;
    lab.eventually("an answer comes from a copy", KEPT, || async {
        expect_hit(lab, request.clone(), "it was read before").await
    })
    .await
}

/// How many SQL statements a read without a copy takes, of an event that nobody has read.
pub async fn cold_read(lab: &Lab, app: &App, path: fn(&Event) -> String) -> CheckResult<usize> {
    let event = Event::random(lab);
    event.insert(lab).await?;
    Ok(read(lab, app.get(path(&event))).await?.1)
}

/// Sends a `GET` and gives how many SQL statements it took.
pub async fn read(lab: &Lab, request: Request) -> CheckResult<(Response, usize)> {
    let seen = lab.postgres().await?.record(request).await?;
    let statements = seen.statements.queries().len();
    Ok((seen.value, statements))
}
