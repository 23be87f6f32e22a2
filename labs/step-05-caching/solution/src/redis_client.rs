//! The connection to Redis: one that all requests share, that comes back by itself, and that nobody waits on for long.

use std::fmt;
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, Cmd, FromRedisValue, Pipeline, RedisError, ScriptInvocation};
use secrecy::{ExposeSecret as _, SecretString};

/// Redis. Clones share one connection, on which commands of many requests follow each other without waiting.
#[derive(Clone)]
pub struct Redis {
    connection: ConnectionManager,
    timeout: Duration,
}

/// Why Redis gave no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub enum RedisFailure {
    /// It did not answer in time.
    #[error("redis did not answer within {0:?}")]
    TimedOut(Duration),
    /// It is out of reach, or refuses.
    #[error("redis: {0}")]
    Failed(#[from] RedisError),
}

impl RedisFailure {
    /// Whether a key holds another type than the command is for: somebody else's value, or an older server's.
    pub fn is_wrong_type(&self) -> bool {
        matches!(self, Self::Failed(error) if error.code() == Some("WRONGTYPE"))
    }
}

impl Redis {
    /// Prepares the connection. It is made with the first command, and again after each loss.
    ///
    /// # Errors
    /// The URL makes no sense.
    pub fn open(url: &SecretString, timeout: Duration) -> Result<Self, RedisError> {
        // No retries while a request waits: the next request is the next try.
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(0)
            .set_connection_timeout(Some(timeout))
            .set_response_timeout(Some(timeout));
        let connection = ConnectionManager::new_lazy_with_config(Client::open(url.expose_secret())?, config)?;
        Ok(Self { connection, timeout })
    }

    /// Runs one command.
    ///
    /// # Errors
    /// Redis did not answer in time, or refused.
    pub async fn run<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, RedisFailure> {
        let mut connection = self.connection.clone();
        self.in_time(command.query_async(&mut connection)).await
    }

    /// Sends several commands at once and reads their answers together: one round trip for all of them.
    ///
    /// # Errors
    /// Redis did not answer in time, or refused.
    pub async fn run_all<T: FromRedisValue>(&self, commands: &Pipeline) -> Result<T, RedisFailure> {
        let mut connection = self.connection.clone();
        self.in_time(commands.query_async(&mut connection)).await
    }

    /// Runs a script.
    ///
    /// # Errors
    /// Redis did not answer in time, or refused.
    pub async fn invoke<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> Result<T, RedisFailure> {
        let mut connection = self.connection.clone();
        self.in_time(script.invoke_async(&mut connection)).await
    }

    async fn in_time<T>(&self, answer: impl Future<Output = Result<T, RedisError>>) -> Result<T, RedisFailure> {
        match tokio::time::timeout(self.timeout, answer).await {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(RedisFailure::TimedOut(self.timeout)),
        }
    }
}

impl fmt::Debug for Redis {
    /// The URL may hold a password, and is not shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}
