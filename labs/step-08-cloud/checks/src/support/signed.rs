//! A request to the store that the server has signed for its client.

use std::net::SocketAddr;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use lab_kit::prelude::*;
use lab_store::Store;
use percent_encoding::percent_decode_str;
use url::Url;

/// Where to, and with which fields.
#[derive(Debug, Clone)]
pub struct Signed {
    method: String,
    url: Url,
    headers: Vec<(String, String)>,
}

impl Signed {
    /// Reads the `method`, `url` and `headers` that `value` has. `answer` is what it came with.
    pub fn of(answer: &Response, value: &Value, store: &Store) -> CheckResult<Self> {
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        let (Some(method), Some(url)) = (text("method"), text("url")) else {
            return Err(answer
                .failure("the answer does not say how to upload")
                .expected("`method` and `url`, both strings")
                .actual(value.to_string()));
        };
        let headers = value.get("headers").and_then(Value::as_object);
        let headers = headers.into_iter().flatten().filter_map(|(name, value)| {
            // The client knows these two by itself.
            let own = ["host", "content-length"].contains(&name.to_lowercase().as_str());
            (!own).then(|| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
        });
        Ok(Self { method: method.to_owned(), url: read(answer, url, store)?, headers: headers.collect() })
    }

    /// Where `GET /files/…` leads.
    pub fn of_redirect(answer: &Response, store: &Store) -> CheckResult<Self> {
        let Some(location) = answer.header("location") else {
            return Err(answer.failure("the answer has no field Location"));
        };
        Ok(Self { method: "GET".into(), url: read(answer, location, store)?, headers: Vec::new() })
    }

    /// The object's key, decoded.
    pub fn key(&self, store: &Store) -> String {
        let path = percent_decode_str(self.url.path()).decode_utf8_lossy().into_owned();
        let prefix = format!("/{}/", store.bucket());
        path.strip_prefix(&prefix).unwrap_or(&path).to_owned()
    }

    /// The value of a parameter of the query.
    pub fn parameter(&self, name: &str) -> Option<String> {
        self.url.query_pairs().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.into_owned())
    }

    /// When it is over, by X-Amz-Date and X-Amz-Expires.
    pub fn ends(&self) -> Option<DateTime<Utc>> {
        let signed = NaiveDateTime::parse_from_str(&self.parameter("X-Amz-Date")?, "%Y%m%dT%H%M%SZ").ok()?;
        let seconds = self.parameter("X-Amz-Expires")?.parse().ok()?;
        signed.and_utc().checked_add_signed(TimeDelta::try_seconds(seconds)?)
    }

    /// The same with another method.
    pub fn with_method(&self, method: &str) -> Self {
        Self { method: method.to_owned(), ..self.clone() }
    }

    /// The same for another key.
    pub fn with_key(&self, store: &Store, key: &str) -> Self {
        let mut changed = self.clone();
        changed.url.set_path(&format!("/{}/{key}", store.bucket()));
        changed
    }

    /// The same without a signature.
    pub fn unsigned(&self) -> Self {
        let mut changed = self.clone();
        changed.url.set_query(None);
        changed
    }

    /// The same with another value of one of its fields.
    pub fn with_header(&self, name: &str, value: &str) -> Self {
        let mut changed = self.clone();
        changed.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        changed.headers.push((name.to_owned(), value.to_owned()));
        changed
    }

    /// The request, with nothing in it yet.
    pub fn request(&self, store: &Store) -> Request {
        let target = match self.url.query() {
            Some(query) => format!("{}?{query}", self.url.path()),
            None => self.url.path().to_owned(),
        };
        let request = store.request(&self.method, &target);
        self.headers.iter().fold(request, |request, (name, value)| request.header(name.clone(), value))
    }

    /// The request with these bytes.
    pub fn send(&self, store: &Store, bytes: &[u8]) -> Request {
        self.request(store).raw_body(bytes).within(Duration::from_secs(20))
    }
}

/// A URL at the endpoint that clients are told of.
fn read(answer: &Response, text: &str, store: &Store) -> CheckResult<Url> {
    let public: SocketAddr = store.public_address();
    let url = Url::parse(text).ok().filter(|url| url.scheme() == "http" && url.path().starts_with('/'));
    let there = url.filter(|url| url.host_str() == Some(&public.ip().to_string()) && url.port() == Some(public.port()));
    there.ok_or_else(|| {
        answer
            .failure("a client cannot reach the store with this URL")
            .expected(format!("a URL at S3_PUBLIC_ENDPOINT, which is http://{public}"))
            .actual(text)
    })
}
