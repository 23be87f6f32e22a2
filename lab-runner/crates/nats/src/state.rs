//! What JetStream tells of streams and consumers, by its own API of requests (NATS documentation, "JetStream wire API").

use std::time::Duration;

use lab_check::{CheckResult, Failure, Ours as _};
use serde_json::{Value, json};

/// A stream, as the server tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// Its name.
    pub name: String,
    /// The subjects that it keeps.
    pub subjects: Vec<String>,
    /// Whether it keeps messages in files, which outlive the server's process.
    pub in_files: bool,
    /// How many messages it holds.
    pub messages: u64,
    /// Their size, in bytes.
    pub bytes: u64,
    /// How many consumers it has.
    pub consumers: u64,
    /// How long it knows a message again by its id, and keeps it once.
    pub duplicate_window: Duration,
}

/// A consumer, as the server tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consumer {
    /// Its stream.
    pub stream: String,
    /// Its name.
    pub name: String,
    /// Whether it outlives those who use it.
    pub durable: bool,
    /// How often a message was delivered, again and again ones among them.
    pub delivered: u64,
    /// How many messages wait that were never delivered.
    pub pending: u64,
    /// How many are delivered and not acknowledged.
    pub in_hand: u64,
    /// How many of those were delivered more than once.
    pub redelivered: u64,
    /// How many requests for messages wait for some.
    pub waiting: u64,
    /// How long a delivered message may go without an acknowledgement.
    pub ack_wait: Duration,
    /// How often a message is delivered at most, if that is bounded.
    pub max_deliver: Option<u64>,
    /// How many may be in hand at most, if that is bounded.
    pub max_in_hand: Option<u64>,
}

/// How many entries the server gives at once.
const PAGE: usize = 256;

/// All streams.
pub(super) async fn streams(client: &async_nats::Client) -> CheckResult<Vec<Stream>> {
    let listed = list(client, "$JS.API.STREAM.LIST", "streams").await?;
    Ok(listed.iter().map(stream).collect())
}

/// All consumers of all streams.
pub(super) async fn consumers(client: &async_nats::Client) -> CheckResult<Vec<Consumer>> {
    let mut found = Vec::new();
    for stream in streams(client).await? {
        let listed = list(client, &format!("$JS.API.CONSUMER.LIST.{}", stream.name), "consumers").await?;
        found.extend(listed.iter().map(consumer));
    }
    Ok(found)
}

/// Removes a stream.
pub(super) async fn delete(client: &async_nats::Client, stream: &str) -> CheckResult {
    ask(client, &format!("$JS.API.STREAM.DELETE.{stream}"), &json!({})).await.map(drop)
}

/// Waits until the server has done what `client` has sent it: it takes up one thing after the other.
pub(super) async fn settle(client: &async_nats::Client) -> CheckResult {
    ask(client, "$JS.API.INFO", &json!({})).await.map(drop)
}

/// All pages of a list.
async fn list(client: &async_nats::Client, subject: &str, member: &str) -> CheckResult<Vec<Value>> {
    let mut found: Vec<Value> = Vec::new();
    loop {
        let answer = ask(client, subject, &json!({ "offset": found.len() })).await?;
        let page = answer[member].as_array().cloned().unwrap_or_default();
        let (count, total) = (page.len(), answer["total"].as_u64().unwrap_or_default());
        found.extend(page);
        if count < PAGE || found.len() as u64 >= total {
            return Ok(found);
        }
    }
}

async fn ask(client: &async_nats::Client, subject: &str, question: &Value) -> CheckResult<Value> {
    let answer = client.request(subject.to_owned(), question.to_string().into()).await.ours("asking JetStream")?;
    let answer: Value = serde_json::from_slice(&answer.payload).ours("reading an answer of JetStream")?;
    match answer.get("error") {
        None => Ok(answer),
        Some(error) => Err(Failure::Ours(format!("JetStream refuses {subject}: {error}"))),
    }
}

fn stream(told: &Value) -> Stream {
    let (config, state) = (&told["config"], &told["state"]);
    let subjects = config["subjects"].as_array().into_iter().flatten();
    Stream {
        name: text(&config["name"]),
        subjects: subjects.filter_map(Value::as_str).map(str::to_owned).collect(),
        in_files: config["storage"] == "file",
        messages: number(&state["messages"]),
        bytes: number(&state["bytes"]),
        consumers: number(&state["consumer_count"]),
        duplicate_window: Duration::from_nanos(number(&config["duplicate_window"])),
    }
}

fn consumer(told: &Value) -> Consumer {
    let config = &told["config"];
    Consumer {
        stream: text(&told["stream_name"]),
        name: text(&told["name"]),
        durable: config["durable_name"].is_string(),
        delivered: number(&told["delivered"]["consumer_seq"]),
        pending: number(&told["num_pending"]),
        in_hand: number(&told["num_ack_pending"]),
        redelivered: number(&told["num_redelivered"]),
        waiting: number(&told["num_waiting"]),
        ack_wait: Duration::from_nanos(number(&config["ack_wait"])),
        max_deliver: bound(&config["max_deliver"]),
        max_in_hand: bound(&config["max_ack_pending"]),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}

/// -1 and 0 stand for no bound.
fn bound(value: &Value) -> Option<u64> {
    value.as_u64().filter(|bound| *bound > 0)
}
