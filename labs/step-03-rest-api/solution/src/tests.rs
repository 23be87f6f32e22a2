//! The whole server, as a client meets it: on a port and a database schema of its own for each test.

use axum::http::HeaderValue;
use reqwest::{RequestBuilder, Response, header};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use crate::{Application, Configuration};

const SHOP: &str = "https://shop.example";

/// A server of a test's own; it ends with the test.
struct TestApp {
    url: String,
    client: reqwest::Client,
}

impl TestApp {
    async fn start() -> Self {
        let configuration = Configuration {
            host: "127.0.0.1".into(),
            port: 0,
            database_url: schema_of_its_own().await.into(),
            database_max_connections: 3,
            cors_allowed_origin: Some(HeaderValue::from_static(SHOP)),
        };
        let application = Application::build(&configuration).await.expect("the application starts");
        let url = format!("http://{}", application.address().expect("it listens"));
        tokio::spawn(application.run());
        Self { url, client: reqwest::Client::new() }
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.url))
    }

    fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        self.client.post(format!("{}{path}", self.url)).json(body)
    }

    fn patch(&self, path: &str, tag: &str, body: &Value) -> RequestBuilder {
        let request = self.client.patch(format!("{}{path}", self.url)).header(header::IF_MATCH, tag);
        request.header(header::CONTENT_TYPE, "application/merge-patch+json").body(body.to_string())
    }

    fn delete(&self, path: &str, tag: &str) -> RequestBuilder {
        self.client.delete(format!("{}{path}", self.url)).header(header::IF_MATCH, tag)
    }

    /// Makes what `body` says at `list` and gives its path.
    async fn create(&self, list: &str, body: &Value) -> String {
        let answer = send(self.post(list, body)).await;
        assert_eq!(answer.status(), 201);
        text(&answer, "location").to_owned()
    }

    /// Makes an event with so many seats and gives its path and its id.
    async fn event(&self, seats: u32) -> (String, Value) {
        let path = self.create("/events", &event(seats)).await;
        let id = read(self.get(&path)).await["id"].clone();
        (path, id)
    }
}

/// A URL of the database in `DATABASE_URL` under which a test finds a new, empty schema.
async fn schema_of_its_own() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};

    static NEXT: AtomicU32 = AtomicU32::new(0);
    let url = std::env::var("DATABASE_URL").expect("DATABASE_URL names a Postgres; `cargo lab run step-03` starts one");
    let schema = format!("test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let mut connection = PgConnection::connect(&url).await.expect("Postgres answers");
    let sql = format!("drop schema if exists {schema} cascade; create schema {schema}");
    connection.execute(AssertSqlSafe(sql)).await.expect("the user may create a schema");
    format!("{url}?options[search_path]={schema}")
}

fn event(seats: u32) -> Value {
    json!({ "title": "Jazz at Noon", "starts_at": "2031-05-01T19:30:00Z", "seats": seats, "price_cents": 4500 })
}

