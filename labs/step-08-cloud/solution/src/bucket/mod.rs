//! The object store: what we ask of it ourselves, and what we let others ask of it.
//!
//! A request is signed, and whoever has it may send it: no byte of a file has to pass through this program, and nobody needs
//! our key. What is signed holds for one method, one key and some minutes, and for each header that is signed along.

mod listing;
mod multipart;
mod signing;

use std::time::Duration;

use bytes::Bytes;
use reqwest::{Client, Response, StatusCode, Url};
use rusty_s3::{Bucket as Address, Credentials, S3Action, UrlStyle};
use tracing::instrument;

pub use listing::Leftover;
pub use signing::SignedRequest;

use crate::configuration::{BucketSettings, ConfigurationError};

/// How long what we sign for ourselves is good.
const OURS: Duration = Duration::from_secs(60);
/// How long the store may say nothing.
const SILENCE: Duration = Duration::from_secs(10);
/// How long a connection may take.
const CONNECTING: Duration = Duration::from_secs(2);

/// The bucket with all our objects. Clones share its connections.
#[derive(Clone)]
pub struct Bucket {
    inside: Address,
    outside: Address,
    credentials: Credentials,
    client: Client,
}

/// Why the store did not do as it was asked.
#[derive(Debug, thiserror::Error)]
pub enum BucketError {
    /// It cannot be reached, or did not answer.
    #[error("the object store is out of reach")]
    Unavailable(#[source] reqwest::Error),
    /// It answered with a status that we know nothing to do with.
    #[error("the object store answered {0}")]
    Status(StatusCode),
    /// It answered something that we do not understand.
    #[error("the object store's answer makes no sense")]
    Answer(#[from] instant_xml::Error),
}

impl From<reqwest::Error> for BucketError {
    fn from(error: reqwest::Error) -> Self {
        // The URL has a signature in it, which is nobody's business.
        Self::Unavailable(error.without_url())
    }
}

/// What became of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copied {
    /// It is there.
    Done,
    /// The original has changed, or is gone.
    Changed,
}

impl Bucket {
    /// A bucket that nobody has been asked for yet.
    ///
    /// # Errors
    /// An endpoint that cannot be one.
    pub fn new(settings: &BucketSettings) -> Result<Self, ConfigurationError> {
        let address = |endpoint: &Url, name| {
            Address::new(endpoint.clone(), UrlStyle::Path, settings.name.clone(), settings.region.clone())
                .map_err(|_| ConfigurationError::ParseError { name })
        };
        let client = Client::builder().connect_timeout(CONNECTING).read_timeout(SILENCE);
        Ok(Self {
            inside: address(&settings.endpoint, "AWS_ENDPOINT_URL_S3")?,
            outside: address(&settings.public_endpoint, "S3_PUBLIC_ENDPOINT")?,
            credentials: Credentials::new(settings.access_key.clone(), settings.secret_key.expose()),
            client: client.build().map_err(|_| ConfigurationError::ParseError { name: "AWS_ENDPOINT_URL_S3" })?,
        })
    }

    /// Reads an object as it comes, if it is there.
    ///
    /// # Errors
    /// The store failed.
    #[instrument(skip(self))]
    pub async fn get(&self, key: &str) -> Result<Option<Response>, BucketError> {
        let url = self.inside.get_object(Some(&self.credentials), key).sign(OURS);
        found(self.client.get(url).send().await?)
    }

    /// Whether there is an object.
    ///
    /// # Errors
    /// The store failed.
    #[instrument(skip(self))]
    pub async fn has(&self, key: &str) -> Result<bool, BucketError> {
        let url = self.inside.head_object(Some(&self.credentials), key).sign(OURS);
        Ok(found(self.client.head(url).send().await?)?.is_some())
    }

    /// Writes an object of our own.
    ///
    /// # Errors
    /// The store failed.
    #[instrument(skip(self, body))]
    pub async fn put(&self, key: &str, media_type: &str, body: Vec<u8>) -> Result<(), BucketError> {
        let mut action = self.inside.put_object(Some(&self.credentials), key);
        action.headers_mut().insert("content-type", media_type);
        let request = self.client.put(action.sign(OURS)).header("content-type", media_type).body(Bytes::from(body));
        succeeded(request.send().await?)
    }

    /// Has the store copy an object, if it still is what it was when it had this entity tag.
    ///
    /// # Errors
    /// The store failed.
    #[instrument(skip(self))]
    pub async fn copy(&self, from: &str, to: &str, entity_tag: &str) -> Result<Copied, BucketError> {
        let source = format!("/{}/{from}", self.inside.name());
        let headers = [("x-amz-copy-source", source.as_str()), ("x-amz-copy-source-if-match", entity_tag)];
        let mut action = self.inside.put_object(Some(&self.credentials), to);
        for (name, value) in headers {
            action.headers_mut().insert(name, value);
        }
        let request = self.client.put(action.sign(OURS));
        let request = headers.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        let response = request.send().await?;
        match response.status() {
            StatusCode::PRECONDITION_FAILED | StatusCode::NOT_FOUND => Ok(Copied::Changed),
            _ => listing::without_error(&text(response).await?).map(|()| Copied::Done),
        }
    }

    /// Removes an object. One that is not there is removed already.
    ///
    /// # Errors
    /// The store failed.
    #[instrument(skip(self))]
    pub async fn delete(&self, key: &str) -> Result<(), BucketError> {
        let url = self.inside.delete_object(Some(&self.credentials), key).sign(OURS);
        found(self.client.delete(url).send().await?)?;
        Ok(())
    }
}

/// The answer, or nothing if there is no such thing.
fn found(response: Response) -> Result<Option<Response>, BucketError> {
    match response.status() {
        StatusCode::NOT_FOUND => Ok(None),
        status if status.is_success() => Ok(Some(response)),
        status => Err(BucketError::Status(status)),
    }
}

fn succeeded(response: Response) -> Result<(), BucketError> {
    if response.status().is_success() { Ok(()) } else { Err(BucketError::Status(response.status())) }
}

async fn text(response: Response) -> Result<String, BucketError> {
    let status = response.status();
    if status.is_success() { Ok(response.text().await?) } else { Err(BucketError::Status(status)) }
}
