//! Uploads in parts: each part is an upload of its own, and in the end the store makes one object of them.

use std::collections::BTreeMap;

use rusty_s3::S3Action as _;
use rusty_s3::actions::{CreateMultipartUpload, ListParts};
use tracing::instrument;

use super::{Bucket, BucketError, OURS, found, listing, text};
use crate::model::MediaType;

impl Bucket {
    /// Begins one, and tells what the store calls it.
    ///
    /// # Errors
    /// The store failed.
    #[instrument(skip(self))]
    pub async fn begin_multipart(&self, key: &str, media_type: MediaType) -> Result<String, BucketError> {
        let mut action = self.inside.create_multipart_upload(Some(&self.credentials), key);
        action.headers_mut().insert("content-type", media_type.as_str());
        let request = self.client.post(action.sign(OURS)).header("content-type", media_type.as_str());
        let answer = text(request.send().await?).await?;
        Ok(CreateMultipartUpload::parse_response(&answer)?.upload_id().to_owned())
    }

    /// The parts that the store has: each one's number and entity tag. Nothing if it knows no such upload, or no longer.
    ///
    /// # Errors
    /// The store failed.
    #[instrument(skip(self))]
    pub async fn parts(&self, key: &str, id: &str) -> Result<Option<BTreeMap<u16, String>>, BucketError> {
        let mut parts = BTreeMap::new();
        let mut marker = None;
        loop {
            let mut action = self.inside.list_parts(Some(&self.credentials), key, id);
            if let Some(marker) = marker {
                action.set_part_number_marker(marker);
            }
            let Some(response) = found(self.client.get(action.sign(OURS)).send().await?)? else { return Ok(None) };
            let page = ListParts::parse_response(&text(response).await?)?;
            parts.extend(page.parts.into_iter().map(|part| (part.number, part.etag)));
            marker = page.next_part_number_marker;
            if marker.is_none() {
                return Ok(Some(parts));
            }
        }
    }

    /// Makes one object of the parts. Whether it is there then, tells a look at the object: an upload that the store no
    /// longer knows may have become one before.
    ///
    /// # Errors
    /// The store failed.
    #[instrument(skip(self, parts))]
    pub async fn finish_multipart(
        &self,
        key: &str,
        id: &str,
        parts: &BTreeMap<u16, String>,
    ) -> Result<(), BucketError> {
        // Parts are numbered without a gap from 1, which is how the action numbers these.
        let tags = parts.values().map(String::as_str);
        let action = self.inside.complete_multipart_upload(Some(&self.credentials), key, id, tags);
        let url = action.sign(OURS);
        match found(self.client.post(url).body(action.body()).send().await?)? {
            // S3 begins to answer before it knows the end, so that an error may come with status 200.
            Some(response) => listing::without_error(&text(response).await?),
            None => Ok(()),
        }
    }

    /// Throws the parts away.
    ///
    /// # Errors
    /// The store failed.
    #[instrument(skip(self))]
    pub async fn abort_multipart(&self, key: &str, id: &str) -> Result<(), BucketError> {
        let url = self.inside.abort_multipart_upload(Some(&self.credentials), key, id).sign(OURS);
        found(self.client.delete(url).send().await?)?;
        Ok(())
    }
}
