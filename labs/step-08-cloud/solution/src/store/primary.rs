//! One of several databases is the primary, and which one changes while we run: it is killed, and its standby promoted.
//!
//! The pool connects to one of them. A task looks which is the primary and tells the pool; a connection that turns out to
//! lead to a standby is thrown away before anybody uses it.

use std::time::Duration;

use futures::future::join_all;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection as _, PgConnection, PgPool};
use tokio::time::{sleep, timeout};

/// How often to look.
const EVERY: Duration = Duration::from_millis(500);
/// How long one of them may take to say what it is.
const PATIENCE: Duration = Duration::from_secs(1);

/// The primary's timeline, which is one more after each promotion, or nothing on a standby. A primary that comes back after
/// another has taken its place does not know about that, but its timeline is the smaller one.
const TIMELINE: &str =
    "SELECT CASE WHEN pg_is_in_recovery() THEN NULL ELSE left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) END";
const IS_PRIMARY: &str = "SELECT NOT pg_is_in_recovery()";

/// A pool that gives out no connection to a standby.
pub fn only(options: PgPoolOptions) -> PgPoolOptions {
    options
        .test_before_acquire(false)
        .before_acquire(|connection, _| Box::pin(sqlx::query_scalar(IS_PRIMARY).fetch_one(connection)))
        .after_connect(|connection, _| {
            Box::pin(async move {
                let is_primary: bool = sqlx::query_scalar(IS_PRIMARY).fetch_one(connection).await?;
                if is_primary { Ok(()) } else { Err(sqlx::Error::WorkerCrashed) }
            })
        })
}

/// Has the pool connect to whichever is the primary, until the pool is closed.
pub fn follow(pool: &PgPool, choice: Vec<PgConnectOptions>) {
    let pool = pool.clone();
    tokio::spawn(async move {
        while !pool.is_closed() {
            let timelines = join_all(choice.iter().map(timeline)).await;
            // Hexadecimal digits of one length sort as their numbers do.
            let newest = timelines.into_iter().zip(&choice).filter_map(|(timeline, one)| Some((timeline?, one)));
            if let Some((_, primary)) = newest.max_by(|(a, _), (b, _)| a.cmp(b)) {
                tell(&pool, primary);
            }
            sleep(EVERY).await;
        }
    });
}

fn tell(pool: &PgPool, primary: &PgConnectOptions) {
    let known = pool.connect_options();
    if (known.get_host(), known.get_port()) != (primary.get_host(), primary.get_port()) {
        tracing::warn!(host = primary.get_host(), port = primary.get_port(), "the primary is another one");
        pool.set_connect_options(primary.clone());
    }
}

async fn timeline(options: &PgConnectOptions) -> Option<String> {
    let asked = async {
        let mut connection = PgConnection::connect_with(options).await?;
        let timeline: Option<String> = sqlx::query_scalar(TIMELINE).fetch_one(&mut connection).await?;
        connection.close().await?;
        Ok::<_, sqlx::Error>(timeline)
    };
    timeout(PATIENCE, asked).await.ok()?.ok()?
}
