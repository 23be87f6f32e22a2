//! The box office of one test: a database and a bucket that nobody else has.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{Method, Request, StatusCode, header};
use envconfig::Envconfig as _;
use rusty_s3::{Bucket as Address, Credentials, S3Action as _, UrlStyle};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sqlx::{ConnectOptions as _, PgPool};
use tower::ServiceExt as _;
use url::Url;

use crate::application::Ready;
use crate::bucket::Bucket;
use crate::configuration::Configuration;
use crate::http::{self, Services};
use crate::jobs::{Broker, Relay, Worker};
use crate::store::{Outgoing, Store};
use crate::sweeper::Sweeper;
use crate::uploads::Uploads;

/// The whole application but its listener: requests go straight to the router.
#[derive(Clone)]
pub struct TestApp {
    router: Router,
    client: reqwest::Client,
    pub store: Store,
    pub bucket: Bucket,
    pub relay: Relay,
    pub worker: Worker,
    pub sweeper: Sweeper,
}

/// What a request was answered.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub location: Option<String>,
    pub json: Value,
}

impl Answer {
    /// A member that is a text.
    pub fn text(&self, name: &str) -> &str {
        self.json[name].as_str().unwrap_or_else(|| panic!("{name} of {}", self.json))
    }
}

impl TestApp {
    /// A server on the empty database of `pool`, with variables beside those that a server cannot do without.
    pub async fn start(pool: &PgPool, more: &[(&str, &str)]) -> Self {
        let mut variables = new_bucket().await;
        variables.insert("DATABASE_URL".into(), pool.connect_options().to_url_lossy().to_string());
        variables.insert("NATS_URL".into(), variable("NATS_URL"));
        variables.insert("API_TOKENS".into(), "ana:s3cret,ben:hunter2".into());
        variables.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let configuration = Configuration::init_from_hashmap(&variables).expect("a configuration that makes sense");
        let store = Store::new(&configuration.databases().expect("a database"));
        store.prepare().await.expect("the migrations run");
        let bucket = Bucket::new(&configuration.bucket).expect("a bucket");
        let broker = Broker::connect(&configuration.broker).await.expect("a broker");
        let relay = Relay::new(store.clone(), broker.clone(), Outgoing::All);
        let router = http::router(Services {
            store: store.clone(),
            bucket: bucket.clone(),
            uploads: Uploads::new(store.clone(), bucket.clone(), configuration.uploads),
            relay: relay.clone(),
            tokens: Arc::new(configuration.tokens.clone()),
            trusted_proxies: Arc::new(configuration.trusted_proxies.clone()),
            ready: Ready::default(),
        });
        let worker = Worker::new(store.clone(), bucket.clone(), broker, configuration.jobs);
        let sweeper = Sweeper::new(store.clone(), bucket.clone(), configuration.sweeping);
        Self { router, client: reqwest::Client::new(), store, bucket, relay, worker, sweeper }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("s3cret", Method::GET, path, &Value::Null).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send("s3cret", Method::POST, path, &body).await
    }

    pub async fn send(&self, token: &str, method: Method, path: &str, body: &Value) -> Answer {
        let request = Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, "application/json");
        let request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let mut request = request.body(body).expect("a request that can be sent");
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 4711))));
        let response = self.router.clone().oneshot(request).await.expect("the router always answers");
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.expect("a whole body");
        let location = parts.headers.get(header::LOCATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Answer { status: parts.status, location, json: serde_json::from_slice(&body).unwrap_or_default() }
    }

    /// Announces a file.
    pub async fn announce(&self, media_type: &str, bytes: &[u8]) -> Answer {
        let hash = hex::encode(Sha256::digest(bytes));
        let upload = json!({ "name": "a file", "type": media_type, "size": bytes.len(), "sha256": hash });
        let opened = self.post("/uploads", upload).await;
        assert_eq!(opened.status, StatusCode::CREATED, "{}", opened.json);
        opened
    }

    /// Sends a file, or a part of one, to where it was said to go.
    pub async fn bring(&self, instructions: &Value, bytes: &[u8]) -> StatusCode {
        let url = instructions["url"].as_str().expect("an address");
        let headers = instructions["headers"].as_object().expect("headers");
        let request = headers
            .iter()
            .filter(|(name, _)| *name != "content-length")
            .fold(self.client.put(url).body(bytes.to_vec()), |request, (name, value)| {
                request.header(name, value.as_str().expect("a text"))
            });
        request.send().await.expect("the store answers").status()
    }

    pub async fn complete(&self, upload: &Answer) -> Answer {
        self.post(&format!("/uploads/{}/complete", upload.text("id")), Value::Null).await
    }

    /// Fetches a file from where it is said to be.
    pub async fn download(&self, file: &str) -> Vec<u8> {
        let way = self.get(&format!("/files/{file}")).await;
        assert_eq!(way.status, StatusCode::TEMPORARY_REDIRECT);
        let response = self.client.get(way.location.expect("a way")).send().await.expect("the store answers");
        response.bytes().await.expect("a whole file").to_vec()
    }

    /// Places an order and asks for its ticket. Gives the job.
    pub async fn ticket(&self, name: &str) -> String {
        let order = self.post("/orders", json!({ "event": "Jazz at Noon", "name": name })).await;
        let accepted = self.post(&format!("/orders/{}/ticket", order.text("id")), Value::Null).await;
        assert_eq!(accepted.status, StatusCode::ACCEPTED);
        accepted.text("job").to_owned()
    }

    /// Waits until a job is in this state.
    pub async fn job(&self, job: &str, state: &str) -> Answer {
        for _ in 0..1_000 {
            let answer = self.get(&format!("/jobs/{job}")).await;
            if answer.text("state") == state {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the job was not {state} within 10 s");
    }

    /// The keys in the bucket.
    pub async fn keys(&self) -> Vec<String> {
        let page = self.bucket.objects(None).await.expect("the store answers");
        page.found.into_iter().map(|object| object.key).collect()
    }
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is set: `cargo lab test` does so"))
}

/// Makes a bucket, and gives the variables by which it is found. The store's address has its key in it here.
async fn new_bucket() -> HashMap<String, String> {
    let mut endpoint: Url = variable("AWS_ENDPOINT_URL_S3").parse().expect("an address");
    let (key, secret) = (endpoint.username().to_owned(), endpoint.password().unwrap_or_default().to_owned());
    endpoint.set_username("").and_then(|()| endpoint.set_password(None)).expect("an address with a host");
    let name = format!("test-{}", uuid::Uuid::new_v4());
    let bucket = Address::new(endpoint.clone(), UrlStyle::Path, name.clone(), "us-east-1").expect("a bucket");
    let credentials = Credentials::new(&key, &secret);
    let made = reqwest::Client::new().put(bucket.create_bucket(&credentials).sign(Duration::from_secs(60)));
    assert!(made.send().await.expect("the store answers").status().is_success());
    let variables = [
        ("AWS_ENDPOINT_URL_S3", endpoint.to_string()),
        ("S3_PUBLIC_ENDPOINT", endpoint.to_string()),
        ("AWS_REGION", "us-east-1".into()),
        ("AWS_ACCESS_KEY_ID", key),
        ("AWS_SECRET_ACCESS_KEY", secret),
        ("S3_BUCKET", name),
    ];
    variables.map(|(name, value)| (name.to_owned(), value)).into()
}
