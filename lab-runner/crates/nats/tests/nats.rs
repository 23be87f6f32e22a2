//! The driver on a real NATS, of a check's own and shared.

use std::time::Duration;

use lab_check::Failure;
use lab_check::service::{Access, Service as _, Tenant as _};
use lab_check::transcript::Transcript;
use lab_nats::{Brokers, Nats, async_nats};
use lab_test_services::PrivateService;

const SOON: Duration = Duration::from_secs(20);

async fn brokers(with_program: bool) -> (PrivateService, Brokers) {
    let service = PrivateService::start("nats");
    let mut access = Access::to(service.url(), "a nonce");
    access.program = with_program.then(|| service.program().to_owned());
    let brokers = Brokers::by(access).await.unwrap();
    (service, brokers)
}

/// A client as a server under test has one.
async fn client(nats: &Nats) -> async_nats::Client {
    let options = async_nats::ConnectOptions::new().reconnect_delay_callback(|_| Duration::from_millis(20));
    // This client reads no user from a URL.
    let url = url::Url::parse(nats.url()).unwrap();
    let options = options.user_and_password(url.username().to_owned(), url.password().unwrap().to_owned());
    options.connect(nats.url()).await.unwrap()
}

/// Makes a stream of `subject` in files, with a consumer, by the server's own interface.
async fn make_stream(client: &async_nats::Client, name: &str, subject: &str) {
    let stream = format!(
        "{{\"name\":\"{name}\",\"subjects\":[\"{subject}\"],\"storage\":\"file\",\"retention\":\"limits\",\
                          \"max_consumers\":-1,\"max_msgs\":-1,\"max_bytes\":-1,\"max_age\":0,\"num_replicas\":1}}"
    );
    let answer = client.request(format!("$JS.API.STREAM.CREATE.{name}"), stream.into()).await.unwrap();
    assert!(!String::from_utf8_lossy(&answer.payload).contains("\"error\""), "{:?}", answer.payload);
    let consumer = format!(
        "{{\"stream_name\":\"{name}\",\"config\":{{\"durable_name\":\"worker\",\"ack_policy\":\"explicit\",\
         \"ack_wait\":2000000000,\"max_deliver\":3,\"deliver_policy\":\"all\",\"replay_policy\":\"instant\"}}}}"
    );
    let answer = client.request(format!("$JS.API.CONSUMER.CREATE.{name}.worker"), consumer.into()).await.unwrap();
    assert!(!String::from_utf8_lossy(&answer.payload).contains("\"error\""), "{:?}", answer.payload);
}

