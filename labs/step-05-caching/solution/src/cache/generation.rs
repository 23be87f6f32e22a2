//! Clearing many copies at once, without knowing their names.

use std::time::Duration;

use redis::{Cmd, Pipeline};

use super::{Cache, Lease};
use crate::redis_client::RedisFailure;

/// Longer than any copy lives. A generation that is lost is merely a new one: its name is random, never used again.
const LIFE: Duration = Duration::from_secs(24 * 3_600);

impl Cache {
    /// The current generation of a group of copies, to be made a part of their keys; begins one where there is none.
    /// Nothing, if Redis is away or the cache off.
    pub async fn generation(&self, group: &str) -> Option<String> {
        if self.is_off() {
            return None;
        }
        self.try_generation(group).await.inspect_err(|failure| tracing::warn!(%failure, "read past the cache")).ok()
    }

    async fn try_generation(&self, group: &str) -> Result<String, RedisFailure> {
        match self.redis.run::<Option<String>>(Cmd::new().arg("GET").arg(group)).await {
            Ok(Some(generation)) if is_ours(&generation) => return Ok(generation),
            Ok(None) => {}
            Err(failure) if !is_unreadable(&failure) => return Err(failure),
            Ok(Some(_)) | Err(_) => self.redis.run(Cmd::new().arg("DEL").arg(group)).await?,
        }
        let mut begin = Pipeline::new();
        let fresh = Lease::random();
        begin.cmd("SET").arg(group).arg(fresh.token()).arg("NX").arg("PX").arg(LIFE.as_millis() as u64).ignore();
        begin.cmd("GET").arg(group);
        let (generation,) = self.redis.run_all(&begin).await?;
        Ok(generation)
    }

    /// Begins a new generation: no copy of the one before is read again, also none that is still being made.
    pub async fn forget_group(&self, group: &str) {
        if let Err(failure) = self.try_forget_group(group).await {
            tracing::warn!(%failure, "could not clear the cache: old values stay until they expire");
        }
    }

    async fn try_forget_group(&self, group: &str) -> Result<(), RedisFailure> {
        let fresh = Lease::random();
        self.redis.run(Cmd::new().arg("SET").arg(group).arg(fresh.token()).arg("PX").arg(LIFE.as_millis() as u64)).await
    }
}

fn is_ours(generation: &str) -> bool {
    generation.len() == 32 && generation.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// It holds another type, or bytes that are no text.
fn is_unreadable(failure: &RedisFailure) -> bool {
    use crate::redis_client::RedisFailure::Failed;
    failure.is_wrong_type() || matches!(failure, Failed(error) if !error.is_io_error() && !error.is_timeout())
}
