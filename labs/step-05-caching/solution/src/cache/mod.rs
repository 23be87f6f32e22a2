//! The cache: copies of what the database says, in Redis, for all servers together.
//!
//! A copy is made by whoever holds its *lease*: a random token under a key of its own, given to the first who misses
//! (everybody else waits for the copy, so the database is asked once) and taken away by whoever changes the original
//! (so that nobody can put back what was read before the change). See Nishtala et al., "Scaling Memcache at Facebook",
//! NSDI 2013, §3.2.1.

mod entry;
mod expiry;
mod generation;
mod key;
mod lease;
mod many;

use std::time::Duration;

use redis::Cmd;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep};
use tracing::instrument;

pub use key::Key;
pub use many::Found;

use crate::redis_client::{Redis, RedisFailure};
use lease::{Answer, Lease};

/// The cache. Clones share one connection.
#[derive(Debug, Clone)]
pub struct Cache {
    redis: Redis,
    ttl: Duration,
    lock_ttl: Duration,
}

/// What a search for one copy comes to.
enum Search<T> {
    /// There is a copy.
    Hit(T),
    /// There is none, and the caller is to make it.
    Leased(Lease),
    /// There is none, and none is to be made: somebody else is too slow at it, or Redis is away.
    Miss,
}

impl Cache {
    /// A cache whose copies live for `ttl` at the most, and whose leases for `lock_ttl`. A `ttl` of zero turns it off.
    pub fn new(redis: Redis, ttl: Duration, lock_ttl: Duration) -> Self {
        Self { redis, ttl, lock_ttl }
    }

    /// The copy under `key`, or else what `load` gives, of which a copy is kept.
    ///
    /// # Errors
    /// Those of `load`. The cache has none: without it, everything is loaded.
    #[instrument(name = "cache", skip_all, fields(key = key.value()))]
    pub async fn fetch<T, E, Loading>(&self, key: &Key, load: impl FnOnce() -> Loading) -> Result<T, E>
    where
        T: Serialize + DeserializeOwned,
        Loading: Future<Output = Result<T, E>>,
    {
        match self.search(key).await {
            Search::Hit(value) => Ok(value),
            Search::Leased(lease) => match load().await {
                Ok(value) => {
                    self.fill(key, &lease, &value).await;
                    Ok(value)
                }
                Err(error) => {
                    self.give_back(key, &lease).await;
                    Err(error)
                }
            },
            Search::Miss => load().await,
        }
    }

    async fn search<T: DeserializeOwned>(&self, key: &Key) -> Search<T> {
        if self.is_off() {
            return Search::Miss;
        }
        self.try_search(key).await.unwrap_or_else(|failure| {
            tracing::warn!(%failure, "read past the cache");
            Search::Miss
        })
    }

    async fn try_search<T: DeserializeOwned>(&self, key: &Key) -> Result<Search<T>, RedisFailure> {
        let deadline = Instant::now() + self.lock_ttl;
        let mut answer = self.look(key).await?;
        loop {
            match answer {
                Answer::Value(bytes) => match entry::decode(&bytes) {
                    Some(value) => return Ok(Search::Hit(value)),
                    // An older server's format, or damage: as good as nothing.
                    None => self.forget(key).await?,
                },
                Answer::Foreign => self.forget(key).await?,
                Answer::Leased(lease) => return Ok(Search::Leased(lease)),
                Answer::Busy if Instant::now() >= deadline => return Ok(Search::Miss),
                Answer::Busy => sleep(expiry::pause()).await,
            }
            answer = self.look_or_lease(key).await?;
        }
    }

    /// Keeps a copy, if the lease still counts. A failure leaves no copy, and that is no failure of the request.
    async fn fill<T: Serialize>(&self, key: &Key, lease: &Lease, value: &T) {
        if let Err(failure) = self.try_fill(key, lease, &entry::encode(value)).await {
            tracing::warn!(%failure, "kept no copy");
        }
    }

    /// Clears the copies under `keys`, and takes the leases away from whoever is about to make one.
    ///
    /// To be called when the change is committed, not before: who reads in between would copy the old value again.
    pub async fn forget_all(&self, keys: &[Key]) {
        let mut command = Cmd::new();
        command.arg("DEL");
        for key in keys {
            command.arg(key.value()).arg(key.lock());
        }
        if let Err(failure) = self.redis.run::<()>(&command).await {
            tracing::warn!(%failure, "could not clear the cache: old values stay until they expire");
        }
    }

    async fn forget(&self, key: &Key) -> Result<(), RedisFailure> {
        self.redis.run(Cmd::new().arg("DEL").arg(key.value()).arg(key.lock())).await
    }

    fn is_off(&self) -> bool {
        self.ttl.is_zero()
    }
}
