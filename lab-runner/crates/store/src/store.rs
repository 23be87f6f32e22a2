//! One check's own bucket.

use std::net::SocketAddr;
use std::sync::Arc;

use lab_check::transcript::Transcript;
use lab_check::{CheckResult, Ours as _};
use lab_http::{Peer, Request};
use lab_proxy::{Counted, Failpoints, Proxy, Upstream};
use lab_sandbox::Network;

use super::room::{self, Refused, Watched};
use super::stores::{Share, Stores, expect};

/// One check's own bucket, and the proxies through which the server under test and its clients reach it.
///
/// What is asked through this type is asked as administrator and around the proxies: it is neither counted nor hit by
/// their faults. [`Self::request`] is the exception: what a client does.
///
/// ```
/// # use lab_store::LabStore as _;
/// # use lab_kit::prelude::*;
/// # async fn example(lab: &Lab, app: &App, target: &str) -> CheckResult<()> {
/// let store = lab.store().await?;
/// let before = store.traffic();
/// store.request("PUT", target).raw_body("hello").await?.expect_status(200)?;
/// app.post("/uploads/1/complete").await?.expect_status(200)?;
/// expect_that(store.traffic().server_sent - before.server_sent < 4096, "the server sends no bytes of the file")?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Store {
    stores: Stores,
    share: Share,
    server: Way,
    public: Way,
    /// Whether the store has refused to keep what the check, its server or a client of it was to write.
    refused: Refused,
    url: String,
    transcript: Transcript,
}

/// One way to the store.
#[derive(Debug)]
struct Way {
    proxy: Proxy,
    passed: Counted,
}

/// An object, as the store lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its key.
    pub key: String,
    /// Its size, in bytes.
    pub size: u64,
    /// What tells its content from another, without quotes.
    pub etag: String,
}

/// A multipart upload that is neither complete nor aborted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// The key that it is for.
    pub key: String,
    /// What the store knows it by.
    pub id: String,
}

/// How many bytes have passed so far, heads included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// From the server under test to the store.
    pub server_sent: u64,
    /// From the store to the server under test.
    pub server_received: u64,
    /// From clients to the store.
    pub public_sent: u64,
    /// From the store to clients.
    pub public_received: u64,
}

impl Way {
    fn open(name: &str, stores: &Stores, refused: &Refused, transcript: &Transcript) -> CheckResult<Self> {
        let passed = Counted::at_most(room::MOST);
        let upstream = Upstream::Tcp(stores.upstream().ip().to_string(), stores.upstream().port());
        let protocol = Arc::new(Watched { passed: passed.clone(), refused: refused.clone() });
        let proxy = Proxy::start(name, upstream, protocol, Failpoints::default(), transcript.clone());
        Ok(Self { proxy: proxy.ours("opening a port for a proxy of the object store")?, passed })
    }
}

impl Store {
    /// Makes a bucket. A check gets its own from [`crate::LabStore::store`].
    ///
    /// # Errors
    /// Ours, if none can be made.
    pub async fn create(stores: &Stores, transcript: Transcript) -> CheckResult<Self> {
        let share = stores.share().await?;
        let refused = Refused::default();
        let server = Way::open("the object store", stores, &refused, &transcript)?;
        let public = Way::open("the object store's public side", stores, &refused, &transcript)?;
        let url = format!("http://{}", server.proxy.address());
        Ok(Self { stores: stores.clone(), share, server, public, refused, url, transcript })
    }

    /// The endpoint that the server under test talks to.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The bucket's name.
    pub fn bucket(&self) -> &str {
        &self.share.bucket
    }

    /// The variables that the server under test is given: those that SDKs read by themselves, the bucket, and the
    /// endpoint that its clients reach.
    pub fn variables(&self) -> Vec<(String, String)> {
        let signer = &self.share.signer;
        let variables = [
            ("AWS_ENDPOINT_URL_S3", self.url.clone()),
            ("S3_PUBLIC_ENDPOINT", format!("http://{}", self.public_address())),
            ("AWS_REGION", signer.region.clone()),
            ("AWS_ACCESS_KEY_ID", signer.access_key.clone()),
            ("AWS_SECRET_ACCESS_KEY", signer.secret_key.clone()),
            ("S3_BUCKET", self.share.bucket.clone()),
        ];
        variables.map(|(name, value)| (name.to_owned(), value)).to_vec()
    }

    /// The proxy between the server under test and the store.
    pub fn server_proxy(&self) -> &Proxy {
        &self.server.proxy
    }

    /// The proxy between its clients and the store.
    pub fn public_proxy(&self) -> &Proxy {
        &self.public.proxy
    }

    /// Where clients reach the store.
    pub fn public_address(&self) -> SocketAddr {
        self.public.proxy.address()
    }

    /// Where the store itself listens, for a way of its own to it (`Lab::proxy`).
    pub fn upstream(&self) -> SocketAddr {
        self.stores.upstream()
    }

    /// How many bytes have passed so far.
    pub fn traffic(&self) -> Traffic {
        Traffic {
            server_sent: self.server.passed.sent(),
            server_received: self.server.passed.received(),
            public_sent: self.public.passed.sent(),
            public_received: self.public.passed.received(),
        }
    }

