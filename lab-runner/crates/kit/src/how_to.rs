//! How do I check…? An index of questions, and ten kinds of check as they are written with the kit and with plain reqwest,
//! sqlx and tokio.
//!
//! | How do I check… | with |
//! |---|---|
//! | an answer's status, fields, body | [`Response::expect_status`], [`expect_header`], [`expect_body`], [kind 1](#1-an-answer) |
//! | an answer's JSON, with parts that are the server's choice | [`Response::expect_json`], [`at`], [`absent`], [kind 1](#1-an-answer) |
//! | bytes on the wire, pipelining, half a request, a body that never ends | [`App::connect`], [`Connection`], [kind 2](#2-bytes-on-the-wire) |
//! | that a connection is closed, or is not | [`Connection::expect_closed`], [`expect_open`] |
//! | what is in the database | `lab.postgres()`: `scalar`, `rows`, `sql(…).bind(…)`, [kind 3](#3-rows-in-the-database) |
//! | that many at once do no harm | [`Lab::burst`], `Postgres::overlap`, [kind 4](#4-many-at-once) |
//! | that something happens in a while | [`Lab::eventually`], [kind 5](#5-what-happens-in-a-while) |
//! | that nothing is lost by a restart or a crash | [`App::restart`], [`App::kill`], [kind 6](#6-a-crash) |
//! | that a server ends well | [`App::terminate`], [`App::exited`], [kind 7](#7-a-clean-end) |
//! | that a lost database connection is replaced | `Postgres::terminate_sessions`, [kind 8](#8-a-connection-that-is-lost) |
//! | what happens when a service does not answer, is slow, refuses | `lab.postgres()` or `lab.redis()`, `proxy()`: [`stop`], [`delay`], [`refuse`], [`cut`], [kind 9](#9-a-service-that-does-not-answer) |
//! | that all or nothing happens, or that an answer got lost | [`Proxy::cut_at`], [`Proxy::lose_answer_to`] |
//! | how many statements a request costs | `Postgres::record`, `Redis::record`, [kind 10](#10-what-a-request-costs) |
//! | that something is cached, and for how long | `Redis::record`, `Redis::keys`, `Redis::ttl` |
//! | several instances, behind a load balancer | [`Lab::balancer`], [`ServerBuilder::start_together`] |
//! | clients at several network addresses | [`Request::from_address`], [`App::has_address`] |
//! | settings, arguments, a server that must refuse to start | [`Lab::server`], [`ServerBuilder::env`], [`App::exited`] |
//! | what a server writes to its log | [`App::log`], [`App::output`] |
//! | a value that nobody must be able to guess | [`guess`](crate::guess) |
//! | a token or a point in time that a server made up | [`token`](crate::token), [`time`](crate::time) |
//! | another protocol than HTTP | [`Connection::into_stream`], [`Lab::recorded`], [`App::socket`] |
//! | that a client program works with the server, such as `git` | [`App::client`] |
//! | what a program of the machine's says of something that a submission has made | [`Tool`] |
//! | a service for which there is no driver | [`Lab::proxy`], `PlainDriver` |
//! | the files of a submission | [`Lab::tree`], [`Lab::file`] |
//! | what cannot be seen on every machine | [`Failure::not_applicable`] |
//!
//! A value that differs from what it has to be fails with [`expect_equal`] or [`Failure::learner`]; a fault of ours is
//! [`Failure::ours`]. The drivers `lab_postgres` and `lab_redis` have pages of their own, with an example for each item.
//!
//! # What the plain version leaves out
//!
//! The kit's versions below are whole bodies of checks. The plain ones need a server that already runs at `base` on a
//! database at `database`, which no other check uses meanwhile, and they tell a learner little: they have no transcript, no
//! comparison of what came with what should have come, no command that repeats it by hand, no limit of time, and they take
//! every fault of the database or of the grader for one of the learner's. What is longer in them is what they need to be right
//! at all.
//!
//! # 1. An answer
//!
//! ```no_run
//! # use lab_kit::prelude::*;
//! # async fn check(lab: &Lab) -> CheckResult<()> {
//! let app = lab.start().await?;
//! let title = lab.word();
//! let made = app.post("/events").json(&json!({"title": title})).await?.expect_status(201)?;
//! let id: i64 = made.at("/id")?;
//! made.expect_json(json!({"id": id, "title": title, "cancelled_at": absent()}))?;
//! # Ok(()) }
//! ```
//! Plain:
//! ```no_run
//! # async fn check(base: &str) -> Result<(), Box<dyn std::error::Error>> {
//! # use serde_json::{Value, json};
//! let title = format!("w{}", rand::random::<u32>());
//! let answer = reqwest::Client::new().post(format!("{base}/events")).json(&json!({"title": title})).send().await?;
//! if answer.status() != 201 {
//!     return Err(format!("expected 201, got {}: {}", answer.status(), answer.text().await?).into());
//! }
//! let body: Value = answer.json().await?;
//! if !body["id"].is_i64() || body["title"] != title.as_str() || body.get("cancelled_at").is_some() {
//!     return Err(format!("not the event that was sent: {body}").into());
//! }
//! # Ok(()) }
//! ```
//!
//! # 2. Bytes on the wire
//!
//! ```no_run
//! # use lab_kit::prelude::*;
//! # async fn check(lab: &Lab) -> CheckResult<()> {
//! let app = lab.start().await?;
//! let mut connection = app.connect().await?;
//! connection.send("GET / HTTP/1.1\r\n\r\n").await?;
//! connection.response().await?.expect_status(400)?;
//! connection.expect_closed(Duration::from_secs(5)).await?;
//! # Ok(()) }
//! ```
//! Plain, for servers that close at once:
//! ```no_run
//! # async fn check(base: &str) -> Result<(), Box<dyn std::error::Error>> {
//! # use std::time::Duration;
//! use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
//!
//! let mut stream = tokio::net::TcpStream::connect(base.trim_start_matches("http://")).await?;
//! stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await?;
//! let mut answer = Vec::new();
//! tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut answer)).await??;
//! if !answer.starts_with(b"HTTP/1.1 400 ") {
//!     return Err(format!("expected 400, got {:?}", String::from_utf8_lossy(&answer)).into());
//! }
//! # Ok(()) }
//! ```
//!
//! # 3. Rows in the database
//!
//! ```no_run
//! # use lab_kit::prelude::*;
//! # async fn check(lab: &Lab) -> CheckResult<()> {
//! use lab_postgres::LabPostgres as _;
//!
//! let app = lab.start().await?;
//! let email = lab.email();
//! app.post("/customers").json(&json!({"email": email})).await?.expect_status(201)?;
//! let database = lab.postgres().await?;
//! let rows: i64 = database.sql("select count(*) from customers where email = $1").bind(&email).scalar().await?;
//! expect_equal("rows with the new customer's address", &rows, &1)?;
//! # Ok(()) }
//! ```
//! Plain:
//! ```no_run
//! # async fn check(base: &str, database: &str) -> Result<(), Box<dyn std::error::Error>> {
//! # use serde_json::json;
//! let email = format!("a{}@example.com", rand::random::<u32>());
//! let customer = json!({"email": email});
//! reqwest::Client::new().post(format!("{base}/customers")).json(&customer).send().await?.error_for_status()?;
//! let pool = sqlx::PgPool::connect(database).await?;
//! let rows: i64 = sqlx::query_scalar("select count(*) from customers where email = $1").bind(&email).fetch_one(&pool).await?;
//! if rows != 1 {
//!     return Err(format!("expected 1 row with {email}, got {rows}").into());
//! }
//! # Ok(()) }
//! ```
//!
//! # 4. Many at once
//!
//! ```no_run
//! # use lab_kit::prelude::*;
//! # async fn check(lab: &Lab) -> CheckResult<()> {
//! let app = lab.start().await?;
//! let answers = lab.burst((0..50).map(|_| app.post("/counter"))).await?;
//! let counted = answers.into_iter().map(|answer| answer.expect_status(200)?.at("/value")).collect::<CheckResult<Vec<i64>>>()?;
//! let highest = counted.into_iter().max().unwrap_or_default();
//! expect_equal("the highest of 50 counts made at once", &highest, &50)?;
//! # Ok(()) }
//! ```
//! Plain. The burst of the kit has every request's bytes on their way before the first answer is read; tasks do not promise
//! that:
//! ```no_run
//! # async fn check(base: &str) -> Result<(), Box<dyn std::error::Error>> {
//! let client = reqwest::Client::new();
//! let mut tasks = tokio::task::JoinSet::new();
//! for _ in 0..50 {
//!     let request = client.post(format!("{base}/counter"));
//!     tasks.spawn(async move { request.send().await?.error_for_status()?.json::<serde_json::Value>().await });
//! }
//! let mut highest = 0;
//! while let Some(answer) = tasks.join_next().await {
//!     highest = highest.max(answer??["value"].as_i64().ok_or("no value")?);
//! }
//! if highest != 50 {
//!     return Err(format!("expected to have counted to 50, got {highest}").into());
//! }
//! # Ok(()) }
//! ```
//!
//! # 5. What happens in a while
//!
//! ```no_run
//! # use lab_kit::prelude::*;
//! # async fn check(lab: &Lab) -> CheckResult<()> {
//! let app = lab.start().await?;
//! let job: i64 = app.post("/jobs").await?.expect_status(202)?.at("/id")?;
//! lab.eventually("the job is done", Duration::from_secs(5), || async {
//!     app.get(format!("/jobs/{job}")).await?.expect_status(200)?.expect_json(json!({"id": job, "state": "done"}))
//! })
//! .await?;
//! # Ok(()) }
//! ```
//! Plain:
//! ```no_run
//! # async fn check(base: &str) -> Result<(), Box<dyn std::error::Error>> {
//! # use std::time::{Duration, Instant};
//! # use serde_json::Value;
//! let client = reqwest::Client::new();
//! let job: Value = client.post(format!("{base}/jobs")).send().await?.error_for_status()?.json().await?;
//! let deadline = Instant::now() + Duration::from_secs(5);
//! loop {
//!     let state: Value = client.get(format!("{base}/jobs/{}", job["id"])).send().await?.error_for_status()?.json().await?;
//!     if state["state"] == "done" {
//!         break;
//!     }
//!     if Instant::now() > deadline {
//!         return Err(format!("5 seconds later the job is {state}").into());
//!     }
//!     tokio::time::sleep(Duration::from_millis(50)).await;
//! }
//! # Ok(()) }
//! ```
//!
//! # 6. A crash
//!
//! ```no_run
//! # use lab_kit::prelude::*;
//! # async fn check(lab: &Lab) -> CheckResult<()> {
//! let mut app = lab.start().await?;
//! let title = lab.word();
//! app.post("/notes").json(&json!({"title": title})).await?.expect_status(201)?;
//! app.kill().await?;
//! let app = lab.start().await?;
//! app.get("/notes").await?.expect_status(200)?.expect_json_where("/0/title", "the note from before", |found| *found == title)?;
//! # Ok(()) }
//! ```
//! Plain, with a program that is started here, on a port that is hoped to be free:
//! ```no_run
//! # async fn check(program: &str, database: &str) -> Result<(), Box<dyn std::error::Error>> {
//! # use std::time::Duration;
//! # use serde_json::{Value, json};
//! use tokio::process::{Child, Command};
//!
//! async fn start(program: &str, database: &str) -> Result<Child, Box<dyn std::error::Error>> {
//!     let server = Command::new(program).env("PORT", "18080").env("DATABASE_URL", database).kill_on_drop(true).spawn()?;
//!     for _ in 0..200 {
//!         if reqwest::get("http://127.0.0.1:18080/health").await.is_ok_and(|answer| answer.status() == 200) {
//!             return Ok(server);
//!         }
//!         tokio::time::sleep(Duration::from_millis(50)).await;
//!     }
//!     Err("not ready within 10 seconds".into())
//! }
//!
//! let mut server = start(program, database).await?;
//! let client = reqwest::Client::new();
//! let note = json!({"title": "kept"});
//! client.post("http://127.0.0.1:18080/notes").json(&note).send().await?.error_for_status()?;
//! server.kill().await?;
//! let _server = start(program, database).await?;
//! let notes: Value = client.get("http://127.0.0.1:18080/notes").send().await?.json().await?;
//! if notes[0]["title"] != "kept" {
//!     return Err(format!("the note is gone: {notes}").into());
//! }
//! # Ok(()) }
//! ```
//!
//! # 7. A clean end
//!
//! ```no_run
//! # use lab_kit::prelude::*;
//! # async fn check(lab: &Lab) -> CheckResult<()> {
//! let mut app = lab.start().await?;
//! let mut connection = app.connect().await?;
//! connection.send("GET /slow HTTP/1.1\r\nHost: lab\r\n\r\n").await?;
//! app.terminate()?;
//! connection.response().await?.expect_status(200)?;
//! let exit = app.exited(Duration::from_secs(10)).await?;
//! expect_equal("the exit code", &exit.code, &Some(0))?;
//! # Ok(()) }
//! ```
//! Plain, and with a race: nothing tells whether the request has left when the signal comes.
//! ```no_run
//! # async fn check(base: &str, mut server: tokio::process::Child) -> Result<(), Box<dyn std::error::Error>> {
//! # use std::time::Duration;
//! let slow = tokio::spawn(reqwest::get(format!("{base}/slow")));
//! tokio::time::sleep(Duration::from_millis(200)).await;
//! let id = server.id().ok_or("it has ended")?.to_string();
//! tokio::process::Command::new("kill").args(["-TERM", &id]).status().await?;
//! slow.await??.error_for_status()?;
//! let exit = tokio::time::timeout(Duration::from_secs(10), server.wait()).await??;
//! if exit.code() != Some(0) {
//!     return Err(format!("it ended with {exit}").into());
//! }
//! # Ok(()) }
//! ```
//!
//! # 8. A connection that is lost
//!
//! ```no_run
//! # use lab_kit::prelude::*;
//! # async fn check(lab: &Lab) -> CheckResult<()> {
//! use lab_postgres::LabPostgres as _;
//!
//! let app = lab.start().await?;
//! app.get("/events").await?.expect_status(200)?;
//! lab.postgres().await?.terminate_sessions().await?;
//! lab.eventually("the server finds its database again", Duration::from_secs(10), || async {
//!     app.get("/events").await?.expect_status(200)
//! })
//! .await?;
//! # Ok(()) }
//! ```
//! Plain. It ends the sessions of everybody who uses the database:
//! ```no_run
//! # async fn check(base: &str, database: &str) -> Result<(), Box<dyn std::error::Error>> {
//! # use std::time::{Duration, Instant};
//! reqwest::get(format!("{base}/events")).await?.error_for_status()?;
//! let pool = sqlx::PgPool::connect(database).await?;
//! sqlx::query(
//!     "select pg_terminate_backend(pid) from pg_stat_activity
//!      where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'",
//! )
//! .execute(&pool)
//! .await?;
//! let deadline = Instant::now() + Duration::from_secs(10);
//! while !reqwest::get(format!("{base}/events")).await.is_ok_and(|answer| answer.status() == 200) {
//!     if Instant::now() > deadline {
//!         return Err("10 seconds later the server has not found its database again".into());
//!     }
//!     tokio::time::sleep(Duration::from_millis(50)).await;
//! }
//! # Ok(()) }
//! ```
//!
//! # 9. A service that does not answer
//!
//! ```no_run
//! # use lab_kit::prelude::*;
//! # async fn check(lab: &Lab) -> CheckResult<()> {
//! use lab_postgres::LabPostgres as _;
//!
//! let app = lab.start().await?;
//! let proxy = lab.postgres().await?.proxy();
//! proxy.stop();
//! app.get("/events").within(Duration::from_secs(6)).await?.expect_status(503)?;
//! proxy.restore();
//! lab.eventually("the list is back", Duration::from_secs(10), || async { app.get("/events").await?.expect_status(200) }).await?;
//! # Ok(()) }
//! ```
//! Plain: a proxy of one's own, which the server's `DATABASE_URL` has to lead through.
//! ```no_run
//! # async fn check(base: &str, postgres: std::net::SocketAddr) -> Result<(), Box<dyn std::error::Error>> {
//! # use std::time::Duration;
//! use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
//! use tokio::net::{TcpListener, TcpStream};
//! use tokio::sync::watch;
//!
//! async fn copy(
//!     mut from: impl AsyncRead + Unpin,
//!     mut to: impl AsyncWrite + Unpin,
//!     mut flows: watch::Receiver<bool>,
//! ) {
//!     let mut bytes = [0; 4096];
//!     while let Ok(count @ 1..) = from.read(&mut bytes).await {
//!         if flows.wait_for(|flows| *flows).await.is_err() || to.write_all(&bytes[..count]).await.is_err() {
//!             break;
//!         }
//!     }
//! }
//!
//! let (flow, flows) = watch::channel(true);
//! let listener = TcpListener::bind("127.0.0.1:15432").await?;
//! tokio::spawn(async move {
//!     while let Ok((client, _)) = listener.accept().await {
//!         let Ok(server) = TcpStream::connect(postgres).await else { continue };
//!         let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
//!         tokio::spawn(copy(from_client, to_server, flows.clone()));
//!         tokio::spawn(copy(from_server, to_client, flows.clone()));
//!     }
//! });
//! // Here the server is started.
//! flow.send(false)?;
//! let client = reqwest::Client::builder().timeout(Duration::from_secs(6)).build()?;
//! let status = client.get(format!("{base}/events")).send().await?.status();
//! flow.send(true)?;
//! if status != 503 {
//!     return Err(format!("expected 503, got {status}").into());
//! }
//! # Ok(()) }
//! ```
//!
//! # 10. What a request costs
//!
//! ```no_run
//! # use lab_kit::prelude::*;
//! # async fn check(lab: &Lab) -> CheckResult<()> {
//! use lab_postgres::LabPostgres as _;
//!
//! let app = lab.start().await?;
//! let seen = lab.postgres().await?.record(app.get("/events")).await?;
//! seen.value.expect_status(200)?;
//! seen.statements.expect_at_most(2, "a list does not need a query for each of its rows")?;
//! # Ok(()) }
//! ```
//! Plain, in transactions, since Postgres by itself counts no statements; the counter is written late:
//! ```no_run
//! # async fn check(base: &str, database: &str) -> Result<(), Box<dyn std::error::Error>> {
//! # use std::time::Duration;
//! let pool = sqlx::PgPool::connect(database).await?;
//! let sql = "select xact_commit + xact_rollback from pg_stat_database where datname = current_database()";
//! let before: i64 = sqlx::query_scalar(sql).fetch_one(&pool).await?;
//! reqwest::get(format!("{base}/events")).await?.error_for_status()?;
//! // Statistics are sent on at most once a second, by each session for itself.
//! tokio::time::sleep(Duration::from_secs(2)).await;
//! let after: i64 = sqlx::query_scalar(sql).fetch_one(&pool).await?;
//! // Two of them are ours.
//! if after - before - 2 > 2 {
//!     return Err(format!("{} transactions for one list", after - before - 2).into());
//! }
//! # Ok(()) }
//! ```
//!
//! [`Response::expect_status`]: lab_http::Response::expect_status
//! [`expect_header`]: lab_http::Response::expect_header
//! [`expect_body`]: lab_http::Response::expect_body
//! [`Response::expect_json`]: lab_http::Response::expect_json
//! [`at`]: lab_http::Response::at
//! [`absent`]: lab_http::absent
//! [`App::connect`]: crate::App::connect
//! [`App::restart`]: crate::App::restart
//! [`App::kill`]: crate::App::kill
//! [`App::terminate`]: crate::App::terminate
//! [`App::exited`]: crate::App::exited
//! [`App::log`]: crate::App::log
//! [`App::output`]: crate::App::output
//! [`App::socket`]: crate::App::socket
//! [`App::has_address`]: crate::App::has_address
//! [`Request::from_address`]: lab_http::Request::from_address
//! [`App::client`]: crate::App::client
//! [`Tool`]: crate::Tool
//! [`Connection`]: lab_http::Connection
//! [`Connection::expect_closed`]: lab_http::Connection::expect_closed
//! [`expect_open`]: lab_http::Connection::expect_open
//! [`Connection::into_stream`]: lab_http::Connection::into_stream
//! [`Lab::burst`]: crate::Lab::burst
//! [`Lab::eventually`]: crate::Lab::eventually
//! [`Lab::balancer`]: crate::Lab::balancer
//! [`Lab::server`]: crate::Lab::server
//! [`Lab::recorded`]: crate::Lab::recorded
//! [`Lab::proxy`]: crate::Lab::proxy
//! [`Lab::tree`]: crate::Lab::tree
//! [`Lab::file`]: crate::Lab::file
//! [`ServerBuilder::env`]: crate::ServerBuilder::env
//! [`ServerBuilder::start_together`]: crate::ServerBuilder::start_together
//! [`stop`]: lab_proxy::Proxy::stop
//! [`delay`]: lab_proxy::Proxy::delay
//! [`refuse`]: lab_proxy::Proxy::refuse
//! [`cut`]: lab_proxy::Proxy::cut
//! [`Proxy::cut_at`]: lab_proxy::Proxy::cut_at
//! [`Proxy::lose_answer_to`]: lab_proxy::Proxy::lose_answer_to
//! [`expect_equal`]: crate::expect_equal
//! [`Failure::learner`]: crate::Failure::learner
//! [`Failure::ours`]: crate::Failure::ours
//! [`Failure::not_applicable`]: crate::Failure::not_applicable
