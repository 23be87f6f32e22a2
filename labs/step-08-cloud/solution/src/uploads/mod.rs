//! What becomes of what clients bring: they are told where to, and what they have brought is looked at before it counts.
//!
//! What comes lies under `incoming/`, where whoever has the signed request may overwrite it until its time is over. What was
//! found right is copied to `files/`, for which nobody ever gets a request that writes.

mod complete;
mod inspection;

use std::time::Duration;

use chrono::Utc;
use serde::Serialize;
use tracing::instrument;
use uuid::Uuid;

pub use complete::Completed;

use crate::bucket::{Bucket, BucketError, SignedRequest};
use crate::configuration::{UploadSettings, User};
use crate::model::{Invalid, NewUpload, PartPlan, Upload, UploadRequest, UploadState};
use crate::store::{Store, StoreError};

/// Where what comes lies, until it was looked at.
pub fn incoming(id: Uuid) -> String {
    format!("incoming/{id}")
}

/// Where what was found right lies.
pub fn stored(id: Uuid) -> String {
    format!("files/{id}")
}

/// Takes uploads. Clones share the connections.
#[derive(Clone)]
pub struct Uploads {
    store: Store,
    bucket: Bucket,
    settings: UploadSettings,
}

/// Why something could not be done with an upload.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// There can be no such upload.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The object store failed.
    #[error(transparent)]
    Bucket(#[from] BucketError),
}

/// How an upload is to be brought.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Instructions {
    /// By one request.
    Whole(SignedRequest),
    /// By one request for each part.
    Parts {
        /// All parts, in order.
        parts: Vec<PartInstructions>,
    },
    /// Not at all, or not any more.
    None {},
}

/// One part, and how it is to be brought.
#[derive(Debug, Serialize)]
pub struct PartInstructions {
    number: u16,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    done: Option<bool>,
    #[serde(flatten)]
    request: Option<SignedRequest>,
}

impl Uploads {
    /// Over this database and this bucket.
    pub fn new(store: Store, bucket: Bucket, settings: UploadSettings) -> Self {
        Self { store, bucket, settings }
    }

    /// Begins an upload.
    ///
    /// # Errors
    /// It makes no sense, or something failed.
    #[instrument(skip_all)]
    pub async fn open(&self, owner: &User, request: &UploadRequest) -> Result<(Upload, Instructions), UploadError> {
        let new = request.parse(self.settings.max_bytes)?;
        let plan = self.plan(&new)?;
        let expires = self.settings.expires.duration();
        let mut upload = self.store.open_upload(owner, &new, plan, expires).await?;
        let key = incoming(upload.id);
        let Some(plan) = plan else {
            let request = self.bucket.sign_put(&key, new.content.media_type, new.content.size, expires);
            return Ok((upload, Instructions::Whole(request)));
        };
        let multipart_id = self.bucket.begin_multipart(&key, new.content.media_type).await?;
        self.store.name_multipart(upload.id, &multipart_id).await?;
        let parts = plan.parts().map(|part| PartInstructions {
            number: part.number,
            size: part.size,
            done: None,
            request: Some(self.bucket.sign_part(&key, &multipart_id, part, expires)),
        });
        let parts = parts.collect();
        upload.multipart_id = Some(multipart_id);
        Ok((upload, Instructions::Parts { parts }))
    }

    fn plan(&self, new: &NewUpload) -> Result<Option<PartPlan>, Invalid> {
        let size = new.content.size;
        (size > self.settings.multipart_above.get()).then(|| PartPlan::new(size, self.settings.part_size)).transpose()
    }

    /// What of a pending upload is there, and how the rest is to be brought. That holds no longer than the upload does.
    ///
    /// # Errors
    /// Something failed.
    #[instrument(skip_all, fields(id = %upload.id))]
    pub async fn resume(&self, upload: &Upload) -> Result<Instructions, UploadError> {
        let (UploadState::Pending, Some(plan)) = (upload.state, upload.parts) else { return Ok(Instructions::None {}) };
        let key = incoming(upload.id);
        let there = match &upload.multipart_id {
            Some(id) => self.bucket.parts(&key, id).await?,
            None => None,
        };
        // The store knows no parts of what has become one object.
        let whole = there.is_none() && self.bucket.has(&key).await?;
        let left = (upload.expires_at - Utc::now()).to_std().ok().filter(|left| *left >= Duration::from_secs(1));
        let instructions = |part: crate::model::Part| {
            let done = whole || there.as_ref().is_some_and(|there| there.contains_key(&part.number));
            let sign = |(id, left): (&String, _)| self.bucket.sign_part(&key, id, part, left);
            let request = upload.multipart_id.as_ref().zip(left).filter(|_| !done).map(sign);
            PartInstructions { number: part.number, size: part.size, done: Some(done), request }
        };
        Ok(Instructions::Parts { parts: plan.parts().map(instructions).collect() })
    }

    /// Ends an upload, of which nothing stays. Tells whether that was possible: what is complete is a file.
    ///
    /// # Errors
    /// Something failed. What is left then, is swept.
    #[instrument(skip_all, fields(id = %upload.id))]
    pub async fn cancel(&self, upload: &Upload) -> Result<bool, UploadError> {
        if !self.store.cancel_upload(upload.id).await? {
            return Ok(false);
        }
        self.discard(upload).await?;
        Ok(true)
    }

    /// Removes what was brought.
    async fn discard(&self, upload: &Upload) -> Result<(), BucketError> {
        let key = incoming(upload.id);
        if let Some(id) = &upload.multipart_id {
            self.bucket.abort_multipart(&key, id).await?;
        }
        self.bucket.delete(&key).await
    }
}