/// Publishes until the server says that it has stored the message.
async fn store(client: &async_nats::Client, subject: &str) {
    let answer = client.request(subject.to_owned(), "job".into()).await.unwrap();
    assert!(String::from_utf8_lossy(&answer.payload).contains("\"seq\""), "{:?}", answer.payload);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_check_has_a_server_of_its_own_that_survives_a_kill_on_the_same_files() {
    let (_service, brokers) = brokers(true).await;
    assert!(brokers.version().starts_with("NATS 2."), "{}", brokers.version());
    let one = Nats::create(&brokers, Transcript::default()).await.unwrap();
    let two = Nats::create(&brokers, Transcript::default()).await.unwrap();
    assert_eq!(one.variables(), [("NATS_URL".to_owned(), one.url().to_owned())]);
    let client = client(&one).await;
    make_stream(&client, "JOBS", "jobs.*").await;
    let mut dead = one.subscribe("dead").await.unwrap();
    store(&client, "jobs.1").await;
    assert_eq!(two.streams().await.unwrap(), []);
    let streams = one.streams().await.unwrap();
    assert_eq!((streams[0].name.as_str(), streams[0].messages, streams[0].in_files), ("JOBS", 1, true));
    let consumers = one.consumers().await.unwrap();
    assert_eq!((consumers[0].name.as_str(), consumers[0].pending, consumers[0].in_hand), ("worker", 1, 0));
    assert_eq!((consumers[0].ack_wait, consumers[0].max_deliver), (Duration::from_secs(2), Some(3)));

    one.kill().await.unwrap();
    assert!(async_nats::connect(one.url()).await.is_err());
    assert_eq!(one.service_error(), None, "the check has killed it");
    one.start_again().await.unwrap();
    assert_eq!(one.streams().await.unwrap()[0].messages, 1);
    store(&client, "jobs.2").await;
    assert_eq!(one.consumers().await.unwrap()[0].pending, 2);

    one.publish("dead", "letter").await.unwrap();
    assert_eq!(dead.next(SOON).await, Some(b"letter".to_vec()));
    assert_eq!(dead.next(Duration::from_millis(10)).await, None);
    assert!(two.service_error().is_none() && brokers.is_alive().await);
    one.release().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_stopped_answers_when_it_goes_on() {
    let (_service, brokers) = brokers(true).await;
    let nats = Nats::create(&brokers, Transcript::default()).await.unwrap();
    let client = client(&nats).await;
    nats.pause().unwrap();
    let ask = || client.request("$JS.API.INFO", "".into());
    let asked = tokio::time::timeout(Duration::from_millis(100), ask()).await;
    assert!(asked.is_err(), "a stopped server does not answer");
    nats.resume().unwrap();
    tokio::time::timeout(SOON, ask()).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_the_checks_own_is_lent_to_one_at_a_time_and_emptied() {
    let (_service, brokers) = brokers(false).await;
    let one = Nats::create(&brokers, Transcript::default()).await.unwrap();
    make_stream(&client(&one).await, "JOBS", "jobs.*").await;
    assert!(matches!(one.kill().await, Err(Failure::NotApplicable(_))));
    let next = Nats::create(&brokers, Transcript::default());
    tokio::pin!(next);
    assert!(tokio::time::timeout(Duration::from_millis(50), &mut next).await.is_err(), "it is in use");
    one.release().await;
    let two = tokio::time::timeout(SOON, next).await.unwrap().unwrap();
    assert_eq!(two.streams().await.unwrap(), []);
    two.release().await;
    brokers.close().await.unwrap();
}

/// A submission that publishes without end is refused more, and that is all that comes of it: its server goes on, and nobody
/// else's is touched.
#[tokio::test(flavor = "multi_thread")]
async fn streams_hold_no_more_than_they_may_and_nobody_else_notices() {
    let (_service, brokers) = brokers(true).await;
    let one = Nats::create(&brokers, Transcript::default()).await.unwrap();
    let two = Nats::create(&brokers, Transcript::default()).await.unwrap();
    let (greedy, neighbour) = (client(&one).await, client(&two).await);
    make_stream(&greedy, "JOBS", "jobs.*").await;
    make_stream(&neighbour, "JOBS", "jobs.*").await;
    let message = vec![b'x'; 1_000_000];
    let mut refused = None;
    for _ in 0..300 {
        let answer = greedy.request("jobs.1", message.clone().into()).await.unwrap();
        let answer = String::from_utf8_lossy(&answer.payload).into_owned();
        if answer.contains("\"error\"") {
            refused = Some(answer);
            break;
        }
    }
    assert!(refused.as_ref().is_some_and(|answer| answer.contains("insufficient resources")), "{refused:?}");
    let kept = one.streams().await.unwrap()[0].bytes;
    // The message that reaches the bound is kept.
    assert!(kept > 200 << 20 && kept <= (256 << 20) + 2_000_000, "{kept}");
    // Nor is what was reserved ahead.
    let stream = "{\"name\":\"MORE\",\"subjects\":[\"more\"],\"storage\":\"memory\",\"max_bytes\":100000000}";
    let answer = greedy.request("$JS.API.STREAM.CREATE.MORE", stream.into()).await.unwrap();
    assert!(String::from_utf8_lossy(&answer.payload).contains("insufficient memory resources"), "{:?}", answer.payload);
    assert_eq!((one.service_error(), two.service_error()), (None, None));
    store(&neighbour, "jobs.1").await;
    // What is taken out makes room.
    greedy.request("$JS.API.STREAM.PURGE.JOBS", "".into()).await.unwrap();
    store(&greedy, "jobs.1").await;
    assert!(brokers.is_alive().await);
}
