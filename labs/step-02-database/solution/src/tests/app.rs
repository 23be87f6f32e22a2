//! The box office of one test, on a database that nobody else has.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};
use sqlx::{ConnectOptions as _, PgPool};
use tower::ServiceExt as _;

use crate::store::Store;
use crate::{Configuration, http};

/// The whole application but its listener: requests go straight to the router.
#[derive(Clone)]
pub struct TestApp {
    router: Router,
}

impl TestApp {
    /// Migrates the empty database of `pool`, which `#[sqlx::test]` makes for each test and drops after it, and works on
    /// it with connections of its own.
    pub async fn start(pool: &PgPool) -> Self {
        let configuration = Configuration {
            host: "127.0.0.1".into(),
            port: 0,
            database_url: pool.connect_options().to_url_lossy().to_string().into(),
            database_max_connections: 5,
            database_timeout: Duration::from_secs(20),
        };
        let store = Store::connect(&configuration).await.expect("the database answers");
        store.migrate().await.expect("the migrations run");
        Self { router: http::router(store) }
    }

    pub async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.send(Method::GET, path, Body::empty()).await
    }

    pub async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        self.send(Method::POST, path, Body::from(body.to_string())).await
    }

    async fn send(&self, method: Method, path: &str, body: Body) -> (StatusCode, Value) {
        let request = Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, "application/json");
        let request = request.body(body).expect("a request that can be sent");
        let response = self.router.clone().oneshot(request).await.expect("the router always answers");
        let status = response.status();
        let body = to_bytes(response.into_body(), usize::MAX).await.expect("a whole body");
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }

    /// Makes an event and gives its id.
    pub async fn event(&self, title: &str, seats: i32, price_cents: i64) -> i64 {
        let event =
            json!({ "title": title, "starts_at": "2030-01-01T20:00:00Z", "seats": seats, "price_cents": price_cents });
        self.made("/events", event).await
    }

    /// Makes a customer and gives their id.
    pub async fn customer(&self, email: &str, balance_cents: i64) -> i64 {
        self.made("/customers", json!({ "email": email, "balance_cents": balance_cents })).await
    }

    pub async fn order(&self, event: i64, customer: i64, seats: i32) -> (StatusCode, Value) {
        self.post(&format!("/events/{event}/orders"), json!({ "customer_id": customer, "seats": seats })).await
    }

    pub async fn seats_left(&self, event: i64) -> i64 {
        self.get(&format!("/events/{event}")).await.1["seats_left"].as_i64().expect("an event says it")
    }

    async fn made(&self, path: &str, body: Value) -> i64 {
        let (status, made) = self.post(path, body).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        made["id"].as_i64().expect("what is made has an id")
    }
}
