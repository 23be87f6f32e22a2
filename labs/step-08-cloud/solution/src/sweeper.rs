//! Removes what nobody needs: uploads that did not come in time, and objects that no row knows of any more.
//!
//! Every worker wants to sweep, and one at a time does: the one with the lease. What it removes from the bucket, nobody can
//! forbid it by a token; so only what can never be of use again is removed, for which it does not matter who does it. A
//! row is always there before its object, and the bucket is read before the rows: what has no row then, has none for good.

use std::collections::HashSet;

use chrono::TimeDelta;
use tokio::time::{Instant, interval, sleep_until};
use tracing::instrument;
use uuid::Uuid;

use crate::bucket::{Bucket, BucketError, Leftover};
use crate::configuration::SweepSettings;
use crate::shutdown::Stop;
use crate::store::{Overtaken, Store, StoreError, Token};
use crate::uploads::{incoming, stored};

/// The sweeper of one worker.
#[derive(Clone)]
pub struct Sweeper {
    store: Store,
    bucket: Bucket,
    settings: SweepSettings,
}

/// Why a sweep came to nothing.
#[derive(Debug, thiserror::Error)]
enum SweepError {
    #[error(transparent)]
    Overtaken(#[from] Overtaken),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Bucket(#[from] BucketError),
}

impl Sweeper {
    /// Over this database and this bucket.
    pub fn new(store: Store, bucket: Bucket, settings: SweepSettings) -> Self {
        Self { store, bucket, settings }
    }

    /// Sweeps whenever it is this one's turn, until the end begins.
    pub async fn run(&self, stop: &Stop) {
        let mut held = None;
        while !stop.has_begun() {
            let next = Instant::now() + self.settings.every.duration();
            let turn = async {
                match self.turn(&mut held).await {
                    Ok(()) => {}
                    Err(SweepError::Overtaken(why)) => tracing::warn!(%why, "a sweep came too late"),
                    Err(error) => tracing::warn!(?error, "a sweep failed"),
                }
                sleep_until(next).await;
            };
            tokio::select! {
                () = turn => {}
                () = stop.begun() => {}
            }
        }
        if let Some(token) = held
            && let Err(error) = self.store.give_lease_back(token).await
        {
            tracing::warn!(%error, "the lease was not given back");
        }
    }

    /// One sweep, if it is our turn.
    async fn turn(&self, held: &mut Option<Token>) -> Result<(), SweepError> {
        let lease = self.settings.lease.duration();
        if let Some(token) = *held
            && !self.store.keep_lease(token, lease).await?
        {
            *held = None;
        }
        if held.is_none() {
            *held = self.store.take_lease(lease).await?;
        }
        let Some(token) = *held else { return Ok(()) };
        tokio::select! {
            swept = self.sweep(token) => swept,
            lost = self.keep(token) => { *held = None; lost }
        }
    }

    /// Keeps the lease for as long as it can be kept.
    async fn keep(&self, token: Token) -> Result<(), SweepError> {
        let lease = self.settings.lease.duration();
        let mut ticks = interval(lease / 3);
        loop {
            ticks.tick().await;
            if !self.store.keep_lease(token, lease).await? {
                return Err(Overtaken.into());
            }
        }
    }

    #[instrument(skip(self))]
    async fn sweep(&self, token: Token) -> Result<(), SweepError> {
        self.store.expire_uploads(token, self.settings.after.duration()).await?;
        let mut removed = 0;
        let mut next = None;
        loop {
            let page = self.bucket.objects(next).await?;
            removed += self.remove(page.found).await?;
            next = page.next;
            if next.is_none() {
                break;
            }
        }
        let mut next = None;
        loop {
            let page = self.bucket.multipart_uploads(next).await?;
            removed += self.remove(page.found).await?;
            next = page.next;
            if next.is_none() {
                break;
            }
        }
        Ok(self.store.report_sweep(token, removed).await??)
    }

    /// Removes what is of no use, and tells how much that was.
    async fn remove(&self, found: Vec<Leftover>) -> Result<u64, SweepError> {
        let after = TimeDelta::from_std(self.settings.after.duration()).unwrap_or(TimeDelta::MAX);
        let old: Vec<Leftover> = found.into_iter().filter(|leftover| leftover.age > after).collect();
        let of_use = self.of_use(&old).await?;
        let mut removed = 0;
        for leftover in old.iter().filter(|leftover| !of_use.contains(&leftover.key)) {
            match &leftover.multipart_id {
                Some(id) => self.bucket.abort_multipart(&leftover.key, id).await?,
                None => self.bucket.delete(&leftover.key).await?,
            }
            removed += 1;
        }
        Ok(removed)
    }

    /// The keys among these that some row knows.
    async fn of_use(&self, found: &[Leftover]) -> Result<HashSet<String>, StoreError> {
        let ids = |prefix: &str| -> Vec<Uuid> {
            let names = found.iter().filter_map(|leftover| leftover.key.strip_prefix(prefix));
            names.filter_map(|name| name.parse().ok()).collect()
        };
        let coming = self.store.still_coming(&ids("incoming/")).await?;
        let files = self.store.still_files(&ids("files/")).await?;
        Ok(coming.into_iter().map(incoming).chain(files.into_iter().map(stored)).collect())
    }
}
