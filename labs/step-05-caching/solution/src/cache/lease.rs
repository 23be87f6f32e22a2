//! The right to make a copy.

use std::sync::LazyLock;

use redis::{Cmd, Script};

use super::{Cache, Key, expiry};
use crate::redis_client::RedisFailure;

/// The copy if there is one by now, or the lease if nobody has it. In one step: between two, the copy may appear.
static LOOK_OR_LEASE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local value = redis.call('GET', KEYS[1])
         if value then return {value, 0} end
         if redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then return {false, 1} end
         return {false, 0}",
    )
});

/// Keeps a copy unless the lease was taken away or has run out, and ends the lease.
const FILL: &str = "if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
     redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
     redis.call('DEL', KEYS[2])
     return 1";

/// Ends a lease, if it is still the same one.
const GIVE_BACK: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end return 1";

/// A lease: whoever has its token may make the copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease(String);

/// What Redis says of a key.
#[derive(Debug)]
pub enum Answer {
    /// There is a copy.
    Value(Vec<u8>),
    /// There is something that is no copy.
    Foreign,
    /// There is none, and the asker has the lease.
    Leased(Lease),
    /// There is none, and somebody else has the lease.
    Busy,
}

impl Lease {
    /// A token that nobody else has.
    pub fn random() -> Self {
        Self(format!("{:032x}", rand::random::<u128>()))
    }

    pub fn token(&self) -> &str {
        &self.0
    }
}

impl Cache {
    /// Looks for a copy, and asks for the lease only if there is none: a hit is one plain `GET`.
    pub(super) async fn look(&self, key: &Key) -> Result<Answer, RedisFailure> {
        match self.redis.run(Cmd::new().arg("GET").arg(key.value())).await {
            Ok(Some(bytes)) => Ok(Answer::Value(bytes)),
            Ok(None) => self.look_or_lease(key).await,
            Err(failure) if failure.is_wrong_type() => Ok(Answer::Foreign),
            Err(failure) => Err(failure),
        }
    }

    /// Looks once more, and takes the lease if it is free.
    pub(super) async fn look_or_lease(&self, key: &Key) -> Result<Answer, RedisFailure> {
        let lease = Lease::random();
        let (value, leased): (Option<Vec<u8>>, bool) = self
            .redis
            .invoke(
                LOOK_OR_LEASE.key(key.value()).key(key.lock()).arg(lease.token()).arg(self.lock_ttl.as_millis() as u64),
            )
            .await?;
        Ok(match value {
            Some(bytes) => Answer::Value(bytes),
            None if leased => Answer::Leased(lease),
            None => Answer::Busy,
        })
    }

    pub(super) async fn try_fill(&self, key: &Key, lease: &Lease, bytes: &[u8]) -> Result<(), RedisFailure> {
        self.redis.run(&self.filling(key, lease, bytes)).await
    }

    /// The command that keeps a copy.
    pub(super) fn filling(&self, key: &Key, lease: &Lease, bytes: &[u8]) -> Cmd {
        let mut command = Cmd::new();
        command.arg("EVAL").arg(FILL).arg(2).arg(key.value()).arg(key.lock());
        command.arg(lease.token()).arg(bytes).arg(expiry::jittered(self.ttl).as_millis() as u64);
        command
    }

    /// Lets the next reader try at once, where this one could not load.
    pub(super) async fn give_back(&self, key: &Key, lease: &Lease) {
        let mut command = Cmd::new();
        command.arg("EVAL").arg(GIVE_BACK).arg(1).arg(key.lock()).arg(lease.token());
        if let Err(failure) = self.redis.run::<()>(&command).await {
            tracing::debug!(%failure, "a lease is left to expire");
        }
    }
}
