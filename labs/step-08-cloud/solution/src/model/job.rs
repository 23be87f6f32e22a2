//! Jobs: tickets that are to be printed.

use serde::Serialize;
use sqlx::FromRow;
use uuid::Uuid;

/// What has become of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, sqlx::Type)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum JobState {
    /// It waits for a worker.
    Queued,
    /// A worker has it in hand.
    Running,
    /// The ticket is there.
    Done,
    /// It was tried often enough.
    Failed,
}

/// A job as clients see it.
#[derive(Debug, Clone, Serialize, FromRow)]
pub struct Job {
    /// Its id.
    pub id: Uuid,
    /// Whose ticket it prints.
    #[serde(rename = "order")]
    pub order_id: Uuid,
    /// What has become of it.
    pub state: JobState,
    /// How often it was begun.
    pub tries: i32,
    /// The ticket, when it is there.
    #[serde(rename = "file")]
    pub file_id: Option<Uuid>,
}