fn order(event_id: &Value, seats: u32) -> Value {
    json!({ "event_id": event_id, "email": "ada@example.com", "seats": seats })
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
async fn what_is_created_is_found_at_its_location() {
    let app = TestApp::start().await;
    let answer = send(app.post("/events", &event(120))).await;
    let (location, tag) = (text(&answer, "location").to_owned(), text(&answer, "etag").to_owned());
    let created: Value = answer.json().await.unwrap();
    let found = send(app.get(&location)).await;
    assert_eq!(text(&found, "etag"), tag);
    assert_eq!(found.json::<Value>().await.unwrap(), created);
    assert_eq!((&created["description"], &created["seats_sold"]), (&Value::Null, &json!(0)));
}

#[tokio::test]
async fn every_refusal_is_a_problem_document() {
    let app = TestApp::start().await;
    let refused = [
        (app.get("/nothing"), 404),
        (app.get("/events/7"), 404),
        (app.post("/events/7", &json!({})), 405),
        (app.post("/events", &json!({})), 422),
        (app.get("/events?limit=0"), 400),
        (app.get("/events").header(header::ACCEPT, "text/html"), 406),
        (app.get("/events").header(header::ACCEPT, "application/json;q=0, */*"), 406),
    ];
    for (request, status) in refused {
        let answer = send(request).await;
        assert_eq!((answer.status().as_u16(), text(&answer, "content-type")), (status, "application/problem+json"));
        assert_eq!(answer.json::<Value>().await.unwrap()["status"], status);
    }
}

#[tokio::test]
async fn every_bad_member_is_named_at_once() {
    let app = TestApp::start().await;
    let body = json!({ "title": " ", "starts_at": "tomorrow", "seats": 5.5, "description": 7 });
    let problem = read(app.post("/events", &body)).await;
    let mut pointers: Vec<_> =
        problem["errors"].as_array().unwrap().iter().filter_map(|error| error["pointer"].as_str()).collect();
    pointers.sort_unstable();
    assert_eq!(pointers, ["/description", "/price_cents", "/seats", "/starts_at", "/title"]);
}

#[tokio::test]
async fn an_absent_member_stays_and_null_clears_it() {
    let app = TestApp::start().await;
    let mut body = event(120);
    body["description"] = json!("A trio");
    let path = app.create("/events", &body).await;
    let patched = read(app.patch(&path, "*", &json!({ "price_cents": 5000 }))).await;
    assert_eq!((&patched["description"], &patched["price_cents"]), (&json!("A trio"), &json!(5000)));
    let patched = read(app.patch(&path, "*", &json!({ "description": null }))).await;
    assert_eq!((&patched["description"], &patched["title"]), (&Value::Null, &json!("Jazz at Noon")));
    assert_eq!(send(app.patch(&path, "*", &json!({ "title": null }))).await.status(), 422);
}

#[tokio::test]
async fn a_change_needs_the_version_that_is_there_now() {
    let app = TestApp::start().await;
    let (path, _) = app.event(120).await;
    let old = text(&send(app.get(&path)).await, "etag").to_owned();
    assert_eq!(send(app.patch(&path, &old, &json!({ "seats": 100 }))).await.status(), 200);
    assert_eq!(send(app.patch(&path, &old, &json!({ "seats": 90 }))).await.status(), 412);
    assert_eq!(send(app.delete(&path, &format!("W/{old}"))).await.status(), 412);
    assert_eq!(send(app.client.delete(format!("{}{path}", app.url))).await.status(), 428);
    assert_eq!(read(app.get(&path)).await["seats"], 100);
    assert_eq!(send(app.get(&path).header(header::IF_NONE_MATCH, &old)).await.status(), 200);
    let new = text(&send(app.get(&path)).await, "etag").to_owned();
    assert_eq!(send(app.get(&path).header(header::IF_NONE_MATCH, format!("W/{new}"))).await.status(), 304);
}

#[tokio::test]
async fn seats_go_with_the_order_and_come_back_with_its_end() {
    let app = TestApp::start().await;
    let (path, id) = app.event(3).await;
    let placed = app.create("/orders", &order(&id, 2)).await;
    assert_eq!(read(app.get(&path)).await["seats_sold"], 2);
    assert_eq!(send(app.post("/orders", &order(&id, 2))).await.status(), 409);
    assert_eq!(send(app.delete(&path, "*")).await.status(), 409);
    assert_eq!(send(app.delete(&placed, "*")).await.status(), 204);
    assert_eq!(send(app.get(&placed)).await.status(), 404);
    assert_eq!(read(app.get(&path)).await["seats_sold"], 0);
}

#[tokio::test]
async fn a_retry_is_given_the_first_answer_and_another_request_is_not() {
    let app = TestApp::start().await;
    let (_, id) = app.event(120).await;
    let place = |seats| app.post("/orders", &order(&id, seats)).header("idempotency-key", "\"8e03\"");
    let first = read(place(2)).await;
    let path = format!("/orders/{}", first["id"]);
    assert_eq!(send(app.patch(&path, "*", &json!({ "note": "at the aisle" }))).await.status(), 200);
    assert_eq!(read(place(2)).await, first);
    assert_eq!(send(place(3)).await.status(), 422);
    assert_eq!(read(app.get("/orders")).await["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_links_lead_through_all_pages_and_end() {
    let app = TestApp::start().await;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(app.event(120).await.1);
    }
    let (mut next, mut seen) = (json!("/events?limit=2"), Vec::new());
    while let Some(path) = next.as_str() {
        let page = read(app.get(path)).await;
        seen.extend(page["items"].as_array().unwrap().iter().map(|item| item["id"].clone()));
        next = page["next"].clone();
    }
    assert_eq!(seen, made);
}

#[tokio::test]
async fn pages_of_one_origin_may_call_and_no_others() {
    let app = TestApp::start().await;
    let allowed = |answer: &Response| text(answer, "access-control-allow-origin").to_owned();
    assert_eq!(allowed(&send(app.get("/nothing").header(header::ORIGIN, SHOP)).await), SHOP);
    for origin in ["http://shop.example", "https://shop.example.evil.test", "null"] {
        assert_ne!(allowed(&send(app.get("/events").header(header::ORIGIN, origin)).await), origin);
    }
}
