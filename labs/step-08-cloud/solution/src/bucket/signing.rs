//! Requests that others may send.

use std::collections::BTreeMap;
use std::time::Duration;

use rusty_s3::S3Action;
use serde::Serialize;
use url::Url;

use super::Bucket;
use crate::model::{MediaType, Part};

/// A request that is good as it is, and not otherwise: each of the headers is signed.
#[derive(Debug, Clone, Serialize)]
pub struct SignedRequest {
    method: &'static str,
    url: String,
    headers: BTreeMap<&'static str, String>,
}

impl Bucket {
    /// An upload of one object of this type and size.
    pub fn sign_put(&self, key: &str, media_type: MediaType, size: u64, good_for: Duration) -> SignedRequest {
        let headers = [("content-length", size.to_string()), ("content-type", media_type.as_str().to_owned())];
        signed(self.outside.put_object(Some(&self.credentials), key), headers, good_for)
    }

    /// An upload of one part. The type is known since the whole was begun.
    pub fn sign_part(&self, key: &str, multipart_id: &str, part: Part, good_for: Duration) -> SignedRequest {
        let action = self.outside.upload_part(Some(&self.credentials), key, part.number, multipart_id);
        signed(action, [("content-length", part.size.to_string())], good_for)
    }

    /// A download, whose answer will have this `Content-Disposition`.
    pub fn sign_get(&self, key: &str, disposition: &str, good_for: Duration) -> Url {
        let mut action = self.outside.get_object(Some(&self.credentials), key);
        action.query_mut().insert("response-content-disposition", disposition);
        sign(&action, good_for)
    }
}

fn signed<'a, const N: usize>(
    mut action: impl S3Action<'a>,
    headers: [(&'static str, String); N],
    good_for: Duration,
) -> SignedRequest {
    for (name, value) in &headers {
        action.headers_mut().insert(*name, value.clone());
    }
    SignedRequest { method: "PUT", url: sign(&action, good_for).into(), headers: headers.into() }
}

/// Signatures count in whole seconds, and at least one.
fn sign<'a>(action: &impl S3Action<'a>, good_for: Duration) -> Url {
    action.sign(good_for.max(Duration::from_secs(1)))
}
