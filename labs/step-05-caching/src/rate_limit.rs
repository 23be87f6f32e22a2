//! How often somebody may try, to be counted for all servers together.

use std::net::IpAddr;
use std::time::Duration;

use crate::redis_client::{Redis, RedisFailure};

/// A limit on attempts of one address in one window.
#[derive(Debug, Clone)]
#[allow(dead_code, reason = "remove this line when you use all of them")]
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
    /// At most `limit` attempts in a `window`.
    pub fn new(redis: Redis, limit: u64, window: Duration) -> Self {
        Self { redis, limit, window }
    }

    /// Counts an attempt from `address`.
    ///
    /// # Errors
    /// Redis failed, and nothing can be said.
    pub async fn attempt(&self, _address: IpAddr) -> Result<Verdict, RedisFailure> {
        // TODO(step-05.6): count in one step, end the window, say how long to wait.
        Ok(Verdict::Allowed)
    }
}
