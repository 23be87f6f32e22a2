//! Whether there is room for more on the disk of a cluster: seen by writing, wherever that disk is, and undone.

use sqlx::{Connection as _, Executor as _};

use super::pg_error;
use super::server::Server;

/// What is written: 32 MB, in pages that are filled by one row each, which nothing compresses.
const FILL: &str = "
    create temporary table lab_room (filling text) on commit drop;
    alter table lab_room alter filling set storage plain;
    insert into lab_room select repeat('x', 7900) from generate_series(1, 4096)";

impl Server {
    /// Whether there is room for more. What a submission says or raises does not matter.
    pub async fn has_room(&self) -> sqlx::Result<bool> {
        let mut connection = self.pool.acquire().await?;
        let mut transaction = connection.begin().await?;
        let filled = transaction.execute(FILL).await;
        transaction.rollback().await?;
        match filled {
            Ok(_) => Ok(true),
            Err(error) if is_full_disk(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Whether `error` says that the disk is full.
pub(super) fn is_full_disk(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| pg_error::is_full_disk(&code))
}
