//! The whole server, as programs and browsers meet it: on a port and a database schema of its own for each test.

use std::time::Duration;

use reqwest::{RequestBuilder, Response, header};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use crate::auth::{Limits, Secret};
use crate::{Application, Configuration};

const PASSWORD: &str = "correct horse battery";

/// A server of a test's own; it ends with the test.
struct TestApp {
    url: String,
    client: reqwest::Client,
    database_url: String,
}

impl TestApp {
    async fn start() -> Self {
        let database_url = schema_of_its_own().await;
        let configuration = Configuration {
            host: "127.0.0.1".into(),
            port: 0,
            database_url: database_url.clone().into(),
            jwt_secret: Secret::new("a secret that nobody has but this test".into()).expect("it is long enough"),
            // The least that bcrypt knows: tests have nothing to hide, and would wait for it.
            bcrypt_cost: 4,
            throttle: Limits { per_account: 2, per_address: 50, window: Duration::from_secs(60) },
        };
        let application = Application::build(&configuration).await.expect("the application starts");
        let url = format!("http://{}", application.address().expect("it listens"));
        tokio::spawn(application.run());
        // A redirect is an answer like any other here.
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
        Self { url, client, database_url }
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.url))
    }

    fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(format!("{}{path}", self.url))
    }

    /// Registers somebody. Gives the answer's body: who they are, and their tokens.
    async fn register(&self, name: &str) -> Value {
        let body = json!({ "email": address(name), "name": name, "password": PASSWORD });
        read(self.post("/register").json(&body), 201).await
    }

    fn log_in(&self, name: &str, password: &str) -> RequestBuilder {
        self.post("/login").json(&json!({ "email": address(name), "password": password }))
    }

    fn refresh(&self, session: &Value) -> RequestBuilder {
        self.post("/refresh").json(&json!({ "refresh_token": session["refresh_token"] }))
    }

    /// The status of `GET /me` with a session's access token.
    async fn me(&self, session: &Value) -> u16 {
        send(self.get("/me").bearer_auth(access(session))).await.status().as_u16()
    }

    /// Gives somebody a role, as an administrator would.
    async fn make(&self, name: &str, role: &str) {
        let mut connection = PgConnection::connect(&self.database_url).await.expect("Postgres answers");
        let statement = sqlx::query("UPDATE users SET role = $2 WHERE email = $1").bind(address(name)).bind(role);
        assert_eq!(statement.execute(&mut connection).await.expect("a role").rows_affected(), 1);
    }

    /// Registers an organizer who makes an event. Gives their session and the event's path.
    async fn event(&self, organizer: &str, title: &str) -> (Value, String) {
        let session = self.register(organizer).await;
        self.make(organizer, "organizer").await;
        let event = read(self.post("/events").bearer_auth(access(&session)).json(&event(title)), 201).await;
        (session, format!("/events/{}", event["id"]))
    }

    /// Logs in with a browser and gives its cookie.
    async fn browse(&self, name: &str) -> String {
        let answer = send(self.form("/web/login", "", &[("email", &address(name)), ("password", PASSWORD)])).await;
        assert_eq!(answer.status(), 303);
        text(&answer, "set-cookie").split(';').next().unwrap_or_default().to_owned()
    }

    /// A form that a page of this server sends.
    fn form(&self, path: &str, cookie: &str, fields: &[(&str, &str)]) -> RequestBuilder {
        let body: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect();
        let request = self.post(path).header(header::ORIGIN, &self.url).header(header::COOKIE, cookie);
        request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(body.join("&"))
    }

    async fn page(&self, path: &str, cookie: &str) -> String {
        send(self.get(path).header(header::COOKIE, cookie)).await.text().await.expect("a page")
    }
}

/// A URL of the database in `DATABASE_URL` under which a test finds a new, empty schema.
async fn schema_of_its_own() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};

    static NEXT: AtomicU32 = AtomicU32::new(0);
    let url = std::env::var("DATABASE_URL").expect("DATABASE_URL names a Postgres; `cargo lab run step-04` starts one");
    let schema = format!("test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let mut connection = PgConnection::connect(&url).await.expect("Postgres answers");
    let sql = format!("drop schema if exists {schema} cascade; create schema {schema}");
    connection.execute(AssertSqlSafe(sql)).await.expect("the user may create a schema");
    format!("{url}?options[search_path]={schema}")
}

fn address(name: &str) -> String {
    format!("{name}@example.com")
}

fn event(title: &str) -> Value {
    json!({ "title": title, "starts_at": "2031-05-01T19:30:00Z", "seats": 120, "price_cents": 4500 })
}

fn access(session: &Value) -> &str {
    session["access_token"].as_str().expect("an access token")
}

async fn send(request: RequestBuilder) -> Response {
    request.send().await.expect("an answer")
}

async fn read(request: RequestBuilder, status: u16) -> Value {
    let answer = send(request).await;
    assert_eq!(answer.status(), status);
    answer.json().await.expect("JSON")
}

