//! The object store of one run, as its administrator: buckets and users are made and removed.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::Utc;
use lab_check::naming::RunKey;
use lab_check::service::Access;
use lab_check::transcript::Transcript;
use lab_check::{CheckResult, Failure, Ours as _};
use lab_http::{Peer, Request, Response};
use lab_sandbox::Network;
use url::Url;

use super::room;
use super::signature::{COPY_SOURCE, Signer};
use super::xml;

/// The region that is signed for where the administrator's URL names none.
const REGION: &str = "us-east-1";
/// How long the store may take to answer its administrator.
const TIMEOUT: Duration = Duration::from_secs(20);
/// How long what was written may take to be removed, after those who wrote it have ended.
const CALM: Duration = Duration::from_secs(20);
/// From one look at that to the next.
const ASK_AGAIN: Duration = Duration::from_millis(250);
/// How long a new key may take until it opens the store.
const SETTLE: Duration = Duration::from_secs(10);

/// The object store of one run. Clones share it.
#[derive(Debug, Clone)]
pub struct Stores {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    key: RunKey,
    version: String,
    gateway: Gateway,
    admin: Signer,
    next: AtomicU64,
}

/// Where the store itself listens.
#[derive(Debug, Clone, Copy)]
struct Gateway(SocketAddr);

/// A bucket and whoever may use it.
#[derive(Debug, Clone)]
pub(super) struct Share {
    pub bucket: String,
    pub user: String,
    pub signer: Signer,
}

