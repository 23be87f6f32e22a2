//! Signatures in the query of a request (AWS Signature Version 4, "Authenticating Requests: Using Query Parameters"). They
//! open the gateway's interface for users as well as the one for objects.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest as _, Sha256};

/// All but the unreserved characters of RFC 3986 §2.3 are escaped.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The same in a path, whose slashes stay.
const ESCAPED_IN_PATH: &AsciiSet = &ESCAPED.remove(b'/');
/// The field that names what is to be copied.
pub(super) const COPY_SOURCE: &str = "x-amz-copy-source";
/// How long one is good for: it is used at once.
const SECONDS: u32 = 300;

/// Who signs, and for which region.
#[derive(Clone)]
pub(super) struct Signer {
    pub access_key: String,
    pub secret_key: String,
    pub region: String,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").field("access_key", &self.access_key).finish_non_exhaustive()
    }
}

impl Signer {
    /// The signed target, path with query, of a request of `method` to `host` for `path` (without escapes) and `query`.
    pub fn target(&self, method: &str, host: &str, path: &str, query: &[(&str, &str)], at: DateTime<Utc>) -> String {
        self.target_for(method, host, path, (query, None), (at, SECONDS))
    }

    /// The same of a request that has the store copy the object at `source`, as its field [`COPY_SOURCE`] says.
    pub fn target_of_copy(&self, host: &str, path: &str, source: &str, at: DateTime<Utc>) -> String {
        self.target_for("PUT", host, path, (&[], Some(source)), (at, SECONDS))
    }

    fn target_for(
        &self,
        method: &str,
        host: &str,
        path: &str,
        (query, source): (&[(&str, &str)], Option<&str>),
        (at, seconds): (DateTime<Utc>, u32),
    ) -> String {
        let (signed, field) = match source {
            Some(source) => (format!("host;{COPY_SOURCE}"), format!("{COPY_SOURCE}:{source}\n")),
            None => ("host".to_owned(), String::new()),
        };
        let (day, moment) = (at.format("%Y%m%d").to_string(), at.format("%Y%m%dT%H%M%SZ").to_string());
        let scope = format!("{day}/{}/s3/aws4_request", self.region);
        let credential = format!("{}/{scope}", self.access_key);
        let seconds = seconds.to_string();
        let mut pairs = query.to_vec();
        pairs.extend([
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
            ("X-Amz-Credential", credential.as_str()),
            ("X-Amz-Date", moment.as_str()),
            ("X-Amz-Expires", seconds.as_str()),
            ("X-Amz-SignedHeaders", signed.as_str()),
        ]);
        let mut pairs: Vec<String> =
            pairs.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect();
        pairs.sort();
        let (path, query) = (utf8_percent_encode(path, ESCAPED_IN_PATH).to_string(), pairs.join("&"));
        let canonical = format!("{method}\n{path}\n{query}\nhost:{host}\n{field}\n{signed}\nUNSIGNED-PAYLOAD");
        let digest = hex::encode(Sha256::digest(canonical));
        let to_sign = format!("AWS4-HMAC-SHA256\n{moment}\n{scope}\n{digest}");
        let key = [day.as_str(), &self.region, "s3", "aws4_request"]
            .iter()
            .fold(format!("AWS4{}", self.secret_key).into_bytes(), |key, part| mac(&key, part));
        let mut target = format!("{path}?{query}");
        let _ = write!(target, "&X-Amz-Signature={}", hex::encode(mac(&key, &to_sign)));
        target
    }
}

fn escaped(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    // Keys of any length serve.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone as _;

    use super::*;

    /// The example of Amazon's own documentation.
    #[test]
    fn a_request_is_signed_as_the_documentations_example_is() {
        let signer = Signer {
            access_key: "AKIAIOSFODNN7EXAMPLE".into(),
            secret_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into(),
            region: "us-east-1".into(),
        };
        let at = Utc.with_ymd_and_hms(2013, 5, 24, 0, 0, 0).unwrap();
        let target = signer.target_for("GET", "examplebucket.s3.amazonaws.com", "/test.txt", (&[], None), (at, 86_400));
        let signature = "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
        assert!(target.ends_with(&format!("&X-Amz-Signature={signature}")), "{target}");
    }
}