    /// A request of a client's to the store, by its public side. `target` is the path with its query, as a signed URL has
    /// it.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(store: &lab_store::Store, target: &str) -> CheckResult<()> {
    /// store.request("GET", target).header("Range", "bytes=0-9").await?.expect_status(206)?;
    /// # Ok(()) }
    /// ```
    pub fn request(&self, method: &str, target: &str) -> Request {
        let peer = Peer {
            address: self.public_address(),
            network: Network::of_this_machine(),
            agent: "lab",
            transcript: self.transcript.clone(),
            by_hand: String::new(),
        };
        Request::new(peer, method, target)
    }

    /// All objects of the bucket, in the order of their keys.
    ///
    /// ```
    /// # async fn example(store: &lab_store::Store) -> lab_kit::CheckResult<()> {
    /// let keys: Vec<String> = store.objects().await?.into_iter().map(|object| object.key).collect();
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Ours, if the store does not answer.
    pub async fn objects(&self) -> CheckResult<Vec<Object>> {
        let listed = self.stores.objects(self.bucket()).await?;
        let object = |element: &super::xml::Element| Object {
            key: element.text("Key").to_owned(),
            size: element.text("Size").parse().unwrap_or_default(),
            etag: element.text("ETag").trim_matches('"').to_owned(),
        };
        Ok(listed.iter().map(object).collect())
    }

    /// The multipart uploads that are neither complete nor aborted.
    ///
    /// # Errors
    /// Ours, if the store does not answer.
    pub async fn multipart_uploads(&self) -> CheckResult<Vec<Upload>> {
        let listed = self.stores.uploads(self.bucket()).await?;
        let upload = |element: &super::xml::Element| Upload {
            key: element.text("Key").to_owned(),
            id: element.text("UploadId").to_owned(),
        };
        Ok(listed.iter().map(upload).collect())
    }

    /// Begins a multipart upload as administrator, as one that nobody knows of.
    ///
    /// # Errors
    /// Ours, if the store does not answer.
    pub async fn begin_multipart(&self, key: &str) -> CheckResult<Upload> {
        let answer = self.stores.act("POST", &self.path(key), &[("uploads", "")], None).await?;
        self.refused.answered(answer.status());
        expect(&answer, &[200], "beginning a multipart upload")?;
        Ok(Upload { key: key.to_owned(), id: super::xml::text(&answer.text(), "UploadId")? })
    }

    /// What an object holds; none, if there is no such object.
    ///
    /// # Errors
    /// Ours, if the store does not answer.
    pub async fn get(&self, key: &str) -> CheckResult<Option<Vec<u8>>> {
        let answer = self.stores.act("GET", &self.path(key), &[], None).await?;
        expect(&answer, &[200, 404], "reading an object")?;
        Ok((answer.status() == 200).then(|| answer.body().to_vec()))
    }

    /// The head fields of an object, such as `content-type`; none, if there is no such object.
    ///
    /// # Errors
    /// Ours, if the store does not answer.
    pub async fn head(&self, key: &str) -> CheckResult<Option<Vec<(String, String)>>> {
        let answer = self.stores.act("HEAD", &self.path(key), &[], None).await?;
        expect(&answer, &[200, 404], "asking for an object")?;
        let fields = answer.all_headers().iter().map(|(name, value)| (name.to_lowercase(), value.clone()));
        Ok((answer.status() == 200).then(|| fields.collect()))
    }

    /// Puts an object there as administrator.
    ///
    /// # Errors
    /// Ours, if the store does not answer.
    pub async fn put(&self, key: &str, bytes: &[u8]) -> CheckResult {
        let answer = self.stores.act("PUT", &self.path(key), &[], Some(bytes)).await?;
        self.refused.answered(answer.status());
        expect(&answer, &[200], "writing an object")
    }

    /// Has the store copy an object of the bucket, as administrator: nothing of it passes anybody.
    ///
    /// # Errors
    /// Ours, if the store does not answer or has no such object.
    pub async fn copy(&self, from: &str, to: &str) -> CheckResult {
        let answer = self.stores.copy(&self.path(from), &self.path(to)).await?;
        self.refused.answered(answer.status());
        expect(&answer, &[200], "copying an object")
    }

    /// Removes an object as administrator. One that is not there is no error.
    ///
    /// # Errors
    /// Ours, if the store does not answer.
    pub async fn delete(&self, key: &str) -> CheckResult {
        let answer = self.stores.act("DELETE", &self.path(key), &[], None).await?;
        expect(&answer, &[200, 204, 404], "removing an object")
    }

    fn path(&self, key: &str) -> String {
        format!("/{}/{key}", self.bucket())
    }

    pub(super) fn service_error(&self) -> Option<String> {
        let ways = [&self.server, &self.public].into_iter();
        ways.filter_map(|way| way.passed.unreachable()).next().map(|why| format!("the object store: {why}"))
    }

    /// That the store has refused to keep something because it is full: by this check's doing, or by another's.
    pub(super) fn shortage(&self) -> Option<String> {
        self.refused.shortage()
    }

    /// Ends the check's use of it.
    pub(super) async fn give_back(&self) {
        self.server.proxy.shut();
        self.public.proxy.shut();
        // What cannot be removed now is removed with the run.
        let _ = self.stores.remove(&self.share).await;
    }
}
