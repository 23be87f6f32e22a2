//! How often somebody may try, counted for all servers together.

use std::net::IpAddr;
use std::sync::LazyLock;
use std::time::Duration;

use redis::Script;

use crate::redis_client::{Redis, RedisFailure};

/// Counts an attempt, and begins the window with the first. In one step: nobody can come in between, and no crash can
/// leave a counter that never ends.
static COUNT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local count = redis.call('INCR', KEYS[1])
         if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
         return {count, redis.call('PTTL', KEYS[1])}",
    )
});

/// A limit on attempts of one address in one window.
#[derive(Debug, Clone)]
pub struct RateLimit {
    redis: Redis,
    limit: u64,
    window: Duration,
}

/// Whether an attempt is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is.
    Allowed,
    /// It is not, before this time is over.
    Refused(Duration),
}

impl RateLimit {
    /// At most `limit` attempts in a `window`, which begins with the first of them.
    pub fn new(redis: Redis, limit: u64, window: Duration) -> Self {
        Self { redis, limit, window }
    }

    /// Counts an attempt from `address`.
    ///
    /// # Errors
    /// Redis failed, and nothing can be said.
    pub async fn attempt(&self, address: IpAddr) -> Result<Verdict, RedisFailure> {
        let window = u64::try_from(self.window.as_millis()).unwrap_or(u64::MAX);
        let (count, left): (u64, i64) = self.redis.invoke(COUNT.key(format!("attempts:{address}")).arg(window)).await?;
        if count <= self.limit {
            return Ok(Verdict::Allowed);
        }
        Ok(Verdict::Refused(Duration::from_millis(u64::try_from(left).unwrap_or_default())))
    }
}
