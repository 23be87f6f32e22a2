//! Who is logged in. Sessions live in Redis, so that every server knows them and a restart ends none.

use std::time::Duration;

use chrono::{DateTime, Utc};
use redis::Cmd;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::configuration::SessionLimits;
use crate::model::Customer;
use crate::redis_client::{Redis, RedisFailure};

/// The sessions. Clones share one connection.
#[derive(Debug, Clone)]
pub struct Sessions {
    redis: Redis,
    limits: SessionLimits,
}

/// What is kept of a session.
#[derive(Debug, Serialize, Deserialize)]
struct Session {
    customer: Customer,
    ends_at: DateTime<Utc>,
}

impl Sessions {
    /// Sessions with these limits.
    pub fn new(redis: Redis, limits: SessionLimits) -> Self {
        Self { redis, limits }
    }

    /// Begins a session and gives its token: 256 random bits, and never one that the client brought along.
    ///
    /// # Errors
    /// Redis failed.
    pub async fn begin(&self, customer: Customer) -> Result<String, RedisFailure> {
        let token = hex::encode(rand::random::<[u8; 32]>());
        let session = Session { customer, ends_at: Utc::now() + self.limits.max };
        let life = self.limits.idle.min(self.limits.max);
        let text = serde_json::to_string(&session).unwrap_or_default();
        self.redis.run::<()>(Cmd::new().arg("SET").arg(key(&token)).arg(text).arg("PX").arg(millis(life))).await?;
        Ok(token)
    }

    /// Whose session this is, if it has not ended. Its idle time begins anew.
    ///
    /// # Errors
    /// Redis failed. That is not the same as no session: nobody is to be logged out by an outage.
    pub async fn customer(&self, token: &str) -> Result<Option<Customer>, RedisFailure> {
        let key = key(token);
        // Reading and prolonging in one step: a session that is ended meanwhile does not come back.
        let use_it = Cmd::new().arg("GETEX").arg(&key).arg("PX").arg(millis(self.limits.idle)).to_owned();
        let kept: Option<Vec<u8>> = match self.redis.run(&use_it).await {
            Err(failure) if failure.is_wrong_type() => None,
            kept => kept?,
        };
        let session: Option<Session> = kept.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        match session {
            Some(session) if session.ends_at > Utc::now() => Ok(Some(session.customer)),
            Some(_) => {
                self.redis.run::<()>(Cmd::new().arg("DEL").arg(&key)).await?;
                Ok(None)
            }
            None => Ok(None),
        }
    }

    /// Ends a session.
    ///
    /// # Errors
    /// Redis failed.
    pub async fn end(&self, token: &str) -> Result<(), RedisFailure> {
        self.redis.run(Cmd::new().arg("DEL").arg(key(token))).await
    }
}

/// The token's hash: who gets to read Redis cannot use what is there.
fn key(token: &str) -> String {
    format!("session:{}", hex::encode(Sha256::digest(token)))
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
