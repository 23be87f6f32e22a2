//! Uploads: what a client says that it will bring, and what has become of it.

use std::num::NonZeroU64;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Invalid, MediaType, is_line};

/// The name that a file has for people. It is shown, and is part of no key and of no path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileName(String);

impl FileName {
    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for FileName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        if is_line(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid("name has 1 to 200 characters, none of them a control character"))
        }
    }
}

/// A SHA-256 hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sha256(pub [u8; 32]);

impl FromStr for Sha256 {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let mut hash = [0; 32];
        hex::decode_to_slice(text, &mut hash).map_err(|_| Invalid("sha256 has 64 hexadecimal digits"))?;
        Ok(Self(hash))
    }
}

/// What a client says about the bytes. Nothing of it is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Content {
    /// What kind of file it is.
    pub media_type: MediaType,
    /// How many bytes it has.
    pub size: u64,
    /// What they hash to.
    pub sha256: Sha256,
}

/// An upload as a client asks for it.
#[derive(Debug, Clone, Deserialize)]
pub struct UploadRequest {
    name: String,
    #[serde(rename = "type")]
    media_type: String,
    size: u64,
    sha256: String,
}

/// An upload to be made.
#[derive(Debug, Clone)]
pub struct NewUpload {
    /// What people call it.
    pub name: FileName,
    /// What it will be.
    pub content: Content,
}

impl UploadRequest {
    /// The upload, if there can be such a one.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(&self, max_bytes: NonZeroU64) -> Result<NewUpload, Invalid> {
        if !(1..=max_bytes.get()).contains(&self.size) {
            return Err(Invalid("size is at least 1, and not more than we take"));
        }
        let media_type = self.media_type.parse().map_err(|_| Invalid("type is none that we take"))?;
        let content = Content { media_type, size: self.size, sha256: self.sha256.parse()? };
        Ok(NewUpload { name: self.name.parse()?, content })
    }
}

/// What has become of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, sqlx::Type)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum UploadState {
    /// It may still come.
    Pending,
    /// It is a file.
    Complete,
    /// It was not what it was said to be.
    Failed,
    /// It did not come in time.
    Expired,
    /// Its owner wants it no more.
    Cancelled,
}

/// An upload that was begun.
#[derive(Debug, Clone)]
pub struct Upload {
    /// Its id, and that of the file that it becomes.
    pub id: Uuid,
    /// What it will be.
    pub content: Content,
    /// How it is divided, if it comes in parts.
    pub parts: Option<PartPlan>,
    /// What the object store calls the parts' whole.
    pub multipart_id: Option<String>,
    /// What has become of it.
    pub state: UploadState,
    /// How long it may be brought.
    pub expires_at: DateTime<Utc>,
}

/// How an upload is divided: all parts have one size but the last, which is the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartPlan {
    /// How many bytes there are.
    pub total: u64,
    /// How many are in each part but the last.
    pub part_size: NonZeroU64,
}

/// A part that is to be brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Its number, from 1.
    pub number: u16,
    /// How many bytes it has.
    pub size: u64,
}

impl PartPlan {
    /// How S3 counts them: no more than 10,000.
    const MOST: u64 = 10_000;

    /// A division that S3 takes.
    ///
    /// # Errors
    /// There would be too many parts.
    pub fn new(total: u64, part_size: NonZeroU64) -> Result<Self, Invalid> {
        if total.div_ceil(part_size.get()) > Self::MOST {
            return Err(Invalid("size makes too many parts"));
        }
        Ok(Self { total, part_size })
    }

    /// All parts, in order.
    pub fn parts(self) -> impl Iterator<Item = Part> {
        let size = self.part_size.get();
        let rest = move |number: u16| self.total.saturating_sub(u64::from(number - 1) * size);
        (1..=u16::MAX).map(move |number| Part { number, size: rest(number).min(size) }).take_while(|part| part.size > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(total: u64, part_size: u64) -> Vec<u64> {
        let plan = PartPlan::new(total, NonZeroU64::new(part_size).unwrap()).unwrap();
        plan.parts().map(|part| part.size).collect()
    }

    #[test]
    fn the_last_part_is_the_rest() {
        assert_eq!(sizes(10, 4), [4, 4, 2]);
        assert_eq!(sizes(8, 4), [4, 4]);
        assert_eq!(sizes(1, 4), [1]);
        assert_eq!(sizes(10_000, 1).len(), 10_000);
        assert!(PartPlan::new(10_001, NonZeroU64::MIN).is_err());
    }

    #[test]
    fn a_request_that_makes_no_sense_is_no_upload() {
        let max = NonZeroU64::new(100).unwrap();
        let request = |name: &str, media_type: &str, size: u64, sha256: &str| UploadRequest {
            name: name.into(),
            media_type: media_type.into(),
            size,
            sha256: sha256.into(),
        };
        let hash = "ab".repeat(32);
        assert!(request("../a b", "text/html", 100, &hash).parse(max).is_ok());
        assert!(request("", "text/html", 100, &hash).parse(max).is_err());
        assert!(request("a\nb", "text/html", 100, &hash).parse(max).is_err());
        assert!(request("a", "text/xml", 100, &hash).parse(max).is_err());
        assert!(request("a", "text/html", 0, &hash).parse(max).is_err());
        assert!(request("a", "text/html", 101, &hash).parse(max).is_err());
        assert!(request("a", "text/html", 1, &hash[1..]).parse(max).is_err());
    }
}
