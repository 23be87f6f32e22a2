//! Finds and drops what runs have made: this one at its end, and those that were killed.

use std::collections::BTreeSet;

use futures::stream::{self, StreamExt as _, TryStreamExt as _};

use super::server::Server;
use lab_check::naming::RunKey;

/// How many are dropped at once.
const AT_ONCE: usize = 3;

/// Drops all that this run made.
pub(super) async fn remove_run(server: &Server) -> sqlx::Result<()> {
    server.let_go().await;
    let names = all_names(server).await?;
    drop_all(server, of_run(&names, server.key)).await
}

/// Drops all that runs made which no longer live.
pub(super) async fn remove_dead_runs(server: &Server) -> sqlx::Result<()> {
    let names = all_names(server).await?;
    let runs: BTreeSet<RunKey> = names.iter().filter_map(|name| RunKey::of_name(name)).collect();
    for run in runs.into_iter().filter(|run| *run != server.key) {
        remove_if_dead(server, run, of_run(&names, run)).await?;
    }
    Ok(())
}

/// A run lives while its lock is held. Locks are of one database, and another run may have connected to another, so
/// its first connection is looked for by name as well.
async fn remove_if_dead(server: &Server, run: RunKey, names: Vec<String>) -> sqlx::Result<()> {
    let mut connection = server.pool.acquire().await?;
    let locked: bool =
        sqlx::query_scalar("select pg_try_advisory_lock($1)").bind(run.lock()).fetch_one(&mut *connection).await?;
    if !locked {
        return Ok(());
    }
    let seen: bool = sqlx::query_scalar("select exists (select from pg_stat_activity where application_name = $1)")
        .bind(run.connection_name())
        .fetch_one(&mut *connection)
        .await?;
    let dropped = if seen { Ok(()) } else { drop_and_tell(server, names).await };
    sqlx::query("select pg_advisory_unlock($1)").bind(run.lock()).execute(&mut *connection).await?;
    dropped
}

async fn drop_and_tell(server: &Server, names: Vec<String>) -> sqlx::Result<()> {
    let databases: i64 = sqlx::query_scalar("select count(*) from pg_database where datname = any($1)")
        .bind(&names)
        .fetch_one(&server.pool)
        .await?;
    // Every database has a role of its name; all names are roles'.
    server.left.of_dead_runs(usize::try_from(databases).unwrap_or(0), names.len());
    drop_all(server, names).await
}

async fn all_names(server: &Server) -> sqlx::Result<BTreeSet<String>> {
    let names: Vec<String> = sqlx::query_scalar(
        "select datname::text from pg_database where datname like 'lab\\_%'
         union select rolname::text from pg_roles where rolname like 'lab\\_%'",
    )
    .fetch_all(&server.pool)
    .await?;
    Ok(names.into_iter().filter(|name| RunKey::of_name(name).is_some()).collect())
}

fn of_run(names: &BTreeSet<String>, run: RunKey) -> Vec<String> {
    names.iter().filter(|name| RunKey::of_name(name) == Some(run)).cloned().collect()
}

/// The databases first: a role that owns anything cannot be dropped.
async fn drop_all(server: &Server, names: Vec<String>) -> sqlx::Result<()> {
    let databases = stream::iter(names.clone()).map(|name| async move { server.remove_database(&name).await });
    // Each is tried, whatever became of the one before it.
    let mut results: Vec<sqlx::Result<()>> = databases.buffer_unordered(AT_ONCE).collect().await;
    let roles = stream::iter(names).map(|name| async move { server.remove_role(&name).await });
    results.extend(roles.buffer_unordered(AT_ONCE).collect::<Vec<_>>().await);
    stream::iter(results).try_collect().await
}
