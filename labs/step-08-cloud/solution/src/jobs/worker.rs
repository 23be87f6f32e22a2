//! Takes jobs from the broker and does them, as many at once as it has hands. A hand asks for one job when it is free, so
//! that whatever waits, waits at the broker.
//!
//! A job is acknowledged when its effect is written, and never before: whoever dies in between leaves a job that another
//! does again, and the database tells that one that nothing is left to do.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use async_nats::jetstream::consumer::PullConsumer;
use async_nats::jetstream::{AckKind, Message};
use futures::{FutureExt as _, StreamExt as _};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tracing::instrument;
use uuid::Uuid;

use super::broker::Task;
use super::{Broker, BrokerError};
use crate::bucket::{Bucket, BucketError};
use crate::configuration::JobSettings;
use crate::model::Order;
use crate::printing;
use crate::shutdown::Stop;
use crate::store::{Begun, Failed, Store, StoreError};
use crate::uploads::stored;

/// How long the broker keeps one question for a job before it is asked again.
const ASKING: Duration = Duration::from_secs(1);
/// How long after that its answer may take.
const ANSWER: Duration = Duration::from_millis(500);
/// How long to wait before a broker that was away is asked again.
const PAUSE: Duration = Duration::from_millis(200);
/// The longest wait before a job is tried again of which nothing is wrong but that something was away.
const LONGEST: Duration = Duration::from_secs(10);

/// A worker. Clones are the same one.
#[derive(Clone)]
pub struct Worker {
    store: Store,
    bucket: Bucket,
    broker: Broker,
    settings: JobSettings,
}

/// What a job needs and did not get. It is not the job's fault.
#[derive(Debug, thiserror::Error)]
enum Outage {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Bucket(#[from] BucketError),
    #[error(transparent)]
    Broker(#[from] BrokerError),
}

/// What the broker is told of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Settled {
    /// Nothing is left to do.
    Finished,
    /// It failed, and is tried again after the pause between tries.
    Again,
    /// Something was away.
    Later,
    /// We end, and another shall do it.
    GivenBack,
}

impl Worker {
    /// Over this database, bucket and broker.
    pub fn new(store: Store, bucket: Bucket, broker: Broker, settings: JobSettings) -> Self {
        Self { store, bucket, broker, settings }
    }

    /// Waits for the broker, and gives the consumer that has the jobs.
    pub async fn prepare(&self) -> PullConsumer {
        loop {
            let prepared = async {
                self.broker.prepare().await?;
                self.broker.consumer(&self.settings).await
            };
            match prepared.await {
                Ok(consumer) => return consumer,
                Err(error) => tracing::info!(%error, "waiting for the broker"),
            }
            sleep(PAUSE).await;
        }
    }

    /// Works until the end begins and what is in hand then is done, or given back.
    pub async fn run(&self, consumer: &PullConsumer, stop: &Stop) {
        let mut hands = JoinSet::new();
        for _ in 0..self.settings.concurrency.get() {
            hands.spawn(self.clone().hand(consumer.clone(), stop.clone()));
        }
        hands.join_all().await;
        self.broker.flush().await;
    }

    async fn hand(self, consumer: PullConsumer, stop: Stop) {
        while !stop.has_begun() {
            match ask(&consumer).await {
                Ok(Some(message)) if stop.has_begun() => self.tell(&message, Settled::GivenBack).await,
                Ok(Some(message)) => self.handle(&message, &stop).await,
                Ok(None) => {}
                Err(error) => {
                    tracing::debug!(%error, "no jobs from the broker");
                    sleep(PAUSE).await;
                }
            }
        }
    }

    #[instrument(skip_all, fields(job))]
    async fn handle(&self, message: &Message, stop: &Stop) {
        let Ok(Task { job }) = serde_json::from_slice(&message.payload) else {
            tracing::error!("a message that is no job");
            return self.tell(message, Settled::Finished).await;
        };
        tracing::Span::current().record("job", tracing::field::display(job));
        let settled = tokio::select! {
            done = self.work(job, stop) => done.unwrap_or_else(|outage| {
                tracing::warn!(?outage, "a job has to wait");
                Settled::Later
            }),
            never = self.keep(message) => never,
        };
        self.tell(message, settled).await;
    }

