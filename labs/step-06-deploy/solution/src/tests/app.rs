//! The box office of one test, on a database that nobody else has.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use envconfig::Envconfig as _;
use serde_json::{Value, json};
use sqlx::{ConnectOptions as _, PgPool};
use tower::ServiceExt as _;

use crate::Configuration;
use crate::http::{self, Services};
use crate::lifecycle::{Lifecycle, Phase};
use crate::metrics::Metrics;
use crate::store::Store;
use crate::tally::Tally;

const TOKEN: &str = "s3cret";

/// The whole application but its listener: requests go straight to the router.
#[derive(Clone)]
pub struct TestApp {
    router: Router,
    pub lifecycle: Lifecycle,
}

/// What a request was answered.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl TestApp {
    /// A server that serves, on the empty database of `pool`, which `#[sqlx::test]` makes for each test and drops after
    /// it. `more` are variables beside those that a server cannot do without.
    pub async fn start(pool: &PgPool, more: &[(&str, &str)]) -> Self {
        let (app, store) = Self::starting(pool, more);
        store.prepare().await.expect("the migrations run");
        app.lifecycle.enter(Phase::Serving);
        app
    }

    /// A server whose database is not prepared yet, and what would prepare it.
    pub fn starting(pool: &PgPool, more: &[(&str, &str)]) -> (Self, Store) {
        let url = pool.connect_options().to_url_lossy().to_string();
        let variables = [("API_TOKEN", TOKEN), ("DATABASE_URL", &url)].into_iter().chain(more.iter().copied());
        let variables: HashMap<_, _> = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let configuration = Configuration::init_from_hashmap(&variables).expect("a configuration that makes sense");
        let (lifecycle, store) = (Lifecycle::default(), Store::new(&configuration));
        let services = Services {
            store: store.clone(),
            lifecycle: lifecycle.clone(),
            metrics: Arc::new(Metrics::default()),
            tally: Arc::new(Tally::default()),
            api_token: configuration.api_token,
        };
        (Self { router: http::router(services, configuration.limits), lifecycle }, store)
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Self::request(Method::GET, path), Value::Null).await
    }

    /// Posts as somebody who knows the token.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        let request = Self::request(Method::POST, path).header(header::AUTHORIZATION, format!("Bearer {TOKEN}"));
        self.send(request, body).await
    }

    pub fn request(method: Method, path: &str) -> axum::http::request::Builder {
        Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, "application/json")
    }

    pub async fn send(&self, request: axum::http::request::Builder, body: Value) -> Answer {
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let request = request.body(body).expect("a request that can be sent");
        let response = self.router.clone().oneshot(request).await.expect("the router always answers");
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.expect("a whole body");
        let text = String::from_utf8(body.to_vec()).expect("a text");
        Answer { status: parts.status, headers: parts.headers, text }
    }

    /// Makes an event and gives its id.
    pub async fn event(&self, seats: i32) -> i64 {
        let made = self.post("/events", json!({ "title": "Jazz at Noon", "seats": seats })).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
        made.json()["id"].as_i64().expect("what is made has an id")
    }

    pub async fn order(&self, event: i64, seats: i32) -> Answer {
        self.post(&format!("/events/{event}/orders"), json!({ "buyer": "Ada", "seats": seats })).await
    }
}