impl Stores {
    /// Connects to the store at the administrator's URL, which holds its keys: `http://ACCESS:SECRET@host:port/`, with
    /// `?region=` where it is not us-east-1. Users are made by the interface of AWS's IAM, which it has to have at the same
    /// address.
    ///
    /// # Errors
    /// Ours, if it cannot be reached or does not know its administrator.
    pub async fn by(access: &Access) -> CheckResult<Self> {
        let url = Url::parse(&access.url).ours("reading the URL of the object store")?;
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
            return Err(Failure::Ours("the URL of the object store has no host".into()));
        };
        let found = tokio::net::lookup_host((host.trim_matches(['[', ']']), port)).await;
        let upstream = found.ours("looking up the object store")?.next();
        let upstream = upstream.ok_or_else(|| Failure::Ours("the object store has no address".into()))?;
        let region = url.query_pairs().find(|(name, _)| name == "region").map(|(_, value)| value.into_owned());
        let plain = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
        let admin = Signer {
            access_key: plain(url.username()),
            secret_key: plain(url.password().unwrap_or_default()),
            region: region.unwrap_or_else(|| REGION.to_owned()),
        };
        let gateway = Gateway(upstream);
        let answer = gateway.ask(&admin, "GET", "/", &[], None).await?;
        expect(&answer, &[200], "listing the buckets")?;
        let (key, version, next) = (RunKey::of(&access.run), version(&answer), AtomicU64::new(1));
        Ok(Self { inner: Arc::new(Inner { key, version, gateway, admin, next }) })
    }

    /// What the store says it is, such as `SeaweedFS 4.48`.
    pub fn version(&self) -> &str {
        &self.inner.version
    }

    /// Whether it answers.
    pub async fn is_alive(&self) -> bool {
        let answer = self.act("GET", "/", &[], None).await;
        answer.is_ok_and(|answer| answer.status() == 200)
    }

    /// Removes all buckets and users of this run.
    ///
    /// # Errors
    /// Ours, if one cannot be removed.
    pub async fn remove_all(&self) -> CheckResult {
        let answer = self.act("GET", "/", &[], None).await?;
        for bucket in xml::elements(&answer.text(), "Bucket")? {
            let name = bucket.text("Name").to_owned();
            if name.starts_with(&self.prefix()) {
                self.remove(&Share { user: name.clone(), bucket: name, signer: self.inner.admin.clone() }).await?;
            }
        }
        Ok(())
    }

    /// Waits a while until the store keeps what it is sent. Tells that it does not, if others go on filling it.
    pub(super) async fn until_calm(&self) -> Option<String> {
        let deadline = std::time::Instant::now() + CALM;
        loop {
            if self.keeps_more().await {
                return None;
            }
            if std::time::Instant::now() >= deadline {
                return Some(room::FULL.to_owned());
            }
            tokio::time::sleep(ASK_AGAIN).await;
        }
    }

    /// Whether there is room, as writing shows. Each bucket has room of its own, so that a new one is asked.
    async fn keeps_more(&self) -> bool {
        let name = format!("{}calm{}", self.prefix(), self.inner.next.fetch_add(1, Ordering::Relaxed));
        let is_fine = |answer: CheckResult<Response>| answer.is_ok_and(|answer| answer.status() == 200);
        let path = format!("/{name}");
        let keeps = is_fine(self.act("PUT", &path, &[], None).await)
            && is_fine(self.act("PUT", &format!("{path}/room"), &[], Some(b"room")).await);
        let _ = self.remove(&Share { user: name.clone(), bucket: name, signer: self.inner.admin.clone() }).await;
        keeps
    }

    /// Makes a bucket, and a user who may do everything in it and nothing elsewhere.
    pub(super) async fn share(&self) -> CheckResult<Share> {
        let number = self.inner.next.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}{number}", self.prefix());
        let answer = self.act("PUT", &format!("/{name}"), &[], None).await?;
        expect(&answer, &[200], "making a bucket")?;
        self.manage("CreateUser", &[("UserName", &name)]).await?;
        let policy = serde_json::json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Action": ["s3:*"],
                "Resource": [format!("arn:aws:s3:::{name}"), format!("arn:aws:s3:::{name}/*")],
            }],
        });
        let policy = policy.to_string();
        self.manage("PutUserPolicy", &[("UserName", &name), ("PolicyName", "own"), ("PolicyDocument", &policy)])
            .await?;
        let made = self.manage("CreateAccessKey", &[("UserName", &name)]).await?;
        let made = made.text();
        let signer = Signer {
            access_key: xml::text(&made, "AccessKeyId")?,
            secret_key: xml::text(&made, "SecretAccessKey")?,
            region: self.inner.admin.region.clone(),
        };
        let share = Share { bucket: name.clone(), user: name, signer };
        self.until_open(&share).await?;
        Ok(share)
    }

    /// Waits until the store has heard of a new key: it may be a moment late.
    async fn until_open(&self, share: &Share) -> CheckResult {
        let deadline = std::time::Instant::now() + SETTLE;
        loop {
            let path = format!("/{}", share.bucket);
            let answer = self.inner.gateway.ask(&share.signer, "GET", &path, &[("list-type", "2")], None).await?;
            if answer.status() == 200 {
                return Ok(());
            }
            if std::time::Instant::now() > deadline {
                return expect(&answer, &[200], "using a new key");
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Removes a bucket with all that is in it, and its user.
    pub(super) async fn remove(&self, share: &Share) -> CheckResult {
        let Share { bucket, user, .. } = share;
        let path = format!("/{bucket}");
        for upload in self.uploads(bucket).await.unwrap_or_default() {
            let query = [("uploadId", upload.text("UploadId"))];
            let path = format!("/{bucket}/{}", upload.text("Key"));
            let _ = self.act("DELETE", &path, &query, None).await;
        }
        let mut answer = self.act("DELETE", &path, &[], None).await?;
        if answer.status() == 409 {
            // Not every store removes a bucket with what is in it.
            for object in self.objects(bucket).await? {
                let path = format!("/{bucket}/{}", object.text("Key"));
                let _ = self.act("DELETE", &path, &[], None).await?;
            }
            answer = self.act("DELETE", &path, &[], None).await?;
        }
        expect(&answer, &[200, 204, 404], "removing a bucket")?;
        if share.signer.access_key != self.inner.admin.access_key {
            let key = [("UserName", user.as_str()), ("AccessKeyId", &share.signer.access_key)];
            let _ = self.manage("DeleteAccessKey", &key).await;
        }
        let _ = self.manage("DeleteUserPolicy", &[("UserName", user), ("PolicyName", "own")]).await;
        let _ = self.manage("DeleteUser", &[("UserName", user)]).await;
        Ok(())
    }

    /// All objects of a bucket, page by page.
    pub(super) async fn objects(&self, bucket: &str) -> CheckResult<Vec<xml::Element>> {
        let (path, mut found, mut token) = (format!("/{bucket}"), Vec::new(), String::new());
        loop {
            let mut query = vec![("list-type", "2")];
            if !token.is_empty() {
                query.push(("continuation-token", &token));
            }
            let answer = self.act("GET", &path, &query, None).await?;
            expect(&answer, &[200], "listing a bucket")?;
            let text = answer.text();
            found.extend(xml::elements(&text, "Contents")?);
            if xml::text(&text, "IsTruncated")? != "true" {
                return Ok(found);
            }
            token = xml::text(&text, "NextContinuationToken")?;
        }
    }

    /// The multipart uploads of a bucket that are neither complete nor aborted.
    pub(super) async fn uploads(&self, bucket: &str) -> CheckResult<Vec<xml::Element>> {
        let answer = self.act("GET", &format!("/{bucket}"), &[("uploads", "")], None).await?;
        expect(&answer, &[200], "listing multipart uploads")?;
        xml::elements(&answer.text(), "Upload")
    }

    /// Does something of the administrator's with a bucket or an object.
    pub(super) async fn act(
        &self,
        method: &str,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> CheckResult<Response> {
        self.inner.gateway.ask(&self.inner.admin, method, path, query, body).await
    }

    /// Has the store copy an object: `from` and `to` are paths with their buckets.
    pub(super) async fn copy(&self, from: &str, to: &str) -> CheckResult<Response> {
        let gateway = &self.inner.gateway;
        let target = self.inner.admin.target_of_copy(&gateway.0.to_string(), to, from, Utc::now());
        asked(gateway.request("PUT", target).header(COPY_SOURCE, from)).await
    }

    /// Where the store itself listens.
    pub(super) fn upstream(&self) -> SocketAddr {
        self.inner.gateway.0
    }

    /// What the names of this run's buckets and users begin with. A bucket's name holds no underscore.
    fn prefix(&self) -> String {
        format!("lab-{}-", self.inner.key.hex())
    }

    /// An action of AWS's IAM.
    async fn manage(&self, action: &str, parameters: &[(&str, &str)]) -> CheckResult<Response> {
        let always = [("Action", action), ("Version", "2010-05-08")];
        let form =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(always.iter().chain(parameters)).finish();
        let answer = self.act("POST", "/", &[], Some(form.as_bytes())).await?;
        expect(&answer, &[200], &format!("{action} of the object store's IAM"))?;
        Ok(answer)
    }
}

impl Gateway {
    /// Sends a request that `signer` signs.
    async fn ask(
        &self,
        signer: &Signer,
        method: &str,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> CheckResult<Response> {
        let mut request = self.request(method, signer.target(method, &self.0.to_string(), path, query, Utc::now()));
        if let Some(body) = body {
            request = request.body(body, "application/x-www-form-urlencoded");
        }
        asked(request).await
    }

    /// A request for what was signed, to be sent.
    fn request(&self, method: &str, target: String) -> Request {
        let peer = Peer {
            address: self.0,
            network: Network::of_this_machine(),
            agent: "lab",
            // What the administrator does is no part of what happened.
            transcript: Transcript::default(),
            by_hand: String::new(),
        };
        Request::new(peer, method, target).within(TIMEOUT)
    }
}

/// The answer to a request of the administrator's.
async fn asked(request: Request) -> CheckResult<Response> {
    request.await.map_err(|failure| match failure {
        Failure::Learner(explanation) => Failure::Ours(format!("asking the object store: {}", explanation.message)),
        other => other,
    })
}

/// Our own fault, unless the answer has one of `allowed`.
pub(super) fn expect(answer: &Response, allowed: &[u16], what: &str) -> CheckResult {
    if allowed.contains(&answer.status()) {
        return Ok(());
    }
    let text: String = answer.text().chars().take(400).collect();
    Err(Failure::Ours(format!("{what}: the object store answers {}: {text}", answer.status())))
}

/// `SeaweedFS 8000GB 4.48`, as its `Server` field says: the number in the middle is how much it can hold.
fn version(answer: &Response) -> String {
    let server = answer.header("server").unwrap_or("an object store");
    let words: Vec<&str> = server.split_whitespace().filter(|word| !word.ends_with("GB")).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use lab_test_services::PrivateService;

    use super::*;
    use crate::Store;

    /// Its room is in files of 32 MiB, of which each bucket has one at least: many small buckets fill it as a large one does,
    /// and sooner. A submission fills it by what it has the store copy.
    #[tokio::test(flavor = "multi_thread")]
    #[ignore = "fills a store, for a minute; .ci/run asks it in a step of its own"]
    async fn who_meets_a_store_that_is_full_is_told_so_and_goes_on_when_there_is_room_again() {
        let service = PrivateService::start("s3");
        let stores = Stores::by(&Access::to(service.url(), "a nonce")).await.unwrap();
        let one = Store::create(&stores, Transcript::default()).await.unwrap();
        let bucket = |number: u32| format!("/{}fill{number}", stores.prefix());
        let mut full = 0;
        loop {
            let (path, object) = (bucket(full), format!("{}/x", bucket(full)));
            stores.act("PUT", &path, &[], None).await.unwrap();
            if stores.act("PUT", &object, &[], Some(b"x")).await.unwrap().status() == 500 {
                break;
            }
            full += 1;
        }
        assert!((100..=128).contains(&full), "{full} files of 32 MiB");
        assert!(matches!(one.put("x", b"x").await, Err(Failure::Ours(_))));
        assert_eq!((one.shortage(), one.service_error()), (Some(room::FULL.to_owned()), None));
        assert!(stores.is_alive().await && !stores.keeps_more().await);
        let name = bucket(0)[1..].to_owned();
        stores.remove(&Share { user: name.clone(), bucket: name, signer: stores.inner.admin.clone() }).await.unwrap();
        assert_eq!(stores.until_calm().await, None);
        one.put("x", b"x").await.unwrap();
        one.copy("x", "y").await.unwrap();
    }
}
