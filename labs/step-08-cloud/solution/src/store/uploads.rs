//! Uploads, and the files that they become. Each change of state says from which state, so that of two that happen at the
//! same time one finds that it is too late.

use std::num::NonZeroU64;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::postgres::PgRow;
use sqlx::{FromRow, Row as _};
use tracing::instrument;
use uuid::Uuid;

use super::{Store, StoreError, new_id};
use crate::configuration::User;
use crate::model::{Content, NewUpload, PartPlan, Sha256, Upload};

/// Something that can be downloaded.
#[derive(Debug, Clone, FromRow)]
pub struct File {
    /// Its id, which is also its key.
    pub id: Uuid,
    /// What people call it.
    pub name: String,
    /// What it is.
    pub media_type: String,
}

const COLUMNS: &str = "id, media_type, size, sha256, part_size, multipart_id, state, expires_at";

impl FromRow<'_, PgRow> for Upload {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let unreadable = |name: &str| sqlx::Error::ColumnDecode { index: name.into(), source: "out of range".into() };
        let number = |name: &str, value: i64| u64::try_from(value).map_err(|_| unreadable(name));
        let size = number("size", row.try_get("size")?)?;
        let sha256: [u8; 32] = row.try_get("sha256")?;
        let media_type: String = row.try_get("media_type")?;
        let media_type = media_type.parse().map_err(|_| unreadable("media_type"))?;
        let part_size: Option<i64> = row.try_get("part_size")?;
        let part_size = part_size.map(|value| number("part_size", value)).transpose()?.and_then(NonZeroU64::new);
        Ok(Self {
            id: row.try_get("id")?,
            content: Content { media_type, size, sha256: Sha256(sha256) },
            parts: part_size.map(|part_size| PartPlan { total: size, part_size }),
            multipart_id: row.try_get("multipart_id")?,
            state: row.try_get("state")?,
            expires_at: row.try_get("expires_at")?,
        })
    }
}

impl Store {
    /// Writes that something will be brought. That comes before anything is in the object store: what is there and in no
    /// row is of no use.
    ///
    /// # Errors
    /// The database failed.
    #[instrument(skip_all)]
    pub async fn open_upload(
        &self,
        owner: &User,
        new: &NewUpload,
        parts: Option<PartPlan>,
        expires: Duration,
    ) -> Result<Upload, StoreError> {
        let expires_at: DateTime<Utc> = Utc::now() + expires;
        let part_size = parts.map(|plan| plan.part_size.get());
        let upload = sqlx::query_as(sqlx::AssertSqlSafe(format!(
            "INSERT INTO uploads (id, owner, name, media_type, size, sha256, part_size, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING {COLUMNS}"
        )))
        .bind(new_id())
        .bind(owner.as_str())
        .bind(new.name.as_str())
        .bind(new.content.media_type.as_str())
        .bind(new.content.size.cast_signed())
        .bind(new.content.sha256.0)
        .bind(part_size.map(u64::cast_signed))
        .bind(expires_at)
        .fetch_one(&self.pool)
        .await?;
        Ok(upload)
    }

    /// Writes what the object store calls an upload in parts.
    ///
    /// # Errors
    /// The database failed.
    #[instrument(skip(self))]
    pub async fn name_multipart(&self, id: Uuid, multipart_id: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE uploads SET multipart_id = $2 WHERE id = $1")
            .bind(id)
            .bind(multipart_id)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Reads somebody's upload.
    ///
    /// # Errors
    /// The database failed.
    #[instrument(skip(self, owner))]
    pub async fn upload(&self, owner: &User, id: Uuid) -> Result<Option<Upload>, StoreError> {
        let query = format!("SELECT {COLUMNS} FROM uploads WHERE id = $1 AND owner = $2");
        let query = sqlx::query_as(sqlx::AssertSqlSafe(query)).bind(id).bind(owner.as_str());
        Ok(query.fetch_optional(&self.pool).await?)
    }

    /// Makes a pending upload a file, both at once. Tells whether it was still pending.
    ///
    /// # Errors
    /// The database failed.
    #[instrument(skip(self))]
    pub async fn complete_upload(&self, id: Uuid) -> Result<bool, StoreError> {
        let made = sqlx::query(
            "WITH done AS (
                 UPDATE uploads SET state = 'complete' WHERE id = $1 AND state = 'pending'
                 RETURNING id, owner, name, media_type
             )
             INSERT INTO files (id, owner, name, media_type) SELECT id, owner, name, media_type FROM done",
        )
        .bind(id)
        .execute(&self.pool)
        .await?;
        Ok(made.rows_affected() == 1)
    }

    /// Ends a pending upload, which was not what it was said to be. Tells whether it was still pending.
    ///
    /// # Errors
    /// The database failed.
    #[instrument(skip(self))]
    pub async fn fail_upload(&self, id: Uuid) -> Result<bool, StoreError> {
        self.end_upload(id, "UPDATE uploads SET state = 'failed' WHERE id = $1 AND state = 'pending'").await
    }

    /// Ends an upload that nobody wants. Tells whether it was not complete.
    ///
    /// # Errors
    /// The database failed.
    #[instrument(skip(self))]
    pub async fn cancel_upload(&self, id: Uuid) -> Result<bool, StoreError> {
        self.end_upload(id, "UPDATE uploads SET state = 'cancelled' WHERE id = $1 AND state <> 'complete'").await
    }

    async fn end_upload(&self, id: Uuid, statement: &'static str) -> Result<bool, StoreError> {
        Ok(sqlx::query(statement).bind(id).execute(&self.pool).await?.rows_affected() == 1)
    }

    /// Reads somebody's file.
    ///
    /// # Errors
    /// The database failed.
    #[instrument(skip(self, owner))]
    pub async fn file(&self, owner: &User, id: Uuid) -> Result<Option<File>, StoreError> {
        let file = sqlx::query_as("SELECT id, name, media_type FROM files WHERE id = $1 AND owner = $2")
            .bind(id)
            .bind(owner.as_str())
            .fetch_optional(&self.pool)
            .await?;
        Ok(file)
    }
}
