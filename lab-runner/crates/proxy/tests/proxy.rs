//! The proxy's faults, as a driver sees them.

use std::time::{Duration, Instant};

use lab_check::transcript::Transcript;
use lab_postgres::{Cluster, Postgres};
use lab_redis::{AsyncCommands as _, Keyspaces, Redis};
use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio::runtime::Handle;
use tokio::time::timeout;

use lab_test_services as servers;

/// Long enough on the slowest machine; no test waits it out unless it fails.
const SOON: Duration = Duration::from_secs(20);

async fn database(run: &str) -> (Cluster, Postgres) {
    let run = format!("{run} {}", std::process::id());
    let cluster = Cluster::connect(&servers::postgres_url(), &run).await.expect("a cluster");
    let db = Postgres::create(&cluster, Transcript::default()).await.expect("a database");
    (cluster, db)
}

/// A pool of sqlx tries again for as long as connections are refused, and gives up at once where they are closed.
#[tokio::test]
async fn a_refused_connection_is_not_the_same_as_a_closed_one() {
    let (cluster, db) = database("refused").await;
    let pool = PgPoolOptions::new().acquire_timeout(SOON).connect_lazy(db.url()).unwrap();
    db.proxy().cut();
    assert!(matches!(pool.execute("select 1").await, Err(sqlx::Error::Io(_))));
    db.proxy().refuse();
    let waiting = tokio::spawn({
        let pool = pool.clone();
        async move { sqlx::query_scalar::<_, i32>("select 7").fetch_one(&pool).await }
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!waiting.is_finished(), "the pool gave up");
    db.proxy().restore();
    assert_eq!(timeout(SOON, waiting).await.unwrap().unwrap().unwrap(), 7);
    cluster.remove_all().await.unwrap();
}

#[tokio::test]
async fn a_delayed_answer_is_late_and_a_restored_one_is_not() {
    let (cluster, db) = database("delayed").await;
    let mut connection = PgConnection::connect(db.url()).await.unwrap();
    connection.execute("select 1").await.unwrap();
    let late = Duration::from_millis(150);
    db.proxy().delay(late);
    let began = Instant::now();
    connection.execute("select 1").await.unwrap();
    assert!(began.elapsed() >= late);
    assert!(db.statements().last().unwrap().took < late, "Postgres itself was not late");
    db.proxy().restore();
    cluster.remove_all().await.unwrap();
}

#[tokio::test]
async fn a_statement_that_was_stopped_is_seen_without_an_answer() {
    let (cluster, db) = database("stopped").await;
    let mut connection = PgConnection::connect(db.url()).await.unwrap();
    connection.execute("create table t (id int)").await.unwrap();
    db.proxy().stop();
    assert!(timeout(Duration::from_millis(200), connection.execute("insert into t values (1)")).await.is_err());
    let last = db.statements().last().cloned().unwrap();
    assert_eq!((last.sql.as_str(), last.answer.as_str()), ("insert into t values (1)", ""));
    assert_eq!(db.scalar::<i64>("select count(*) from t").await.unwrap(), 0);
    drop(connection);
    db.proxy().cut();
    db.proxy().restore();
    assert_eq!(db.scalar::<i64>("select count(*) from t").await.unwrap(), 0, "what was cut off arrived all the same");
    cluster.remove_all().await.unwrap();
}

#[tokio::test]
async fn one_checks_faults_disturb_no_other_check() {
    let (cluster, mine) = database("mine").await;
    let other = Postgres::create(&cluster, Transcript::default()).await.unwrap();
    let mut connection = PgConnection::connect(other.url()).await.unwrap();
    mine.proxy().cut();
    connection.execute("select 1").await.unwrap();
    mine.proxy().stop();
    connection.execute("select 1").await.unwrap();
    cluster.remove_all().await.unwrap();
}

#[tokio::test]
async fn nothing_runs_on_when_a_run_has_ended() {
    let before = Handle::current().metrics().num_alive_tasks();
    let (cluster, db) = database("nothing runs on").await;
    let keyspaces = Keyspaces::connect(&servers::redis_url(), "nothing runs on").await.unwrap();
    let cache = Redis::create(&keyspaces, Transcript::default()).await.unwrap();
    let client = redis::Client::open(cache.url()).unwrap();
    let mut commands = client.get_multiplexed_async_connection().await.unwrap();
    let _: () = commands.set("k", 1).await.unwrap();
    let mut connection = PgConnection::connect(db.url()).await.unwrap();
    connection.execute("select 1").await.unwrap();
    db.scalar::<i32>("select 1").await.unwrap();
    drop((db, cache, connection, commands));
    cluster.remove_all().await.unwrap();
    keyspaces.remove_all().await.unwrap();
    drop((cluster, keyspaces));
    let deadline = Instant::now() + SOON;
    while Handle::current().metrics().num_alive_tasks() > before {
        assert!(Instant::now() < deadline, "a task is left");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
