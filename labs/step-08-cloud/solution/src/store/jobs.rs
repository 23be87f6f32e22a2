//! Jobs, as far as the database is what counts: that one was accepted, that it is on its way, that it is done.

use sqlx::FromRow;
use tracing::instrument;
use uuid::Uuid;

use super::{Store, StoreError, new_id};
use crate::configuration::User;
use crate::model::{Job, JobState, Order};
use crate::printing;

/// A job whose try has begun, or that needs none.
#[derive(Debug)]
pub enum Begun {
    /// Print this, as that file.
    Print(Order, Uuid),
    /// It is done already.
    Done,
    /// It has failed for good.
    Failed(Failed),
    /// There is no such job.
    Unknown,
}

/// A job that has failed for good.
#[derive(Debug, Clone, FromRow)]
pub struct Failed {
    /// Its id.
    pub id: Uuid,
    /// Whose ticket it was to print.
    pub order_id: Uuid,
    /// How often it was begun.
    pub tries: i32,
    /// Why it failed the last time.
    pub error: String,
}

/// Jobs that the broker has not confirmed yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outgoing {
    /// All of them.
    All,
    /// Those that whoever accepted them has left to others: it has had time enough.
    LeftBehind,
}

const JOB: &str = "id, order_id, state, tries, file_id";

impl Store {
    /// Accepts the job that prints an order's ticket. There is one for an order, however often it is asked for.
    ///
    /// # Errors
    /// The database failed.
    #[instrument(skip(self, owner))]
    pub async fn accept_job(&self, owner: &User, order: Uuid) -> Result<Job, StoreError> {
        // The update changes nothing: an insert that does nothing would return nothing.
        let job = sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "INSERT INTO jobs (id, order_id, owner) VALUES ($1, $2, $3)
             ON CONFLICT (order_id) DO UPDATE SET order_id = excluded.order_id RETURNING {JOB}"
        )))
        .bind(new_id())
        .bind(order)
        .bind(owner.as_str())
        .fetch_one(&self.pool)
        .await?;
        Ok(job)
    }

    /// Reads somebody's job.
    ///
    /// # Errors
    /// The database failed.
    #[instrument(skip(self, owner))]
    pub async fn job(&self, owner: &User, id: Uuid) -> Result<Option<Job>, StoreError> {
        let query = format!("SELECT {JOB} FROM jobs WHERE id = $1 AND owner = $2");
        let query = sqlx::query_as(sqlx::AssertSqlSafe(query)).bind(id).bind(owner.as_str());
        Ok(query.fetch_optional(&self.pool).await?)
    }

    /// Some of the jobs that the broker has not confirmed, the oldest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn outgoing(&self, which: Outgoing, most: i64) -> Result<Vec<Uuid>, StoreError> {
        let jobs = sqlx::query_scalar(
            "SELECT id FROM jobs WHERE published_at IS NULL AND ($1 OR created_at < now() - interval '1 second')
             ORDER BY created_at LIMIT $2",
        )
        .bind(which == Outgoing::All)
        .bind(most)
        .fetch_all(&self.pool)
        .await?;
        Ok(jobs)
    }

    /// Writes that the broker has these jobs.
    ///
    /// # Errors
    /// The database failed.
    pub async fn published(&self, jobs: &[Uuid]) -> Result<(), StoreError> {
        sqlx::query("UPDATE jobs SET published_at = now() WHERE id = ANY($1)").bind(jobs).execute(&self.pool).await?;
        Ok(())
    }

    /// Begins a try, which gets a file of its own. From here on, no older try can finish the job.
    ///
    /// # Errors
    /// The database failed.
    #[instrument(skip(self))]
    pub async fn begin_try(&self, job: Uuid) -> Result<Begun, StoreError> {
        let file = new_id();
        let order: Option<Order> = sqlx::query_as(
            "WITH begun AS (
                 UPDATE jobs SET state = 'running', tries = tries + 1, printing = $2
                 WHERE id = $1 AND state IN ('queued', 'running') RETURNING order_id
             )
             SELECT id, event, name FROM orders JOIN begun ON id = order_id",
        )
        .bind(job)
        .bind(file)
        .fetch_optional(&self.pool)
        .await?;
        match order {
            Some(order) => Ok(Begun::Print(order, file)),
            None => self.ended_job(job).await,
        }
    }

    async fn ended_job(&self, id: Uuid) -> Result<Begun, StoreError> {
        let state: Option<JobState> =
            sqlx::query_scalar("SELECT state FROM jobs WHERE id = $1").bind(id).fetch_optional(&self.pool).await?;
        Ok(match state {
            None => Begun::Unknown,
            Some(JobState::Failed) => self.failed_job(id).await?.map_or(Begun::Unknown, Begun::Failed),
            Some(_) => Begun::Done,
        })
    }

    async fn failed_job(&self, id: Uuid) -> Result<Option<Failed>, StoreError> {
        let failed = sqlx::query_as(
            "SELECT id, order_id, tries, coalesce(error, '') AS error FROM jobs WHERE id = $1 AND state = 'failed'",
        );
        Ok(failed.bind(id).fetch_optional(&self.pool).await?)
    }

    /// Makes what a try has printed the ticket, unless a newer try has begun. Tells which.
    ///
    /// # Errors
    /// The database failed.
    #[instrument(skip(self))]
    pub async fn finish_try(&self, job: Uuid, file: Uuid) -> Result<bool, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let won: Option<(Uuid, String)> = sqlx::query_as(
            "UPDATE jobs SET state = 'done' WHERE id = $1 AND state = 'running' AND printing = $2
             RETURNING order_id, owner",
        )
        .bind(job)
        .bind(file)
        .fetch_optional(&mut *transaction)
        .await?;
        let Some((order, owner)) = won else { return Ok(false) };
        sqlx::query("INSERT INTO files (id, owner, name, media_type) VALUES ($1, $2, $3, $4)")
            .bind(file)
            .bind(owner)
            .bind(printing::file_name(order))
            .bind(printing::MEDIA_TYPE)
            .execute(&mut *transaction)
            .await?;
        sqlx::query("UPDATE jobs SET file_id = $2 WHERE id = $1")
            .bind(job)
            .bind(file)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Writes that a try has failed by the job's own fault. Tells of the job if it was the last one.
    ///
    /// # Errors
    /// The database failed.
    #[instrument(skip(self))]
    pub async fn fail_try(&self, job: Uuid, file: Uuid, error: &str, most: u32) -> Result<Option<Failed>, StoreError> {
        sqlx::query(
            "UPDATE jobs SET failures = failures + 1, error = $3, printing = NULL,
                 state = CASE WHEN failures + 1 < $4 THEN 'queued' ELSE 'failed' END
             WHERE id = $1 AND state = 'running' AND printing = $2",
        )
        .bind(job)
        .bind(file)
        .bind(error)
        .bind(i64::from(most))
        .execute(&self.pool)
        .await?;
        self.failed_job(job).await
    }

    /// Writes that a try was given up, which is nobody's fault.
    ///
    /// # Errors
    /// The database failed.
    #[instrument(skip(self))]
    pub async fn give_up_try(&self, job: Uuid, file: Uuid) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE jobs SET state = 'queued', printing = NULL WHERE id = $1 AND state = 'running' AND printing = $2",
        )
        .bind(job)
        .bind(file)
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
