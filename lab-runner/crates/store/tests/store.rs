//! The driver on a real object store.

use lab_check::service::{Access, Service as _, Tenant as _};
use lab_check::transcript::Transcript;
use lab_store::{Store, Stores};
use lab_test_services::PrivateService;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

async fn stores(service: &PrivateService, run: &str) -> Stores {
    Stores::by(&Access::to(service.url(), run)).await.unwrap()
}

fn variable(store: &Store, name: &str) -> String {
    store.variables().into_iter().find(|(known, _)| known == name).unwrap().1
}

#[tokio::test(flavor = "multi_thread")]
async fn each_check_has_a_bucket_that_no_other_key_opens_and_its_traffic_is_counted_by_side() {
    let service = PrivateService::start("s3");
    let stores = stores(&service, "a nonce").await;
    assert!(stores.version().starts_with("SeaweedFS 4"), "{}", stores.version());
    let one = Store::create(&stores, Transcript::default()).await.unwrap();
    let two = Store::create(&stores, Transcript::default()).await.unwrap();
    assert_ne!(variable(&one, "AWS_ACCESS_KEY_ID"), variable(&two, "AWS_ACCESS_KEY_ID"));
    assert_eq!(variable(&one, "S3_PUBLIC_ENDPOINT"), format!("http://{}", one.public_address()));

    one.put("a/b c&é", b"hello").await.unwrap();
    one.put("z", &vec![b'x'; 100_000]).await.unwrap();
    let objects = one.objects().await.unwrap();
    assert_eq!(
        objects.iter().map(|object| (object.key.as_str(), object.size)).collect::<Vec<_>>(),
        [("a/b c&é", 5), ("z", 100_000)]
    );
    assert_eq!(one.get("a/b c&é").await.unwrap().unwrap(), b"hello");
    assert_eq!(one.get("nothing").await.unwrap(), None);
    let head = one.head("z").await.unwrap().unwrap();
    assert!(head.contains(&("content-length".to_owned(), "100000".to_owned())), "{head:?}");
    assert_eq!(two.objects().await.unwrap(), []);

    // Without a signature nobody gets in, and what was tried is counted on the clients' side alone.
    let before = one.traffic();
    assert_eq!((before.server_sent, before.public_sent), (0, 0));
    let refused = one.request("GET", &format!("/{}/z", one.bucket())).await.unwrap();
    assert_eq!(refused.status(), 403);
    let after = one.traffic();
    assert!(after.public_sent > 50 && after.public_received > 50, "{after:?}");
    assert_eq!((after.server_sent, after.server_received), (0, 0));

    let upload = one.begin_multipart("big").await.unwrap();
    let uploads = one.multipart_uploads().await.unwrap();
    assert_eq!(uploads, [upload]);
    one.delete("z").await.unwrap();
    one.delete("z").await.unwrap();
    assert_eq!(one.objects().await.unwrap().len(), 1);
    one.release().await;
    assert!(one.objects().await.is_err(), "the bucket is gone");
    assert!(stores.is_alive().await && one.service_error().is_none());
    stores.close().await.unwrap();
    assert!(two.objects().await.is_err(), "the run's buckets are gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_removes_no_bucket_of_another() {
    let service = PrivateService::start("s3");
    let (mine, others) = (stores(&service, "mine").await, stores(&service, "another").await);
    let kept = Store::create(&others, Transcript::default()).await.unwrap();
    kept.put("kept", b"x").await.unwrap();
    Store::create(&mine, Transcript::default()).await.unwrap();
    mine.close().await.unwrap();
    assert_eq!(kept.get("kept").await.unwrap().unwrap(), b"x");
}

/// How much a check's clients may send, as its server may.
const MOST: usize = 256 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn a_check_passes_on_no_more_than_it_may_and_its_neighbours_all_they_have() {
    let service = PrivateService::start("s3");
    let stores = stores(&service, "a nonce").await;
    let one = Store::create(&stores, Transcript::default()).await.unwrap();
    let two = Store::create(&stores, Transcript::default()).await.unwrap();
    let piece = vec![b'x'; 1 << 20];
    let mut sent = 0;
    // Without a key: what is refused was sent all the same.
    while sent <= 2 * MOST && one.traffic().public_sent <= MOST as u64 {
        let mut stream = TcpStream::connect(one.public_address()).await.unwrap();
        let head = format!("PUT /{}/x HTTP/1.1\r\nHost: store\r\nContent-Length: {}\r\n\r\n", one.bucket(), 1 << 30);
        if stream.write_all(head.as_bytes()).await.is_err() {
            continue;
        }
        while stream.write_all(&piece).await.is_ok() {
            sent += piece.len();
        }
    }
    assert!(sent <= MOST + (64 << 20), "{sent}");
    let refused = one.request("GET", &format!("/{}", one.bucket())).await.unwrap_err();
    assert!(refused.is_learners(), "{refused:?}");
    assert_eq!((one.service_error(), one.shortage()), (None, None), "it is its own doing");
    assert_eq!(two.request("GET", &format!("/{}", two.bucket())).await.unwrap().status(), 403);
    assert!(stores.is_alive().await);
}
