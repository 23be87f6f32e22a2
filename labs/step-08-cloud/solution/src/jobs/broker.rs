//! What we ask of NATS: one stream with the jobs, which all workers share, and one with those that nobody tries again.

use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream::consumer::pull::Config as PullConfig;
use async_nats::jetstream::consumer::{AckPolicy, PullConsumer};
use async_nats::jetstream::context::PublishAckFuture;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::{Config as StreamConfig, RetentionPolicy};
use async_nats::jetstream::{self, Context};
use async_nats::{Client, ConnectOptions};
use serde::{Deserialize, Serialize};
use tracing::instrument;
use uuid::Uuid;

use crate::configuration::{Broker as Address, JobSettings};
use crate::store::Failed;

const STREAM: &str = "TICKETS";
const SUBJECT: &str = "tickets.print";
const CONSUMER: &str = "printers";
const DEAD_STREAM: &str = "DEAD_TICKETS";
const DEAD_SUBJECT: &str = "tickets.dead";
/// How many dead letters are kept. Somebody should have read them by then.
const DEAD_LETTERS: i64 = 100_000;
/// How long the broker may take to confirm something.
const PATIENCE: Duration = Duration::from_secs(2);

/// The connection to NATS, which comes back by itself. Clones share it.
#[derive(Debug, Clone)]
pub struct Broker {
    client: Client,
    jetstream: Context,
}

/// Why the broker did not do as it was asked.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// There is no connection.
    #[error("the broker is out of reach")]
    Unavailable,
    /// It did not do it, or did not say that it did.
    #[error("the broker did not confirm")]
    Refused(#[source] async_nats::Error),
}

impl BrokerError {
    fn refused(error: impl Into<async_nats::Error>) -> Self {
        Self::Refused(error.into())
    }
}

/// What a message says.
#[derive(Debug, Serialize, Deserialize)]
pub struct Task {
    /// The job to look at.
    pub job: Uuid,
}

#[derive(Serialize)]
struct DeadLetter<'a> {
    job: Uuid,
    order: Uuid,
    tries: i32,
    error: &'a str,
}

impl Broker {
    /// Begins to connect, for as long as it takes.
    ///
    /// # Errors
    /// What no waiting mends, such as an address that makes no sense.
    pub async fn connect(address: &Address) -> Result<Self, BrokerError> {
        let pause =
            |attempts: usize| Duration::from_millis(100).saturating_mul(u32::try_from(attempts.min(5)).unwrap_or(5));
        let options = match &address.login {
            Some((name, password)) => {
                ConnectOptions::with_user_and_password(name.clone(), password.expose().to_owned())
            }
            None => ConnectOptions::new(),
        };
        let options = options.retry_on_initial_connect().reconnect_delay_callback(pause);
        let client = options.connect(address.address.clone()).await.map_err(BrokerError::refused)?;
        let mut jetstream = jetstream::new(client.clone());
        jetstream.set_timeout(PATIENCE);
        Ok(Self { client, jetstream })
    }

    /// Sees to it that the streams are there. Several may do so at once.
    ///
    /// # Errors
    /// The broker is away, or refuses.
    pub async fn prepare(&self) -> Result<(), BrokerError> {
        self.reachable()?;
        let jobs = StreamConfig {
            name: STREAM.into(),
            subjects: vec![SUBJECT.into()],
            // What is done, is removed.
            retention: RetentionPolicy::WorkQueue,
            ..StreamConfig::default()
        };
        let dead = StreamConfig {
            name: DEAD_STREAM.into(),
            subjects: vec![DEAD_SUBJECT.into()],
            max_messages: DEAD_LETTERS,
            ..StreamConfig::default()
        };
        for config in [jobs, dead] {
            self.jetstream.get_or_create_stream(config).await.map_err(BrokerError::refused)?;
        }
        Ok(())
    }

    /// The consumer that all workers share. It gives a job to another worker when nobody has said anything of it for the
    /// ack wait; how often that may be, is the database's business.
    ///
    /// # Errors
    /// The broker is away, or refuses.
    pub async fn consumer(&self, settings: &JobSettings) -> Result<PullConsumer, BrokerError> {
        self.reachable()?;
        let config = PullConfig {
            durable_name: Some(CONSUMER.into()),
            ack_policy: AckPolicy::Explicit,
            ack_wait: settings.ack_wait.duration(),
            max_deliver: -1,
            ..PullConfig::default()
        };
        self.jetstream.create_consumer_on_stream(config, STREAM).await.map_err(BrokerError::refused)
    }

    /// Hands out a job. A job that it was handed before, within two minutes, it takes for the same.
    ///
    /// # Errors
    /// The broker is away. Whether it has the job is known when the future that comes back is done.
    pub async fn send(&self, job: Uuid) -> Result<PublishAckFuture, BrokerError> {
        self.publish(SUBJECT, job, &Task { job }).await
    }

    /// Tells whoever looks after such jobs that one has failed for good. It may be told twice.
    ///
    /// # Errors
    /// The broker is away, or did not confirm.
    #[instrument(skip(self))]
    pub async fn bury(&self, failed: &Failed) -> Result<(), BrokerError> {
        let Failed { id: job, order_id: order, tries, error } = failed;
        let letter = DeadLetter { job: *job, order: *order, tries: *tries, error };
        self.publish(DEAD_SUBJECT, *job, &letter).await?.await.map_err(BrokerError::refused)?;
        Ok(())
    }

    async fn publish(
        &self,
        subject: &'static str,
        id: Uuid,
        payload: &impl Serialize,
    ) -> Result<PublishAckFuture, BrokerError> {
        self.reachable()?;
        let payload = serde_json::to_vec(payload).map_err(BrokerError::refused)?;
        let message = PublishMessage::build().payload(payload.into()).message_id(id.to_string());
        self.jetstream.send_publish(subject, message).await.map_err(BrokerError::refused)
    }

    /// Without a connection, the client keeps what it is to send until there is one. Better to know at once.
    fn reachable(&self) -> Result<(), BrokerError> {
        match self.client.connection_state() {
            State::Connected => Ok(()),
            State::Pending | State::Disconnected => Err(BrokerError::Unavailable),
        }
    }

    /// Sends what was said but is not sent yet.
    pub async fn flush(&self) {
        if self.reachable().is_ok() && !matches!(tokio::time::timeout(PATIENCE, self.client.flush()).await, Ok(Ok(())))
        {
            tracing::warn!("the last words to the broker may be lost");
        }
    }
}
