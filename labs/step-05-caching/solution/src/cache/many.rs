//! Reading many copies at once.

use redis::{Cmd, Pipeline};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::lease::Lease;
use super::{Cache, Key, entry};
use crate::redis_client::RedisFailure;

/// What a search for several copies comes to, one for each key and in the order of the keys.
#[derive(Debug)]
pub enum Found<T> {
    /// There is a copy.
    Hit(T),
    /// There is none. Who has a lease is to make it.
    Miss(Option<Lease>),
}

impl Cache {
    /// The copies under `keys`, and leases for those that are missing: at most two round trips, however many there are.
    /// Nobody is waited for.
    pub async fn search_many<T: DeserializeOwned>(&self, keys: &[Key]) -> Vec<Found<T>> {
        let misses = || keys.iter().map(|_| Found::Miss(None)).collect();
        if self.is_off() || keys.is_empty() {
            return misses();
        }
        self.try_search_many(keys).await.unwrap_or_else(|failure| {
            tracing::warn!(%failure, "read past the cache");
            misses()
        })
    }

    async fn try_search_many<T: DeserializeOwned>(&self, keys: &[Key]) -> Result<Vec<Found<T>>, RedisFailure> {
        let mut read = Cmd::new();
        read.arg("MGET");
        for key in keys {
            read.arg(key.value());
        }
        let copies: Vec<Option<Vec<u8>>> = self.redis.run(&read).await?;
        let decode = |bytes: Option<Vec<u8>>| bytes.and_then(|bytes| entry::decode(&bytes));
        let mut found: Vec<_> =
            copies.into_iter().map(|copy| decode(copy).map_or(Found::Miss(None), Found::Hit)).collect();
        self.lease_many(keys, &mut found).await?;
        Ok(found)
    }

    async fn lease_many<T>(&self, keys: &[Key], found: &mut [Found<T>]) -> Result<(), RedisFailure> {
        let mut pipeline = Pipeline::new();
        let mut wanted = Vec::new();
        for (key, place) in keys.iter().zip(found.iter_mut()) {
            if let Found::Miss(place) = place {
                let lease = Lease::random();
                pipeline.cmd("SET").arg(key.lock()).arg(lease.token());
                pipeline.arg("NX").arg("PX").arg(self.lock_ttl.as_millis() as u64);
                wanted.push((place, lease));
            }
        }
        if wanted.is_empty() {
            return Ok(());
        }
        let given: Vec<bool> = self.redis.run_all(&pipeline).await?;
        for ((place, lease), given) in wanted.into_iter().zip(given) {
            *place = given.then_some(lease);
        }
        Ok(())
    }

    /// Keeps copies of all that was leased, in one round trip.
    pub async fn fill_many<T: Serialize>(&self, loaded: &[(&Key, Lease, T)]) {
        if loaded.is_empty() {
            return;
        }
        let mut pipeline = Pipeline::new();
        for (key, lease, value) in loaded {
            pipeline.add_command(self.filling(key, lease, &entry::encode(value)));
        }
        if let Err(failure) = self.redis.run_all::<()>(&pipeline).await {
            tracing::warn!(%failure, "kept no copies");
        }
    }
}
