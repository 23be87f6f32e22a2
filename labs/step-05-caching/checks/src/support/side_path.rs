//! A way from one instance to Postgres, or to Redis, that no other instance uses, so that one can be slow and the others not.

use std::future::IntoFuture as _;

use lab_kit::prelude::*;
use lab_kit::proxy::Proxy;
use lab_postgres::{LabPostgres as _, Statement};
use lab_redis::LabRedis as _;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use url::Url;

use super::{Event, cold_read};

/// How long an answer is late while it is decided whether it is to be held.
const LATE: Duration = Duration::from_millis(400);
/// How long a read may take to ask Postgres: a few late answers, for connections and prepared statements.
const ASKED: Duration = Duration::from_secs(8);
/// How often it is tried to hold an answer back: it may slip through where the machine stands still.
const HELD_TRIES: usize = 3;

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

    /// Sends a `GET`, lets Postgres answer so many of the statements that it takes, and holds the last of these answers
    /// back. What a statement says is nobody's affair: it may read a view, or call a function. Nothing if the `GET` takes
    /// fewer statements.
    pub async fn hold_answer(
        &self,
        lab: &Lab,
        request: Request,
        statements: usize,
    ) -> CheckResult<Option<JoinHandle<CheckResult<Response>>>> {
        let db = lab.postgres().await?;
        let before = db.statements().len();
        self.proxy.delay(LATE);
        let reader = tokio::spawn(request.into_future());
        let deadline = Instant::now() + ASKED;
        loop {
            let over = reader.is_finished() || Instant::now() > deadline;
            let answered = |seen: &&Statement| seen.is_query() && !seen.answer.is_empty();
            let answers = db.statements().iter().skip(before).filter(answered).count();
            if answers >= statements && !over {
                self.proxy.stop();
                lab.note(format!("Postgres has given the reader answer {statements}, which is held back"));
                return Ok(Some(reader));
            }
            if over && answers == 0 {
                // never fails alone: `hit` fails a server whose first read does not ask Postgres
                return Err(Failure::learner("a GET that has no copy yet did not ask Postgres")
                    .expected("an SQL statement that reads the event, within 8 seconds"));
            }
            if over {
                self.proxy.restore();
                return Ok(None);
            }
            sleep(Duration::from_millis(1)).await;
        }
    }

    /// The same with the last statement that reading an event takes, one that nobody has read yet: whatever a reader takes
    /// to keep others waiting, it has then. Gives the event and its reader.
    pub async fn hold_last_answer(
        &self,
        lab: &Lab,
        app: &App,
    ) -> CheckResult<(Event, JoinHandle<CheckResult<Response>>)> {
        // The first read opens connections; the second one takes what every read takes.
        cold_read(lab, app, Event::path).await?;
        let statements = cold_read(lab, app, Event::path).await?.max(1);
        for _ in 0..HELD_TRIES {
            let event = Event::random(lab);
            event.insert(lab).await?;
            if let Some(reader) = self.hold_answer(lab, app.get(event.path()), statements).await? {
                return Ok((event, reader));
            }
        }
        let what = "a GET that has no copy yet took fewer SQL statements than another one before it";
        // never fails alone: `stampede` counts the same statements
        let failure = Failure::learner(what);
        Err(failure.expected(format!("{statements}, within 8 seconds")).by_time())
    }

    /// Delivers what was held back.
    pub fn release(&self, lab: &Lab) {
        lab.note("what was held back is delivered");
        self.proxy.restore();
    }
}
