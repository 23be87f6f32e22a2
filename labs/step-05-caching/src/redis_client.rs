//! The connection to Redis: one that all requests share, and that comes back by itself.

use std::fmt;
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, Cmd, FromRedisValue, Pipeline, RedisError, ScriptInvocation};
use secrecy::{ExposeSecret as _, SecretString};

/// Redis. Clones share one connection, on which commands of many requests follow each other without waiting.
#[derive(Clone)]
pub struct Redis {
    connection: ConnectionManager,
}

/// Why Redis gave no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub enum RedisFailure {
    /// It is out of reach, or refuses.
    #[error("redis: {0}")]
    Failed(#[from] RedisError),
}

impl Redis {
    /// Prepares the connection. It is made with the first command, and again after each loss.
    ///
    /// # Errors
    /// The URL makes no sense.
    pub fn open(url: &SecretString, _timeout: Duration) -> Result<Self, RedisError> {
        // TODO(step-05.7): no command may wait longer than the timeout, and no request for several attempts to connect.
        let config = ConnectionManagerConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let connection = ConnectionManager::new_lazy_with_config(Client::open(url.expose_secret())?, config)?;
        Ok(Self { connection })
    }

    /// Runs one command, such as `redis.run(Cmd::new().arg("GET").arg("key"))`.
    ///
    /// # Errors
    /// Redis is out of reach, or refused.
    pub async fn run<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, RedisFailure> {
        Ok(command.query_async(&mut self.connection.clone()).await?)
    }

    /// Sends several commands at once and reads their answers together: one round trip for all of them.
    ///
    /// # Errors
    /// Redis is out of reach, or refused.
    pub async fn run_all<T: FromRedisValue>(&self, commands: &Pipeline) -> Result<T, RedisFailure> {
        Ok(commands.query_async(&mut self.connection.clone()).await?)
    }

    /// Runs a script, which nothing can come in between.
    ///
    /// # Errors
    /// Redis is out of reach, or refused.
    pub async fn invoke<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> Result<T, RedisFailure> {
        Ok(script.invoke_async(&mut self.connection.clone()).await?)
    }
}

impl fmt::Debug for Redis {
    /// The URL may hold a password, and is not shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").finish_non_exhaustive()
    }
}
