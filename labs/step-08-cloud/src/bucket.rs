//! The object store.

use std::time::Duration;

use reqwest::{Client, StatusCode, Url};
use rusty_s3::{Bucket as Address, Credentials, S3Action as _, UrlStyle};

use crate::configuration::{BucketSettings, ConfigurationError};

/// How long what we sign for ourselves is good.
const OURS: Duration = Duration::from_secs(60);

/// The bucket with all our objects. Clones share its connections.
#[derive(Clone)]
pub struct Bucket {
    /// Where we reach it.
    pub inside: Address,
    /// Where our clients reach it: what is signed for them is signed for this address.
    pub outside: Address,
    credentials: Credentials,
    client: Client,
}

/// Why the store did not do as it was asked.
#[derive(Debug, thiserror::Error)]
pub enum BucketError {
    /// It cannot be reached, or did not answer.
    #[error("the object store is out of reach")]
    Unavailable(#[from] reqwest::Error),
    /// It answered with a status that we know nothing to do with.
    #[error("the object store answered {0}")]
    Status(StatusCode),
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
        Ok(Self {
            inside: address(&settings.endpoint, "AWS_ENDPOINT_URL_S3")?,
            outside: address(&settings.public_endpoint, "S3_PUBLIC_ENDPOINT")?,
            credentials: Credentials::new(settings.access_key.clone(), settings.secret_key.expose()),
            client: Client::new(),
        })
    }

    // TODO(step-08.1): sign what others may send. `self.outside.put_object(…)` is such an action: give it the headers that
    // shall be signed along (`headers_mut`), and sign it for as long as it shall be good.

    /// Removes an object: an example of how we ask the store ourselves. One that is not there is removed already.
    ///
    /// # Errors
    /// The store failed.
    pub async fn delete(&self, key: &str) -> Result<(), BucketError> {
        let url = self.inside.delete_object(Some(&self.credentials), key).sign(OURS);
        let status = self.client.delete(url).send().await?.status();
        if status.is_success() || status == StatusCode::NOT_FOUND { Ok(()) } else { Err(BucketError::Status(status)) }
    }
}