fn text<'a>(answer: &'a Response, header: &str) -> &'a str {
    answer.headers().get(header).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Text for a form: every byte as two hexadecimal digits, which is always right.
fn escape(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// The token in the first form of a page.
fn csrf_token(page: &str) -> &str {
    let (_, rest) = page.split_once("name=\"csrf_token\" value=\"").expect("a form with a token");
    rest.split('"').next().unwrap_or_default()
}

#[tokio::test]
async fn who_registers_is_known_by_their_token_and_nobody_by_none() {
    let app = TestApp::start().await;
    let ada = app.register("ada").await;
    let me = read(app.get("/me").bearer_auth(access(&ada)), 200).await;
    assert_eq!((&me["email"], &me["role"]), (&json!("ada@example.com"), &json!("customer")));
    let refused = send(app.get("/me")).await;
    assert_eq!(refused.status(), 401);
    assert!(text(&refused, "www-authenticate").starts_with("Bearer"));
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_look_the_same() {
    let app = TestApp::start().await;
    app.register("ada").await;
    let (wrong, unknown) = (send(app.log_in("ada", "not hers")).await, send(app.log_in("eve", "not hers")).await);
    assert_eq!((wrong.status().as_u16(), unknown.status().as_u16()), (401, 401));
    assert_eq!(wrong.bytes().await.unwrap(), unknown.bytes().await.unwrap());
}

#[tokio::test]
async fn a_refresh_token_works_once_and_its_second_use_ends_the_session() {
    let app = TestApp::start().await;
    let first = app.register("ada").await;
    let other = read(app.log_in("ada", PASSWORD), 200).await;
    let second = read(app.refresh(&first), 200).await;
    assert_eq!(app.me(&second).await, 200);
    read(app.refresh(&first), 401).await;
    read(app.refresh(&second), 401).await;
    assert_eq!((app.me(&second).await, app.me(&other).await), (401, 200));
}

#[tokio::test]
async fn a_log_out_ends_the_session_and_no_other() {
    let app = TestApp::start().await;
    let ended = app.register("ada").await;
    let other = read(app.log_in("ada", PASSWORD), 200).await;
    assert_eq!(send(app.post("/logout").bearer_auth(access(&ended))).await.status(), 204);
    assert_eq!((app.me(&ended).await, app.me(&other).await), (401, 200));
}

#[tokio::test]
async fn an_event_is_its_organizers_and_only_while_they_are_one() {
    let app = TestApp::start().await;
    let (olga, path) = app.event("olga", "Jazz at Noon").await;
    let (rival, _) = app.event("rob", "Rock at Night").await;
    let put = |who: &Value| app.client.put(format!("{}{path}", app.url)).bearer_auth(access(who)).json(&event("Other"));
    assert_eq!(send(put(&rival)).await.status(), 403);
    assert_eq!(send(put(&olga)).await.status(), 200);
    app.make("olga", "customer").await;
    assert_eq!(send(put(&olga)).await.status(), 403);
}

#[tokio::test]
async fn guesses_are_counted_and_then_the_right_one_has_to_wait_too() {
    let app = TestApp::start().await;
    app.register("ada").await;
    for _ in 0..2 {
        assert_eq!(send(app.log_in("ada", "not hers")).await.status(), 401);
    }
    let refused = send(app.log_in("ADA", PASSWORD)).await;
    assert_eq!(refused.status(), 429);
    assert!((1..=61).contains(&text(&refused, "retry-after").parse::<u64>().unwrap()));
}

#[tokio::test]
async fn a_form_needs_the_token_of_its_own_session_and_its_own_origin() {
    let app = TestApp::start().await;
    let (_, event) = app.event("olga", "Jazz at Noon").await;
    let path = format!("/web{event}/reviews");
    let (cookie, elsewhere) = (app.browse("olga").await, app.browse("olga").await);
    let (page, other) = (app.page(&format!("/web{event}"), &cookie).await, app.page("/web/account", &elsewhere).await);
    let review = |token: &str| app.form(&path, &cookie, &[("text", "Great"), ("csrf_token", token)]);
    for forged in ["", csrf_token(&other)] {
        assert_eq!(send(review(forged)).await.status(), 403);
    }
    let foreign = app.post(&path).header(header::ORIGIN, "https://evil.example").header(header::COOKIE, &cookie);
    assert_eq!(send(foreign).await.status(), 403);
    assert_eq!(send(review(csrf_token(&page))).await.status(), 303);
}

#[tokio::test]
async fn what_a_stranger_writes_stays_text_wherever_it_is_shown() {
    let app = TestApp::start().await;
    let title = "</script><script>steal()</script>\"'";
    let (_, event) = app.event("olga", title).await;
    let page = app.page(&format!("/web{event}"), "").await;
    assert!(!page.contains("<script>steal"));
    let (_, data) = page.split_once("id=\"page-data\">").expect("the page's data");
    let data: Value = serde_json::from_str(data.split("</script>").next().unwrap_or_default()).expect("JSON");
    assert_eq!(data["title"], title);
}
