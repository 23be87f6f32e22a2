//! Makes what was brought a file, if it is what it was said to be.
//!
//! This can be asked for twice at once, and can be ended by a kill between any two steps. So each step can be done again, and
//! only the change of the row's state counts: whoever comes second finds it changed.

use std::collections::BTreeMap;

use tracing::instrument;

use super::inspection::{Finding, inspect};
use super::{UploadError, Uploads, incoming, stored};
use crate::bucket::Copied;
use crate::configuration::User;
use crate::model::{PartPlan, Upload, UploadState};

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completed {
    /// It is a file.
    Yes,
    /// Not all of it is there, or it changed while it was looked at.
    NotYet,
    /// It was not what it was said to be, and is gone.
    Refused(&'static str),
    /// It was ended before.
    Ended,
}

impl Uploads {
    /// Looks at what was brought.
    ///
    /// # Errors
    /// Something failed, and can be tried again.
    #[instrument(skip_all, fields(id = %upload.id))]
    pub async fn complete(&self, owner: &User, upload: &Upload) -> Result<Completed, UploadError> {
        if upload.state != UploadState::Pending {
            return Ok(outcome(upload.state));
        }
        if let (Some(plan), Some(multipart_id)) = (upload.parts, &upload.multipart_id)
            && !self.join(upload, plan, multipart_id).await?
        {
            return self.meanwhile(owner, upload).await;
        }
        let key = incoming(upload.id);
        let Some(object) = self.bucket.get(&key).await? else { return self.meanwhile(owner, upload).await };
        let entity_tag = match inspect(object, &upload.content).await? {
            Finding::Right { entity_tag } => entity_tag,
            Finding::Wrong(why) => return self.refuse(owner, upload, why).await,
        };
        if self.bucket.copy(&key, &stored(upload.id), &entity_tag).await? == Copied::Changed {
            return self.meanwhile(owner, upload).await;
        }
        if !self.store.complete_upload(upload.id).await? {
            let completed = self.meanwhile(owner, upload).await?;
            if completed != Completed::Yes {
                self.bucket.delete(&stored(upload.id)).await?;
            }
            return Ok(completed);
        }
        if let Err(error) = self.bucket.delete(&key).await {
            tracing::warn!(%error, "what was brought is left to the sweeper");
        }
        Ok(Completed::Yes)
    }

    /// Makes one object of the parts. Tells whether all of them are there.
    async fn join(&self, upload: &Upload, plan: PartPlan, multipart_id: &str) -> Result<bool, UploadError> {
        let key = incoming(upload.id);
        // The store no longer knows parts of which it has made one object.
        let Some(there) = self.bucket.parts(&key, multipart_id).await? else { return Ok(true) };
        let wanted = |number: &u16| plan.parts().any(|part| part.number == *number);
        let there: BTreeMap<u16, String> = there.into_iter().filter(|(number, _)| wanted(number)).collect();
        if there.len() < plan.parts().count() {
            return Ok(false);
        }
        self.bucket.finish_multipart(&key, multipart_id, &there).await?;
        Ok(true)
    }

    async fn refuse(&self, owner: &User, upload: &Upload, why: &'static str) -> Result<Completed, UploadError> {
        if !self.store.fail_upload(upload.id).await? {
            return self.meanwhile(owner, upload).await;
        }
        tracing::info!(why, "an upload was refused");
        self.discard(upload).await?;
        Ok(Completed::Refused(why))
    }

    /// What has become of it while we were at it.
    async fn meanwhile(&self, owner: &User, upload: &Upload) -> Result<Completed, UploadError> {
        let now = self.store.upload(owner, upload.id).await?;
        Ok(now.map_or(Completed::Ended, |now| outcome(now.state)))
    }
}

fn outcome(state: UploadState) -> Completed {
    match state {
        UploadState::Pending => Completed::NotYet,
        UploadState::Complete => Completed::Yes,
        UploadState::Failed => Completed::Refused("it was not what it was said to be"),
        UploadState::Expired | UploadState::Cancelled => Completed::Ended,
    }
}
