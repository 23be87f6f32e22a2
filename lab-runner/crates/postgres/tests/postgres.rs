//! The database side, on a real Postgres.

use std::process::Stdio;
use std::time::{Duration, Instant};

use futures::future::join_all;
use lab_check::service::{Access, Replacement, Service, ServiceHost, Tenant};
use lab_check::transcript::Transcript;
use lab_check::{CheckResult, Failure};
use lab_not_tried::not_tried;
use lab_postgres::{Cluster, LabCluster as _, Postgres};
use lab_protocol::Happening;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, PgConnection};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use lab_test_services::{self as servers, PrivatePostgres};

/// Long enough on the slowest machine; no test waits it out unless it fails.
const SOON: Duration = Duration::from_secs(20);

async fn cluster(run: &str) -> Cluster {
    Cluster::connect(&servers::postgres_url(), &format!("{run} {}", std::process::id())).await.expect("a cluster")
}

async fn database(cluster: &Cluster) -> Postgres {
    Postgres::create(cluster, Transcript::default()).await.expect("a database")
}

async fn learner(db: &Postgres) -> PgConnection {
    PgConnection::connect(db.url()).await.expect("the learner's connection")
}

async fn administrator() -> PgConnection {
    PgConnection::connect(&servers::postgres_url()).await.expect("the administrator's connection")
}

/// The databases and roles whose names begin with that of `db`, up to its number.
async fn left_of_run(db: &str) -> Vec<String> {
    let run = db.rsplit_once('_').expect("a name of ours").0;
    let names = "select datname::text from pg_database where starts_with(datname::text, $1)
                 union all select rolname::text from pg_roles where starts_with(rolname::text, $1)";
    sqlx::query_scalar(names).bind(run.to_owned()).fetch_all(&mut administrator().await).await.expect("names")
}

fn name_of(db: &Postgres) -> String {
    db.url().rsplit_once('/').expect("a database in the URL").1.to_owned()
}

fn message(failure: Failure) -> String {
    match failure {
        Failure::Learner(told) => told.message,
        Failure::Ours(message) => panic!("our fault: {message}"),
        Failure::NotApplicable(message) => panic!("not applicable: {message}"),
    }
}

#[tokio::test]
async fn a_check_owns_its_database_and_nothing_else() {
    let cluster = cluster("owns").await;
    assert!(cluster.version().starts_with("PostgreSQL 1"), "{}", cluster.version());
    let (mine, other) = (database(&cluster).await, database(&cluster).await);
    let mut connection = learner(&mine).await;
    connection.execute("create table t (id int); create schema s; insert into t values (1)").await.unwrap();
    assert_eq!(mine.scalar::<i64>("select count(*) from t").await.unwrap(), 1);
    assert!(other.rows::<(i32,)>("select id from t").await.is_err(), "the other database has the table too");

    for forbidden in
        ["create database x", "create role x", "select pg_read_file('/etc/passwd')", "alter system set fsync = on"]
    {
        assert!(connection.execute(forbidden).await.is_err(), "{forbidden}");
    }
    let into_the_other: PgConnectOptions = mine.url().parse().unwrap();
    let refused = into_the_other.database(&name_of(&other)).connect().await;
    assert!(refused.is_err(), "a role reached another's database");
    cluster.remove_all().await.unwrap();
}

/// The cluster of these tests has the locale `C`, where `ä` has no other case.
#[tokio::test]
async fn text_is_utf8_with_cases_and_the_order_of_code_points_whatever_the_clusters_locale() {
    let cluster = cluster("locale").await;
    let db = database(&cluster).await;
    assert_eq!(db.scalar::<String>("select upper('ä') || lower('Ö')").await.unwrap(), "Äö");
    let sorted = "select string_agg(word, ' ' order by word) from unnest(array['b', 'ä', 'a', 'B']) word";
    assert_eq!(db.scalar::<String>(sorted).await.unwrap(), "B a b ä");
    cluster.remove_all().await.unwrap();
}

#[tokio::test]
async fn only_the_checks_own_password_opens_its_database() {
    let cluster = cluster("password").await;
    let db = database(&cluster).await;
    let right: PgConnectOptions = db.url().parse().unwrap();
    let code = async |options: PgConnectOptions| match timeout(SOON, options.connect()).await.unwrap() {
        Err(sqlx::Error::Database(error)) => error.code().unwrap_or_default().into_owned(),
        other => panic!("{other:?}"),
    };
    assert_eq!(code(right.clone().password("guess")).await, "28P01");
    assert_eq!(code(right.clone().database("nowhere")).await, "3D000");
    // Another role is not let in with the check's password.
    let foreign = timeout(SOON, right.clone().username("nobody").connect()).await.unwrap();
    assert!(foreign.is_err());
    let mut connection = right.connect().await.unwrap();
    connection.execute("select 1").await.unwrap();
    assert_eq!(db.service_error(), None);
    cluster.remove_all().await.unwrap();
}

