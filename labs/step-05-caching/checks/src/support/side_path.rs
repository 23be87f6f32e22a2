//! A way from one instance to Postgres, or to Redis, that no other instance uses, so that one can be slow and the others not.

use std::future::IntoFuture as _;

use lab_kit::prelude::*;
use lab_kit::proxy::Proxy;
use lab_postgres::LabPostgres as _;
use lab_redis::LabRedis as _;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use url::Url;

/// How long an answer is late while it is decided whether it is to be held.
const LATE: Duration = Duration::from_millis(400);
/// How long a read may take to ask Postgres: a few late answers, for connections and prepared statements.
const ASKED: Duration = Duration::from_secs(8);

/// The way of one instance to Postgres.
#[derive(Debug)]
pub struct SidePath {
    proxy: Proxy,
    url: String,
}

impl SidePath {
    pub async fn new(lab: &Lab) -> CheckResult<Self> {
        let db = lab.postgres().await?;
        let proxy = lab.proxy("one instance's way to Postgres", db.proxy().address())?;
        let mut url = Url::parse(db.url()).ours("reading the database's URL")?;
        let moved = url.set_port(Some(proxy.address().port()));
        moved.map_err(|()| Failure::Ours("the database's URL does not accept a port".into()))?;
        Ok(Self { proxy, url: url.into() })
    }

    /// The same to Redis: what the instance says to it can be held back.
    pub async fn to_redis(lab: &Lab) -> CheckResult<Self> {
        let cache = lab.redis().await?;
        let proxy = lab.proxy("one instance's way to Redis", cache.proxy().address())?;
        let mut url = Url::parse(cache.url()).ours("reading the URL of Redis")?;
        let moved = url.set_port(Some(proxy.address().port()));
        moved.map_err(|()| Failure::Ours("the URL of Redis takes no port".into()))?;
        Ok(Self { proxy, url: url.into() })
    }

    /// Nothing passes from now on until it is released.
    pub fn hold(&self, lab: &Lab) {
        self.proxy.stop();
        lab.note("what one instance says to Redis is held back");
    }

    /// For the instance that is to take this way.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Sends a `GET`, lets Postgres answer the instance's question about events, and holds that answer back.
    pub async fn hold_answer(&self, lab: &Lab, request: Request) -> CheckResult<JoinHandle<CheckResult<Response>>> {
        let db = lab.postgres().await?;
        let before = db.statements().len();
        self.proxy.delay(LATE);
        let reader = tokio::spawn(request.into_future());
        let deadline = Instant::now() + ASKED;
        loop {
            let asked =
                db.statements().iter().skip(before).any(|seen| {
                    seen.is_query() && !seen.answer.is_empty() && seen.sql.to_lowercase().contains("events")
                });
            if asked {
                self.proxy.stop();
                lab.note("Postgres has answered the reader; the answer is held back");
                return Ok(reader);
            }
            if reader.is_finished() || Instant::now() > deadline {
                // never fails alone: `hit` fails a server whose first read does not ask Postgres
                return Err(Failure::learner("a GET that has no copy yet did not ask Postgres about `events`")
                    .expected("an SQL statement that reads the table `events`, within 8 seconds"));
            }
            sleep(Duration::from_millis(1)).await;
        }
    }

    /// Delivers what was held back.
    pub fn release(&self, lab: &Lab) {
        lab.note("what was held back is delivered");
        self.proxy.restore();
    }
}