    /// Says, for as long as the work takes, that it is being done.
    async fn keep(&self, message: &Message) -> Settled {
        let mut ticks = interval(self.settings.ack_wait.duration() / 3);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(error) = message.ack_with(AckKind::Progress).await {
                tracing::debug!(%error, "the broker was not told of a job's progress");
            }
        }
    }

    async fn work(&self, job: Uuid, stop: &Stop) -> Result<Settled, Outage> {
        let (order, file) = match self.store.begin_try(job).await? {
            Begun::Print(order, file) => (order, file),
            Begun::Done | Begun::Unknown => return Ok(Settled::Finished),
            Begun::Failed(failed) => return self.bury(&failed).await,
        };
        let printed = tokio::select! {
            printed = AssertUnwindSafe(self.print(&order)).catch_unwind() => printed,
            () = stop.cutting() => {
                self.store.give_up_try(job, file).await?;
                return Ok(Settled::GivenBack);
            }
        };
        match printed {
            Ok(Ok(ticket)) => self.deliver(job, file, ticket).await,
            Ok(Err(error)) => self.fail(job, file, &error.to_string()).await,
            Err(_) => self.fail(job, file, "the printer broke down").await,
        }
    }

    /// Prints, which takes its time.
    async fn print(&self, order: &Order) -> Result<Vec<u8>, printing::Unprintable> {
        sleep(Duration::from_millis(self.settings.work_ms)).await;
        printing::print(order)
    }

    /// Writes the ticket. Whoever was overtaken by a newer try takes its own away again.
    async fn deliver(&self, job: Uuid, file: Uuid, ticket: Vec<u8>) -> Result<Settled, Outage> {
        let key = stored(file);
        self.bucket.put(&key, printing::MEDIA_TYPE, ticket).await?;
        if !self.store.finish_try(job, file).await? {
            self.bucket.delete(&key).await?;
        }
        Ok(Settled::Finished)
    }

    async fn fail(&self, job: Uuid, file: Uuid, error: &str) -> Result<Settled, Outage> {
        tracing::warn!(error, "a job failed");
        match self.store.fail_try(job, file, error, self.settings.max_tries.get()).await? {
            Some(failed) => self.bury(&failed).await,
            None => Ok(Settled::Again),
        }
    }

    async fn bury(&self, failed: &Failed) -> Result<Settled, Outage> {
        self.broker.bury(failed).await?;
        Ok(Settled::Finished)
    }

    /// What the broker does not hear, it finds out by the ack wait: the job comes again, and nothing is done twice.
    async fn tell(&self, message: &Message, settled: Settled) {
        let kind = match settled {
            Settled::Finished => AckKind::Ack,
            Settled::Again => AckKind::Nak(Some(self.settings.retry.duration())),
            Settled::Later => AckKind::Nak(Some(self.later(message))),
            Settled::GivenBack => AckKind::Nak(None),
        };
        if let Err(error) = message.ack_with(kind).await {
            tracing::debug!(%error, "the broker was not told of a job's end");
        }
    }

    /// The pause between tries, twice as long each time.
    fn later(&self, message: &Message) -> Duration {
        let before = message.info().map_or(1, |info| info.delivered).clamp(1, 10);
        let doubled = 1_u32 << u32::try_from(before - 1).unwrap_or(0);
        self.settings.retry.duration().saturating_mul(doubled).min(LONGEST)
    }
}

/// Asks for one job.
async fn ask(consumer: &PullConsumer) -> Result<Option<Message>, async_nats::Error> {
    let answer = async {
        let mut batch = consumer.batch().max_messages(1).expires(ASKING).messages().await?;
        batch.next().await.transpose()
    };
    // A broker that was ended has forgotten the question.
    timeout(ASKING + ANSWER, answer).await.unwrap_or(Ok(None))
}
