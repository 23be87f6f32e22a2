//! The cache: copies of what the database says, in Redis, for all servers together.

mod key;

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use key::Key;

use crate::redis_client::Redis;

/// The cache. Clones share one connection.
#[derive(Debug, Clone)]
#[allow(dead_code, reason = "remove this line when you use all of them")]
pub struct Cache {
    redis: Redis,
    ttl: Duration,
    lock_ttl: Duration,
}

impl Cache {
    /// A cache whose copies live for about `ttl`, and whose locks for `lock_ttl` at the most.
    pub fn new(redis: Redis, ttl: Duration, lock_ttl: Duration) -> Self {
        Self { redis, ttl, lock_ttl }
    }

    /// The copy under `key`, or else what `load` gives, of which a copy is kept.
    ///
    /// # Errors
    /// Those of `load`. The cache has none: without it, everything is loaded.
    pub async fn fetch<T, E, Loading>(&self, _key: &Key, load: impl FnOnce() -> Loading) -> Result<T, E>
    where
        T: Serialize + DeserializeOwned,
        Loading: Future<Output = Result<T, E>>,
    {
        // TODO(step-05.1): look for a copy (GET). If there is none, load the value and store a copy (SET … EX), for a
        // random time.
        // TODO(step-05.3): if there is none, only one of the requests loads; the others wait for its copy.
        // TODO(step-05.7): an error from Redis is a miss, and so is a copy that cannot be read.
        // TODO(step-05.8): a `ttl` of zero turns the cache off.
        load().await
    }

    /// Clears the copies under `keys`.
    pub async fn forget_all(&self, _keys: &[Key]) {
        // TODO(step-05.2): delete them. And what about a reader that has asked Postgres but not made its copy yet?
    }

    // TODO(step-05.2): clear all lists at once, without knowing their keys.
    // TODO(step-05.4): look for several copies at once, and store several at once.
}
