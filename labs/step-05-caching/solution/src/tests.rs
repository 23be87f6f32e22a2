//! The whole server, as clients meet it: on a port, a database schema and a network address of its own for each test.
//!
//! All tests share one Redis. Its keys hold ids, categories and addresses that no other test has.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use reqwest::{RequestBuilder, Response, header};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use uuid::Uuid;

use crate::{Application, Configuration, SessionLimits};

/// Two servers of a test's own, as behind a load balancer; they end with the test.
struct TestApp {
    urls: [String; 2],
    client: reqwest::Client,
    database_url: String,
}

impl TestApp {
    async fn start() -> Self {
        let database_url = schema_of_its_own().await;
        let redis_url =
            std::env::var("REDIS_URL").expect("REDIS_URL names a Redis; `cargo lab run step-05` starts one");
        let urls = [server(&database_url, &redis_url).await, server(&database_url, &redis_url).await];
        // Attempts are counted by address, and every address of 127/8 is this machine's on Linux.
        let [a, b] = rand::random::<u16>().to_be_bytes();
        let address = if cfg!(target_os = "linux") { Ipv4Addr::new(127, 1, a, b) } else { Ipv4Addr::LOCALHOST };
        let client = reqwest::Client::builder().local_address(IpAddr::V4(address)).build().expect("a client");
        Self { urls, client, database_url }
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.urls[0]))
    }

    fn get_from_the_other(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.urls[1]))
    }

    fn put(&self, path: &str, event: &Value) -> RequestBuilder {
        self.client.put(format!("{}{path}", self.urls[0])).json(event)
    }

    fn log_in(&self, card: &str) -> RequestBuilder {
        self.client.post(format!("{}/sessions", self.urls[0])).json(&json!({ "card": card }))
    }

    /// Changes the database behind the servers' back.
    async fn sql(&self, statement: &'static str, value: &str) {
        let mut connection = PgConnection::connect(&self.database_url).await.expect("Postgres answers");
        sqlx::query(statement).bind(value).execute(&mut connection).await.expect("the statement");
    }

    /// A customer with a discount of 20 percent; gives their cookie.
    async fn customer(&self) -> String {
        let card = Uuid::new_v4().to_string();
        self.sql("INSERT INTO customers (name, card, discount_percent) VALUES ('Ada', $1, 20)", &card).await;
        let answer = send(self.log_in(&card)).await;
        assert_eq!(answer.status(), 201);
        text(&answer, "set-cookie").split(';').next().unwrap_or_default().to_owned()
    }
}

/// Starts a server and gives its URL.
async fn server(database_url: &str, redis_url: &str) -> String {
    let configuration = Configuration {
        host: "127.0.0.1".into(),
        port: 0,
        database_url: database_url.into(),
        database_max_connections: 3,
        redis_url: redis_url.into(),
        redis_timeout: Duration::from_secs(2),
        cache_ttl: Duration::from_secs(60),
        lock_ttl: Duration::from_secs(5),
        sessions: SessionLimits { idle: Duration::from_secs(60), max: Duration::from_secs(60) },
        rate_limit: 3,
        rate_window: Duration::from_secs(60),
    };
    let application = Application::build(&configuration).await.expect("the application starts");
    let url = format!("http://{}", application.address().expect("it listens"));
    tokio::spawn(application.run());
    url
}

/// A URL of the database in `DATABASE_URL` under which a test finds a new, empty schema.
async fn schema_of_its_own() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};

    static NEXT: AtomicU32 = AtomicU32::new(0);
    let url = std::env::var("DATABASE_URL").expect("DATABASE_URL names a Postgres; `cargo lab run step-05` starts one");
    let schema = format!("test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let mut connection = PgConnection::connect(&url).await.expect("Postgres answers");
    let sql = format!("drop schema if exists {schema} cascade; create schema {schema}");
    connection.execute(AssertSqlSafe(sql)).await.expect("the user may create a schema");
    format!("{url}?options[search_path]={schema}")
}

/// A new path, and an event in a category of its own.
fn event(price_cents: i64) -> (String, Value) {
    let category = Uuid::new_v4().to_string();
    let starts_at = "2031-05-01T19:30:00Z";
    let event = json!({
        "title": "Jazz", "category": category, "starts_at": starts_at, "seats": 120, "price_cents": price_cents
    });
    (format!("/events/{}", Uuid::new_v4()), event)
}

fn list(event: &Value) -> String {
    format!("/events?category={}", event["category"].as_str().unwrap_or_default())
}

