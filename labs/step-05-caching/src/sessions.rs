//! Who is logged in. Sessions are to live in Redis, so that every server knows them and a restart ends none.

use crate::configuration::SessionLimits;
use crate::model::Customer;
use crate::redis_client::{Redis, RedisFailure};

/// The sessions. Clones share one connection.
#[derive(Debug, Clone)]
#[allow(dead_code, reason = "remove this line when you use all of them")]
pub struct Sessions {
    redis: Redis,
    limits: SessionLimits,
}

impl Sessions {
    /// Sessions with these limits.
    pub fn new(redis: Redis, limits: SessionLimits) -> Self {
        Self { redis, limits }
    }

    /// Begins a session and gives its token, if that can be done.
    ///
    /// # Errors
    /// Redis failed.
    pub async fn begin(&self, _customer: Customer) -> Result<Option<String>, RedisFailure> {
        // TODO(step-05.5): generate a random token that nobody can guess, and store under it who is logged in and when
        // the session ends.
        Ok(None)
    }

    /// Whose session this is, if it has not ended. Its idle time begins anew.
    ///
    /// # Errors
    /// Redis failed. That is not the same as no session: nobody is to be logged out by an outage.
    pub async fn customer(&self, _token: &str) -> Result<Option<Customer>, RedisFailure> {
        // TODO(step-05.5): look up the session. It has two limits: a time since its last use, and a time since its
        // start.
        Ok(None)
    }

    /// Ends a session.
    ///
    /// # Errors
    /// Redis failed.
    pub async fn end(&self, _token: &str) -> Result<(), RedisFailure> {
        // TODO(step-05.5): delete it.
        Ok(())
    }
}