/// A second start-up packet used to be taken for a stream that nobody understands, which passed as it was.
#[tokio::test]
async fn no_session_passes_unrecorded() {
    let cluster = cluster("unrecorded").await;
    let db = database(&cluster).await;
    let start = |more: &str| {
        let body = [&[0, 3, 0, 0], format!("user\0{}\0{more}\0", name_of(&db)).as_bytes()].concat();
        [&u32::try_from(body.len() + 4).unwrap().to_be_bytes()[..], &body].concat()
    };
    let cases = [
        ([start(""), start("")].concat(), "08P01"),
        (start("replication\0database\0"), "0A000"),
        (start("database\0postgres\0"), "3D000"),
        (b"\0\0\0\x08\0\x02\0\0".to_vec(), "0A000"),
    ];
    for (bytes, code) in cases {
        let mut stream = TcpStream::connect(db.proxy().address()).await.unwrap();
        stream.write_all(&bytes).await.unwrap();
        let mut answer = Vec::new();
        timeout(SOON, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
        assert!(String::from_utf8_lossy(&answer).contains(code), "{code}: {answer:?}");
    }
    assert_eq!(db.service_error(), None);
    cluster.remove_all().await.unwrap();
}

#[tokio::test]
async fn a_role_has_as_many_connections_as_are_fair_and_is_told_so() {
    let cluster = cluster("limit").await;
    let db = database(&cluster).await;
    let opened = join_all((0..110).map(|_| PgConnection::connect(db.url()))).await;
    let (open, refused): (Vec<_>, Vec<_>) = opened.into_iter().partition(Result::is_ok);
    assert!(open.len() >= 33, "{}", open.len());
    assert!(refused.iter().all(|refused| format!("{refused:?}").contains("53300")), "{refused:?}");
    assert_eq!(db.service_error(), None, "its own limit is the server's own mistake");
    cluster.remove_all().await.unwrap();
}

#[tokio::test]
async fn the_end_of_a_run_leaves_nothing_even_with_learners_connected() {
    let cluster = cluster("leaves nothing").await;
    let dropped_early = name_of(&database(&cluster).await);
    let db = database(&cluster).await;
    let mut connection = learner(&db).await;
    connection.execute("create table t (id int)").await.unwrap();
    assert!(left_of_run(&dropped_early).await.len() >= 2);
    cluster.remove_all().await.unwrap();
    assert_eq!(left_of_run(&dropped_early).await, Vec::<String>::new());
    assert!(connection.execute("select 1").await.is_err());
    assert!(Postgres::create(&cluster, Transcript::default()).await.is_err());
    cluster.remove_all().await.expect("a second removal is none");
}

#[tokio::test]
async fn a_dead_runs_databases_are_removed_by_the_next_and_a_living_ones_kept() {
    let living = cluster("living").await;
    let kept = database(&living).await;
    let mut admin = administrator().await;
    admin.execute("drop database if exists lab_0123456789abcdef_7").await.unwrap();
    admin
        .execute("drop role if exists lab_0123456789abcdef_7; create role lab_0123456789abcdef_7 login")
        .await
        .unwrap();
    admin.execute("create database lab_0123456789abcdef_7 owner lab_0123456789abcdef_7").await.unwrap();
    admin.execute("drop role if exists lab_orders_7; create role lab_orders_7").await.unwrap();

    let next = cluster("next").await;
    let deadline = Instant::now() + SOON;
    while !left_of_run("lab_0123456789abcdef_7").await.is_empty() {
        assert!(Instant::now() < deadline, "the dead run's database is still there");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    next.remove_all().await.unwrap();
    let told = Service::notes(&next);
    assert!(told[0].ends_with("earlier runs had left on Postgres was removed: 1 database, 1 role"), "{told:?}");
    assert_eq!(left_of_run("lab_orders_7").await, ["lab_orders_7"], "a role that is not ours was dropped");
    admin.execute("drop role lab_orders_7").await.unwrap();
    assert_eq!(kept.scalar::<i32>("select 1").await.unwrap(), 1);
    assert!(living.is_alive().await);
    living.remove_all().await.unwrap();
}

#[tokio::test]
async fn statements_are_recorded_with_their_answers_and_only_queries_counted() {
    let cluster = cluster("recorded").await;
    let db = database(&cluster).await;
    let mut connection = learner(&db).await;
    let seen = db
        .record(async {
            let mut transaction = connection.begin().await.unwrap();
            transaction.execute("create table t (id int primary key)").await.unwrap();
            for id in 1..=2 {
                sqlx::query("insert into t values ($1)").bind(id).execute(&mut *transaction).await.unwrap();
            }
            assert!(sqlx::query("insert into t values ($1)").bind(2).execute(&mut *transaction).await.is_err());
            transaction.rollback().await.unwrap();
            connection.ping().await.unwrap();
            CheckResult::Ok("done")
        })
        .await
        .unwrap();
    assert_eq!(seen.value, "done");
    let all: Vec<(&str, &str)> = seen.statements.iter().map(|s| (s.sql.as_str(), s.answer.as_str())).collect();
    let refused = "ERROR 23505: duplicate key value violates unique constraint \"t_pkey\"";
    let expected = [
        ("BEGIN", "BEGIN"),
        ("create table t (id int primary key)", "CREATE TABLE"),
        ("insert into t values ($1)", "INSERT 0 1"),
        ("insert into t values ($1)", "INSERT 0 1"),
        ("insert into t values ($1)", refused),
        ("ROLLBACK", "ROLLBACK"),
    ];
    assert_eq!(all, expected);
    seen.statements.expect(4, "").unwrap();
    assert!(message(seen.statements.expect(0, "").unwrap_err()).starts_with("4 SQL statements"));
    let before = db.statements().len();
    assert_eq!(db.scalar::<i64>("select 1::int8").await.unwrap(), 1);
    assert_eq!(db.statements().len(), before, "the administrator's statements are recorded too");
    cluster.remove_all().await.unwrap();
}

/// psql through the proxy, with every kind of statement that takes its own messages.
#[tokio::test]
async fn psql_copies_data_in_and_out_and_runs_several_statements_at_once() {
    let cluster = cluster("psql").await;
    let db = database(&cluster).await;
    let rows = 20_000;
    let data: String = (0..rows).map(|row| format!("{row}\t{}\n", "x".repeat(40))).collect();
    let mut psql = tokio::process::Command::new(servers::postgres_programs().join("psql"))
        .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-At", db.url()])
        .args(["-c", "create table t (id int, name text); select 'one'; select 'two'"])
        .args(["-c", "copy t from stdin"])
        .args(["-c", "copy t to stdout"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("psql starts");
    let (mut stdin, mut stdout) = (psql.stdin.take().unwrap(), psql.stdout.take().unwrap());
    let send = async {
        stdin.write_all(data.as_bytes()).await.unwrap();
        drop(stdin);
    };
    let mut copied = String::new();
    let (_, read) = timeout(SOON, async { tokio::join!(send, stdout.read_to_string(&mut copied)) }).await.unwrap();
    read.unwrap();
    assert!(psql.wait().await.unwrap().success());
    assert!(copied == format!("one\ntwo\n{data}"));
    let seen = db.statements();
    let answers: Vec<&str> = seen.iter().map(|statement| statement.answer.as_str()).collect();
    assert_eq!(answers, ["CREATE TABLE", "SELECT 1", "SELECT 1", &format!("COPY {rows}"), &format!("COPY {rows}")]);
    cluster.remove_all().await.unwrap();
}

#[tokio::test]
async fn a_hundred_connections_at_once_are_recorded_to_the_last_statement() {
    let cluster = cluster("hundred").await;
    let db = database(&cluster).await;
    let pool = PgPoolOptions::new().max_connections(60).connect(db.url()).await.unwrap();
    pool.execute("create table t (id int primary key)").await.unwrap();
    let seen = db
        .record(async {
            let inserts = (0..1_000).map(|id| sqlx::query("insert into t values ($1)").bind(id).execute(&pool));
            for inserted in join_all(inserts).await {
                inserted.unwrap();
            }
            CheckResult::Ok(())
        })
        .await
        .unwrap();
    assert_eq!(seen.statements.queries().len(), 1_000);
    assert!(seen.statements.iter().all(|statement| statement.answer == "INSERT 0 1"));
    assert!(db.sessions().await.unwrap() > 1);
    cluster.remove_all().await.unwrap();
}

#[tokio::test]
async fn sessions_are_counted_and_terminated_and_the_pool_recovers() {
    let cluster = cluster("sessions").await;
    let db = database(&cluster).await;
    let pool = PgPoolOptions::new().max_connections(3).connect(db.url()).await.unwrap();
    let held = join_all((0..3).map(|_| pool.acquire())).await;
    assert_eq!(db.sessions().await.unwrap(), 3);
    drop(held);
    assert_eq!(db.terminate_sessions().await.unwrap(), 3);
    assert_eq!(db.sessions().await.unwrap(), 0);
    assert_eq!(sqlx::query_scalar::<_, i32>("select 7").fetch_one(&pool).await.unwrap(), 7);
    assert_eq!(db.service_error(), None, "what a check does on purpose is no error of the service");
    assert!(cluster.is_alive().await);
    cluster.remove_all().await.unwrap();
}

#[tokio::test]
async fn a_cut_database_fails_and_a_restored_one_serves_again() {
    let cluster = cluster("cut").await;
    let db = database(&cluster).await;
    let pool = PgPoolOptions::new().max_connections(2).connect(db.url()).await.unwrap();
    let ask = || async { timeout(SOON, sqlx::query_scalar::<_, i32>("select 7").fetch_one(&pool)).await.unwrap() };
    assert!(ask().await.is_ok());
    db.proxy().cut();
    assert!(ask().await.is_err());
    db.proxy().restore();
    assert_eq!(ask().await.unwrap(), 7);
    db.proxy().stop();
    assert!(timeout(Duration::from_millis(200), ask()).await.is_err(), "a stopped database answered");
    db.proxy().restore();
    assert_eq!(ask().await.unwrap(), 7);
    assert_eq!(db.scalar::<i32>("select 9").await.unwrap(), 9);
    cluster.remove_all().await.unwrap();
}

#[tokio::test]
async fn a_statement_can_be_cut_off_or_its_answer_lost() {
    let cluster = cluster("failpoints").await;
    let db = database(&cluster).await;
    learner(&db).await.execute("create table t (id int)").await.unwrap();
    let insert = |id: i32| {
        let url = db.url().to_owned();
        async move {
            let mut connection = PgConnection::connect(&url).await.unwrap();
            let mut transaction = connection.begin().await?;
            sqlx::query("insert into t values ($1)").bind(id).execute(&mut *transaction).await?;
            transaction.commit().await
        }
    };
    let failpoint = db.proxy().cut_at("insert into t");
    assert!(insert(1).await.is_err());
    assert!(failpoint.was_triggered());
    let failpoint = db.proxy().cut_at("COMMIT");
    assert!(insert(2).await.is_err());
    assert!(failpoint.was_triggered());
    let failpoint = db.proxy().lose_answer_to("commit");
    assert!(insert(3).await.is_err());
    assert!(failpoint.was_triggered());
    insert(4).await.unwrap();
    assert_eq!(db.rows::<(i32,)>("select id from t order by id").await.unwrap(), [(3,), (4,)]);
    cluster.remove_all().await.unwrap();
}

#[tokio::test]
async fn what_does_not_fit_the_learners_schema_is_told_in_plain_words() {
    let cluster = cluster("words").await;
    let db = database(&cluster).await;
    db.execute("create table events (id int primary key, price int check (price >= 0), title text not null)")
        .await
        .unwrap();
    let told = |result: CheckResult<u64>| message(result.unwrap_err());
    assert_eq!(told(db.execute("insert into orders values (1)").await), "the table `orders` does not exist");
    assert_eq!(
        told(db.execute("update events set seats = 1").await),
        "a column is missing: column `seats` of relation `events` does not exist"
    );
    assert!(
        told(db.execute("insert into events (id) values (1)").await)
            .contains("a value that the README does not mention")
    );
    db.execute("insert into events values (1, 5, 'a')").await.unwrap();
    assert!(message(db.scalar::<i64>("select id from events").await.unwrap_err()).contains("does not contain"));
    assert!(
        message(db.scalar::<i32>("select id from events where id = 9").await.unwrap_err())
            .contains("does not contain the row")
    );
    assert!(matches!(db.execute("selekt 1").await, Err(Failure::Ours(_))), "our own typing error");

    let negative = db.sql("update events set price = $1").bind(-1).expect_refused("a negative price").await.unwrap();
    assert_eq!(negative.code, "23514");
    let allowed = db.sql("update events set price = 0").expect_refused("a price of nothing").await.unwrap_err();
    assert_eq!(message(allowed), "the schema allows a price of nothing");
    let absent = db.sql("update orders set price = 0").expect_refused("a price of nothing").await.unwrap_err();
    assert_eq!(message(absent), "the table `orders` does not exist");
    let plan = db.explain("select * from events where id = 1").await.unwrap();
    assert!(plan.pointer("/0/Plan/Node Type").is_some(), "{plan}");
    cluster.remove_all().await.unwrap();
}

/// Each of these used to be taken for a fault of the cluster or of the grader, and took the check's points out of the total.
#[tokio::test]
async fn what_a_trigger_raises_at_the_graders_statement_is_the_learners() {
    let cluster = cluster("raises").await;
    let db = database(&cluster).await;
    learner(&db).await.execute("create table t (id int)").await.unwrap();
    for code in ["57014", "42501", "42601", "53100", "53200", "57P01", "08006", "XX001", "P0001"] {
        let trigger = format!(
            "create or replace function f() returns trigger language plpgsql as
             $$ begin raise exception 'no' using errcode = '{code}'; end $$;
             create or replace trigger f before insert on t for each row execute function f()"
        );
        learner(&db).await.execute(AssertSqlSafe(trigger)).await.unwrap();
        let told = message(db.execute("insert into t values (1)").await.unwrap_err());
        assert_eq!(told, "a trigger or function of the schema refuses it: no", "{code}");
        assert_eq!(db.sql("insert into t values (1)").expect_refused("a row").await.unwrap().code, code);
    }
    let broken = "create or replace function f() returns trigger language plpgsql as
                  $$ begin execute 'selekt 1'; return new; end $$";
    learner(&db).await.execute(broken).await.unwrap();
    assert!(db.execute("insert into t values (1)").await.unwrap_err().is_learners());
    assert!(matches!(db.execute("selekt 1").await, Err(Failure::Ours(_))), "our own typing error");
    assert_eq!(db.service_error(), None);
    cluster.remove_all().await.unwrap();
}

/// Plain SQL fills the lock table. Who did so is not told from a neighbour at once, but nobody takes it for a failure of
/// the cluster.
#[tokio::test]
async fn a_full_lock_table_is_a_shortage_and_no_failure_of_the_cluster() {
    let server = PrivatePostgres::start();
    let cluster = Cluster::connect(&server.url(), "locks").await.unwrap();
    let (greedy, neighbour) = (database(&cluster).await, database(&cluster).await);
    let mut connection = learner(&greedy).await;
    let all = "do $$ begin for i in 1..1000000 loop perform pg_advisory_lock(i); end loop; end $$";
    let refused = connection.execute(all).await.unwrap_err();
    assert_eq!(refused.as_database_error().and_then(|error| error.code()).as_deref(), Some("53200"));
    let met = neighbour.execute("create table t (id int primary key); create table u (id int primary key)").await;
    assert!(met.unwrap_err().is_learners());
    for db in [&greedy, &neighbour] {
        assert_eq!(db.service_error(), None);
        assert!(Tenant::shortage(db).is_some());
    }
    assert!(cluster.is_alive().await);
    drop(connection);
    assert_eq!(cluster.until_calm().await, None);
    neighbour.execute("create table t (id int primary key)").await.unwrap();
    cluster.remove_all().await.unwrap();
}

/// The grader used to seed as superuser: a trigger could start programs, or read any file.
#[tokio::test]
async fn the_graders_statements_have_the_rights_of_the_submission_and_no_more() {
    let cluster = cluster("powers").await;
    let db = database(&cluster).await;
    let mut learner = learner(&db).await;
    learner.execute("create table t (id int); create table seen (who text, super bool)").await.unwrap();
    let attempts = [
        "copy (select 1) to program 'true'",
        "perform pg_read_file('/etc/passwd')",
        "alter system set fsync = on",
        "create role extra superuser",
        "set local role none; alter role current_user superuser",
        "set session authorization postgres",
    ];
    for attempt in attempts {
        let trigger = format!(
            "create or replace function f() returns trigger language plpgsql as $$ begin {attempt}; return new; end $$;
             create or replace trigger f before insert on t for each row execute function f()"
        );
        learner.execute(AssertSqlSafe(trigger)).await.unwrap();
        let refused = db.execute("insert into t values (1)").await.unwrap_err();
        assert!(refused.is_learners(), "{attempt}: {refused:?}");
    }
    let watch = "create or replace function f() returns trigger language plpgsql as
                 $$ begin insert into seen select current_user, rolsuper from pg_roles where rolname = session_user;
                 return new; end $$";
    learner.execute(watch).await.unwrap();
    db.execute("insert into t values (1)").await.unwrap();
    assert_eq!(db.rows::<(String, bool)>("select who, super from seen").await.unwrap(), [(name_of(&db), false)]);
    // What a check makes is the owner's, so that the server can use it.
    db.execute("create table ours (id int)").await.unwrap();
    learner.execute("drop table ours").await.unwrap();
    // A search path of the owner's holds for the grader too.
    let path = format!("create schema s; alter database {} set search_path = s", name_of(&db));
    learner.execute(AssertSqlSafe(path)).await.unwrap();
    assert_eq!(db.sessions().await.unwrap(), 1);
    cluster.remove_all().await.unwrap();
}

#[tokio::test]
async fn the_password_in_the_url_is_good_at_the_proxy_only() {
    let server = PrivatePostgres::with_passwords();
    let cluster = Cluster::connect(&server.url(), "ports").await.unwrap();
    let db = database(&cluster).await;
    let own: PgConnectOptions = db.url().parse().unwrap();
    let code = async |options: PgConnectOptions| match options.port(server.port()).connect().await {
        Err(sqlx::Error::Database(error)) => error.code().unwrap_or_default().into_owned(),
        other => panic!("{other:?}"),
    };
    assert_eq!(code(own.clone()).await, "28P01");
    let mut learner = learner(&db).await;
    learner.execute("set lock_timeout = '200ms'").await.unwrap();
    let change = format!("alter role {} password 'known'", name_of(&db));
    let refused = learner.execute(AssertSqlSafe(change.clone())).await.unwrap_err();
    assert_eq!(refused.as_database_error().and_then(|error| error.code()).as_deref(), Some("55P03"));
    // The same by way of the grader's own role.
    learner.execute("create table t (id int)").await.unwrap();
    let trigger = "create function f() returns trigger language plpgsql as $$ begin
                   set local lock_timeout = '200ms'; set local role none;
                   execute format('alter role %I password %L', current_user, 'known'); return new; end $$;
                   create trigger f before insert on t for each row execute function f()";
    learner.execute(trigger).await.unwrap();
    assert!(db.execute("insert into t values (1)").await.unwrap_err().is_learners());
    assert_eq!(code(own.password("known")).await, "28P01");
    assert_eq!(db.service_error(), None);
    drop(learner);
    cluster.remove_all().await.unwrap();
    let mut admin = PgConnection::connect(&server.url()).await.unwrap();
    let left = "select rolname::text from pg_roles where rolname like 'lab%'
                union all select datname::text from pg_database where datname like 'lab%'";
    assert_eq!(sqlx::query_scalar::<_, String>(left).fetch_all(&mut admin).await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn what_an_owner_does_against_the_end_of_its_database_is_undone() {
    let cluster = cluster("leftovers").await;
    let db = database(&cluster).await;
    let mut learner = learner(&db).await;
    let name = name_of(&db);
    learner.execute(AssertSqlSafe(format!("alter database {name} is_template true"))).await.unwrap();
    learner.execute("select lo_create(0)").await.unwrap();
    // A large object elsewhere, which a role could make before it was kept to its own database.
    let elsewhere = format!("set role {name}; select lo_create(0); reset role");
    administrator().await.execute(AssertSqlSafe(elsewhere)).await.unwrap();
    drop((learner, db));
    cluster.remove_all().await.unwrap();
    assert_eq!(left_of_run(&name).await, Vec::<String>::new());
    let told = Service::notes(&cluster).join("\n");
    assert!(told.contains("made a template of") && told.contains("in the database `postgres` of Postgres"), "{told}");
}

/// What is kept to its own database needs no cleaning up elsewhere: PUBLIC may connect to `postgres` unless told otherwise.
#[tokio::test]
async fn on_a_cluster_of_ours_roles_sign_in_to_their_own_databases_only() {
    let server = PrivatePostgres::start();
    let replacement = Replacement::new(|_| Box::pin(async { Err(Failure::Ours("there is no other".into())) }));
    let access = Access { replacement: Some(replacement), ..Access::to(server.url(), "ours") };
    let cluster = Cluster::by(&access).await.unwrap();
    let db = database(&cluster).await;
    let elsewhere = |place: &str| {
        let own: PgConnectOptions = server.url().parse().unwrap();
        own.username(&name_of(&db)).database(place)
    };
    // This server asks nobody for a password.
    for place in ["postgres", "template1"] {
        let refused = elsewhere(place).connect().await.unwrap_err().to_string();
        assert!(refused.contains("permission denied for database"), "{refused}");
    }
    assert!(elsewhere(&name_of(&db)).connect().await.is_ok());
    // A second run finds it done.
    let second = Cluster::by(&Access { run: "ours too".into(), ..access }).await.unwrap();
    second.remove_all().await.unwrap();
    cluster.remove_all().await.unwrap();
}

/// Comments and settings of databases and roles stand in catalogs that a cluster has once.
#[tokio::test]
async fn on_a_cluster_of_ours_no_check_reads_what_another_has_written_about_its_own() {
    let server = PrivatePostgres::start();
    let replacement = Replacement::new(|_| Box::pin(async { Err(Failure::Ours("there is no other".into())) }));
    let access = Access { replacement: Some(replacement), ..Access::to(server.url(), "notes") };
    let cluster = Cluster::by(&access).await.unwrap();
    let (one, other) = (database(&cluster).await, database(&cluster).await);
    let (mut writer, mut reader) = (learner(&one).await, learner(&other).await);
    let name = name_of(&one);
    for note in [
        "comment on database {} is 'a note'",
        "alter database {} set application_name = 'a note'",
        "alter role {} set application_name = 'a note'",
    ] {
        writer.execute(AssertSqlSafe(note.replace("{}", &name))).await.unwrap();
    }
    for catalog in ["pg_shdescription", "pg_shseclabel", "pg_db_role_setting", "pg_roles", "pg_user"] {
        let read = reader.execute(AssertSqlSafe(format!("select * from {catalog}"))).await;
        assert!(read.unwrap_err().to_string().contains("permission denied"), "{catalog}");
    }
    // Who there is and what they may do is no secret, and what is set holds for whoever has set it.
    reader.execute("select rolname, rolsuper, rolconnlimit from pg_roles").await.unwrap();
    reader.execute("select usename, usesuper from pg_user").await.unwrap();
    let set: String = sqlx::query_scalar("show application_name").fetch_one(&mut learner(&one).await).await.unwrap();
    assert_eq!(set, "a note");
    cluster.remove_all().await.unwrap();
}

/// What is short is seen by writing, not by what anybody raised.
#[tokio::test]
async fn a_cluster_with_room_is_calm_whatever_a_submission_raises() {
    let cluster = cluster("room").await;
    let db = database(&cluster).await;
    let mut learner = learner(&db).await;
    let invented = "do $$ begin raise exception 'no room' using errcode = '53100'; end $$";
    learner.execute(invented).await.unwrap_err();
    assert_eq!((db.service_error(), Tenant::shortage(&db)), (None, None));
    let began = Instant::now();
    assert_eq!(cluster.until_calm().await, None);
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    cluster.remove_all().await.unwrap();
}

/// A full disk used to be the cluster's failure, whoever had filled it: a submission that did got its points back.
#[tokio::test]
async fn who_fills_the_disk_is_told_from_a_disk_that_is_full() {
    let Some(server) = PrivatePostgres::on_a_small_disk(160) else {
        return not_tried("root", "making a small disk needs root and the program `unshare`");
    };
    let cluster = Cluster::connect(&server.url(), "small disk").await.unwrap();
    let (greedy, neighbour) = (database(&cluster).await, database(&cluster).await);
    let mut connection = learner(&greedy).await;
    connection.execute("create unlogged table t (x text); alter table t alter x set storage plain").await.unwrap();
    let fill = "insert into t select repeat('x', 7900) from generate_series(1, 1000)";
    let refused = loop {
        if let Err(refused) = connection.execute(fill).await {
            break refused;
        }
    };
    assert_eq!(refused.as_database_error().and_then(|error| error.code()).as_deref(), Some("53100"), "{refused}");
    assert_eq!(greedy.service_error(), None);
    assert!(Tenant::shortage(&greedy).unwrap().contains("53100"));
    assert!(cluster.is_alive().await, "it is full, and serves");
    let met = neighbour.execute("create table t as select repeat('x', 7900) from generate_series(1, 10000)").await;
    // A statement is refused, or even the session.
    assert!(Tenant::shortage(&neighbour).is_some(), "{met:?}");
    // What filled it goes with its database. Until then everybody has to wait.
    let (calm, ()) = tokio::join!(cluster.until_calm(), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        drop((connection, greedy));
    });
    assert_eq!(calm, None);
    neighbour.execute("create table t as select repeat('x', 7900) from generate_series(1, 1000)").await.unwrap();
    cluster.remove_all().await.unwrap();
}

#[tokio::test]
async fn a_lock_that_the_server_never_gives_back_fails_the_learner() {
    let cluster = cluster("lock").await;
    let db = database(&cluster).await;
    let mut connection = learner(&db).await;
    connection.execute("create table t (id int); insert into t values (1)").await.unwrap();
    connection.execute("begin; update t set id = 2").await.unwrap();
    let waited = timeout(SOON, db.execute("update t set id = 3")).await.expect("the lock's time-out");
    assert_eq!(message(waited.unwrap_err()), "a transaction of the server holds a lock and does not end");
    cluster.remove_all().await.unwrap();
}

#[tokio::test]
async fn a_cluster_that_crashed_and_came_back_counts_as_dead() {
    let server = PrivatePostgres::start();
    let cluster = Cluster::connect(&server.url(), "crash").await.unwrap();
    let db = database(&cluster).await;
    assert!(cluster.is_alive().await);
    server.crash();
    assert!(!cluster.is_alive().await);
    assert!(!cluster.is_alive().await, "the dead do not rise");
    drop(db);
    cluster.remove_all().await.unwrap();
}

#[tokio::test]
async fn a_cluster_that_is_gone_fails_at_once_and_not_after_every_patience() {
    let server = PrivatePostgres::start();
    let cluster = Cluster::connect(&server.url(), "gone").await.unwrap();
    let db = database(&cluster).await;
    drop(server);
    let began = Instant::now();
    assert!(!cluster.is_alive().await);
    // Some may have been made before.
    while Postgres::create(&cluster, Transcript::default()).await.is_ok() {}
    assert!(matches!(db.execute("select 1").await, Err(Failure::Ours(_))));
    assert!(cluster.remove_all().await.is_err());
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_cluster_that_is_starting_up_is_waited_for() {
    let server = PrivatePostgres::start();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let real = server.port();
    tokio::spawn(async move {
        let mut refusals = 3;
        while let Ok((mut client, _)) = listener.accept().await {
            if refusals > 0 {
                refusals -= 1;
                let body = b"SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0";
                let length = u32::try_from(body.len()).unwrap() + 4;
                let _ = client.write_all(&[b"E", &length.to_be_bytes()[..], body].concat()).await;
                let _ = client.read(&mut [0; 1024]).await;
                continue;
            }
            tokio::spawn(async move {
                let mut real = TcpStream::connect(("127.0.0.1", real)).await.unwrap();
                copy_bidirectional(&mut client, &mut real).await
            });
        }
    });
    let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
    Cluster::connect(&url, "starting").await.expect("patience").remove_all().await.unwrap();
}

#[tokio::test]
async fn two_runs_side_by_side_do_not_touch_each_other() {
    let (one, two) = (cluster("one").await, cluster("two").await);
    let (first, second) = (database(&one).await, database(&two).await);
    first.execute("create table t (id int)").await.unwrap();
    two.remove_all().await.unwrap();
    assert_eq!(left_of_run(&name_of(&second)).await, Vec::<String>::new());
    assert_eq!(first.scalar::<i64>("select count(*) from t").await.unwrap(), 0);
    one.remove_all().await.unwrap();
}

#[tokio::test]
async fn an_administrator_without_superuser_will_do() {
    let mut admin = administrator().await;
    admin
        .execute("drop role if exists plain_admin; create role plain_admin login createdb createrole password 'p'")
        .await
        .unwrap();
    let url: PgConnectOptions = servers::postgres_url().parse().unwrap();
    let url = format!("postgres://plain_admin:p@{}:{}/postgres", url.get_host(), url.get_port());
    let cluster = Cluster::connect(&url, "plain").await.unwrap();
    let db = database(&cluster).await;
    let mut connection = learner(&db).await;
    connection.execute("create table t (id int); insert into t values (1)").await.unwrap();
    assert_eq!(db.scalar::<i64>("select count(*) from t").await.unwrap(), 1);
    assert_eq!(db.sessions().await.unwrap(), 1);
    assert_eq!(db.terminate_sessions().await.unwrap(), 1);
    drop(connection);
    cluster.remove_all().await.unwrap();
    admin.execute(AssertSqlSafe("drop role plain_admin".to_owned())).await.unwrap();
}

#[tokio::test]
async fn rows_are_inserted_in_their_order_and_read_as_their_columns_types() {
    let cluster = cluster("insert").await;
    let db = database(&cluster).await;
    db.execute(
        "create table events (id bigserial primary key, title text not null, at timestamptz, seats int default 5)",
    )
    .await
    .unwrap();
    let row = |number| serde_json::json!({"title": format!("Event {number}"), "at": "2031-01-01T00:00:00Z"});
    let ids = db.insert("events", &(0..1_000).map(row).collect::<Vec<_>>(), "id").await.unwrap();
    assert_eq!(ids, (1..=1_000).map(|id| id.to_string()).collect::<Vec<_>>());
    let last = db.rows::<(String, i32)>("select title, seats from events where id = 1000").await.unwrap();
    assert_eq!(last, [("Event 999".to_owned(), 5)]);
    assert!(db.insert("events", &[], "id").await.unwrap().is_empty());
    let wrong = db.insert("events", &[serde_json::json!({"price": 1})], "id").await.unwrap_err();
    assert!(message(wrong).starts_with("a column is missing"));
    cluster.remove_all().await.unwrap();
}

#[tokio::test]
async fn a_transcript_tells_how_long_a_statement_waited_for_a_lock_and_on_which_connection() {
    let cluster = cluster("waits").await;
    let transcript = Transcript::default();
    let db = Postgres::create(&cluster, transcript.clone()).await.unwrap();
    let (mut holder, mut waiter) = (learner(&db).await, learner(&db).await);
    waiter.execute("create table events (id int primary key)").await.unwrap();
    holder.execute("begin; lock table events").await.unwrap();
    let release = async {
        assert!(db.until_waiting(1, SOON).await.unwrap());
        // Long enough to be looked at more than once.
        tokio::time::sleep(Duration::from_millis(150)).await;
        holder.execute("commit").await.unwrap();
    };
    let (waited, ()) = tokio::join!(waiter.execute("insert into events values (1)"), release);
    waited.unwrap();
    waiter.execute("select pg_sleep(0.1)").await.unwrap();
    let told: Vec<(String, u64, u64, Option<u64>)> = transcript
        .entries()
        .into_iter()
        .filter_map(|entry| match entry.what {
            Happening::Exchange(one) => {
                Some((one.asked.text().to_owned(), one.took_us.unwrap_or_default(), one.waited_us, one.connection))
            }
            _ => None,
        })
        .collect();
    let find = |text: &str| told.iter().find(|(statement, ..)| statement.contains(text)).unwrap();
    let (_, took, waited, connection) = find("insert into events");
    assert!(*waited > 100_000 && waited <= took, "{told:?}");
    assert_ne!(*connection, find("lock table").3, "{told:?}");
    assert_eq!(find("pg_sleep").2, 0, "{told:?}");
    cluster.remove_all().await.unwrap();
}

#[tokio::test]
async fn sessions_that_wait_are_counted_and_made_to_overlap() {
    let cluster = cluster("overlap").await;
    let db = database(&cluster).await;
    let tables = "create table events (id int primary key, sold int); insert into events values (1, 0)";
    learner(&db).await.execute(tables).await.unwrap();
    assert!(!db.until_waiting(1, Duration::ZERO).await.unwrap());
    let add = async || {
        let mut learner = learner(&db).await;
        learner.execute("update events set sold = sold + 1").await.map_err(|error| Failure::ours("adding", &error))
    };
    let mut holder = learner(&db).await;
    holder.execute("begin; lock table events in access exclusive mode").await.unwrap();
    let counted = async {
        let waited = db.until_waiting(2, SOON).await;
        holder.execute("rollback").await.unwrap();
        waited
    };
    let (one, two, waited) = tokio::join!(add(), add(), counted);
    one.and(two).unwrap();
    assert!(waited.unwrap());
    // `overlap` lets go as soon as it has counted two, which a second counter beside it need not see.
    let both = async {
        let (one, two) = tokio::join!(add(), add());
        one.and(two)
    };
    db.overlap("events", 2, SOON, both).await.unwrap();
    assert_eq!(db.scalar::<i32>("select sold from events").await.unwrap(), 4);
    // What does not wait is not waited for.
    db.overlap("events", 2, SOON, async { Ok(()) }).await.unwrap();
    assert!(message(db.overlap("seats", 1, SOON, async { Ok(()) }).await.unwrap_err()).contains("does not exist"));
    cluster.remove_all().await.unwrap();
}

/// A check that has this one database and nothing else.
struct Host(Postgres);

impl ServiceHost for Host {
    fn tenant<'a>(&'a self, _name: &'a str) -> futures::future::BoxFuture<'a, CheckResult<&'a dyn Tenant>> {
        Box::pin(async { Ok(&self.0 as &dyn Tenant) })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_cluster_of_ones_own_has_acknowledged_is_on_the_standby_when_the_primary_is_killed() {
    let programs = servers::postgres_programs();
    let access = Access { program: Some(programs.join("postgres")), ..Access::to(servers::postgres_url(), "standby") };
    let run = Cluster::by(&access).await.unwrap();
    let host = Host(database(&run).await);
    let cluster = host.cluster().await.unwrap();
    let [first, second] = cluster.urls();
    let mut learner = PgConnection::connect(&first).await.unwrap();
    learner.execute("create table orders (id int)").await.unwrap();
    for order in 0..20 {
        sqlx::query("insert into orders values ($1)").bind(order).execute(&mut learner).await.unwrap();
    }
    cluster.sql("insert into orders values (20)").await.unwrap();
    assert_eq!(cluster.url(), first);
    let mut standby = PgConnection::connect(&second).await.unwrap();
    assert!(standby.execute("insert into orders values (0)").await.is_err(), "a standby takes no writes");

    cluster.kill_primary().await.unwrap();
    assert!(learner.execute("select 1").await.is_err());
    assert!(PgConnection::connect(&first).await.is_err());
    cluster.promote().await.unwrap();
    assert_eq!(cluster.url(), second);
    let (kept,): (i64,) = sqlx::query_as("select count(*) from orders").fetch_one(&mut standby).await.unwrap();
    assert_eq!(kept, 21);
    standby.execute("insert into orders values (21)").await.unwrap();
    assert_eq!(cluster.text("select count(*) from orders").await.unwrap(), "22");
    cluster.stop().await.unwrap();
    let archived = std::fs::read_dir(cluster.wal_archive()).unwrap().count();
    assert!(archived > 0, "the log is in the archive");
    drop(cluster);
    drop(host);
    run.remove_all().await.unwrap();
}

#[tokio::test]
async fn without_the_programs_a_check_that_needs_a_cluster_of_its_own_is_not_applicable() {
    let run = cluster("elsewhere").await;
    let host = Host(database(&run).await);
    assert!(matches!(host.cluster().await, Err(Failure::NotApplicable(_))));
    drop(host);
    run.remove_all().await.unwrap();
}