async fn send(request: RequestBuilder) -> Response {
    request.send().await.expect("an answer")
}

async fn read(request: RequestBuilder) -> Value {
    send(request).await.json().await.expect("JSON")
}

fn text<'a>(answer: &'a Response, header: &str) -> &'a str {
    answer.headers().get(header).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

#[tokio::test]
async fn a_copy_answers_on_every_server_until_a_write_clears_it() {
    let app = TestApp::start().await;
    let (path, mut jazz) = event(4500);
    assert_eq!(send(app.put(&path, &jazz)).await.status(), 201);
    assert_eq!(read(app.get(&path)).await["title"], "Jazz");
    app.sql("UPDATE events SET title = 'Rock' WHERE category = $1", jazz["category"].as_str().unwrap()).await;
    assert_eq!(read(app.get_from_the_other(&path)).await["title"], "Jazz");
    jazz["title"] = json!("Blues");
    assert_eq!(send(app.put(&path, &jazz)).await.status(), 200);
    assert_eq!(read(app.get_from_the_other(&path)).await["title"], "Blues");
}

#[tokio::test]
async fn that_there_is_none_is_a_copy_too_and_ends_with_the_first_event() {
    let app = TestApp::start().await;
    let (path, jazz) = event(4500);
    assert_eq!(send(app.get(&path)).await.status(), 404);
    assert_eq!(read(app.get(&list(&jazz))).await, json!({ "items": [] }));
    assert_eq!(send(app.put(&path, &jazz)).await.status(), 201);
    assert_eq!(send(app.get_from_the_other(&path)).await.status(), 200);
    assert_eq!(read(app.get_from_the_other(&list(&jazz))).await["items"][0]["title"], "Jazz");
}

#[tokio::test]
async fn events_by_ids_come_in_their_order_without_those_that_nobody_has() {
    let app = TestApp::start().await;
    let (mut ids, mut prices) = (Vec::new(), Vec::new());
    for price in [300, 100, 200] {
        let (path, jazz) = event(price);
        assert_eq!(send(app.put(&path, &jazz)).await.status(), 201);
        ids.push(path.trim_start_matches("/events/").to_owned());
        prices.push(json!(price));
    }
    ids.insert(1, Uuid::new_v4().to_string());
    for _ in 0..2 {
        let answer = read(app.get(&format!("/events?ids={}", ids.join(",")))).await;
        let found: Vec<_> =
            answer["items"].as_array().unwrap().iter().map(|event| event["price_cents"].clone()).collect();
        assert_eq!(found, prices);
    }
}

#[tokio::test]
async fn a_customer_sees_their_own_price_and_nobody_else_does() {
    let app = TestApp::start().await;
    let (path, jazz) = event(4500);
    assert_eq!(send(app.put(&path, &jazz)).await.status(), 201);
    let cookie = app.customer().await;
    for _ in 0..2 {
        let mine = send(app.get(&path).header(header::COOKIE, &cookie)).await;
        assert!(text(&mine, "cache-control").contains("private"));
        assert_eq!(mine.json::<Value>().await.unwrap()["price_cents"], 3600);
        let everybodys = send(app.get(&path)).await;
        assert_eq!((text(&everybodys, "vary"), text(&everybodys, "cache-control")), ("Cookie", "public, max-age=5"));
        assert_eq!(everybodys.json::<Value>().await.unwrap()["price_cents"], 4500);
    }
}

#[tokio::test]
async fn a_session_is_known_on_every_server_until_its_log_out() {
    let app = TestApp::start().await;
    let cookie = app.customer().await;
    let known = async || {
        let request = app.get_from_the_other("/session").header(header::COOKIE, &cookie);
        send(request).await.status().as_u16()
    };
    assert_eq!(known().await, 200);
    let log_out = app.client.delete(format!("{}/session", app.urls[0])).header(header::COOKIE, &cookie);
    assert_eq!(send(log_out).await.status(), 204);
    assert_eq!(known().await, 401);
}

/// All addresses but one are this machine's on Linux only: elsewhere the tests would count each other's attempts.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn attempts_are_counted_and_then_refused_for_the_rest_of_the_window() {
    let app = TestApp::start().await;
    for _ in 0..3 {
        assert_eq!(send(app.log_in("nobody's")).await.status(), 401);
    }
    let refused = send(app.log_in("nobody's")).await;
    assert_eq!(refused.status(), 429);
    assert!((1..=60).contains(&text(&refused, "retry-after").parse::<u64>().unwrap()));
}
