//! What is in the bucket, page by page: nobody knows how much that is.

use chrono::{DateTime, Utc};
use instant_xml::FromXml;
use jiff::Timestamp;
use reqwest::header::DATE;
use reqwest::{Response, StatusCode};
use rusty_s3::actions::ListObjectsV2;
use rusty_s3::{Method, S3Action as _, signing};
use tracing::instrument;

use super::{Bucket, BucketError, OURS, text};

/// Something that is in the bucket, and may have a use or not.
#[derive(Debug, Clone)]
pub struct Leftover {
    /// Its key.
    pub key: String,
    /// What the store calls the whole, if it is an upload in parts.
    pub multipart_id: Option<String>,
    /// How long it has been there, by the store's own clock.
    pub age: chrono::TimeDelta,
}

/// Part of what there is, and where the next part begins.
#[derive(Debug)]
pub struct Page<Next> {
    /// What was found.
    pub found: Vec<Leftover>,
    /// What to ask for next. Nothing if this was all.
    pub next: Option<Next>,
}

/// Where the next page of uploads in parts begins.
#[derive(Debug, Clone)]
pub struct Marker {
    key: String,
    id: String,
}

#[derive(Debug, FromXml)]
#[xml(rename = "ListMultipartUploadsResult", ns("http://s3.amazonaws.com/doc/2006-03-01/"))]
struct Uploads {
    uploads: Vec<UploadEntry>,
    #[xml(rename = "IsTruncated")]
    is_truncated: bool,
    #[xml(rename = "NextKeyMarker")]
    next_key: Option<String>,
    #[xml(rename = "NextUploadIdMarker")]
    next_id: Option<String>,
}

#[derive(Debug, FromXml)]
#[xml(rename = "Upload", ns("http://s3.amazonaws.com/doc/2006-03-01/"))]
struct UploadEntry {
    #[xml(rename = "Key")]
    key: String,
    #[xml(rename = "UploadId")]
    id: String,
    #[xml(rename = "Initiated")]
    initiated: String,
}

impl Bucket {
    /// The objects from `token` on.
    ///
    /// # Errors
    /// The store failed.
    #[instrument(skip(self))]
    pub async fn objects(&self, token: Option<String>) -> Result<Page<String>, BucketError> {
        let mut action = self.inside.list_objects_v2(Some(&self.credentials));
        if let Some(token) = token {
            action.with_continuation_token(token);
        }
        let response = self.client.get(action.sign(OURS)).send().await?;
        let now = clock(&response);
        let page = ListObjectsV2::parse_response(&text(response).await?)?;
        let leftover = |key, modified: Option<&str>| Leftover { key, multipart_id: None, age: age(now, modified) };
        let objects = page.contents.into_iter();
        let found = objects.map(|object| leftover(object.key, object.last_modified.as_deref())).collect();
        Ok(Page { found, next: page.next_continuation_token })
    }

    /// The uploads in parts that are neither finished nor aborted.
    ///
    /// # Errors
    /// The store failed.
    #[instrument(skip(self))]
    pub async fn multipart_uploads(&self, marker: Option<Marker>) -> Result<Page<Marker>, BucketError> {
        // Sorted by name, as signatures want them.
        let mut query = vec![("uploads", "")];
        if let Some(Marker { key, id }) = &marker {
            query = vec![("key-marker", key.as_str()), ("upload-id-marker", id.as_str()), ("uploads", "")];
        }
        let response = self.client.get(self.sign_listing(&query)).send().await?;
        let now = clock(&response);
        let page: Uploads = instant_xml::from_str(&text(response).await?)?;
        let leftover = |entry: UploadEntry| Leftover {
            age: age(now, Some(&entry.initiated)),
            key: entry.key,
            multipart_id: Some(entry.id),
        };
        let next = page.next_key.zip(page.next_id).filter(|_| page.is_truncated);
        Ok(Page {
            found: page.uploads.into_iter().map(leftover).collect(),
            next: next.map(|(key, id)| Marker { key, id }),
        })
    }

    /// A question about the bucket that the library does not know.
    fn sign_listing(&self, query: &[(&str, &str)]) -> url::Url {
        signing::sign(
            &Timestamp::now(),
            Method::Get,
            self.inside.base_url().clone(),
            self.credentials.key(),
            self.credentials.secret(),
            None,
            self.inside.region(),
            OURS.as_secs(),
            query.iter().copied(),
            std::iter::empty(),
        )
    }
}

/// What time it is where the objects got their times. Our own clock may be another.
fn clock(response: &Response) -> DateTime<Utc> {
    let stated = response.headers().get(DATE).and_then(|value| value.to_str().ok());
    let read = stated.and_then(|text| DateTime::parse_from_rfc2822(text).ok());
    read.map_or_else(Utc::now, |date| date.to_utc())
}

/// What has a time that nobody can read is as old as can be told: not at all.
fn age(now: DateTime<Utc>, since: Option<&str>) -> chrono::TimeDelta {
    let since = since.and_then(|text| DateTime::parse_from_rfc3339(text).ok());
    since.map_or(chrono::TimeDelta::zero(), |since| now - since.to_utc())
}

/// Some answers have status 200 and an error inside.
pub fn without_error(answer: &str) -> Result<(), BucketError> {
    if answer.contains("<Error>") { Err(BucketError::Status(StatusCode::INTERNAL_SERVER_ERROR)) } else { Ok(()) }
}
