//! Reviews.

use super::{Store, StoreError};
use crate::model::Review;

impl Store {
    /// Keeps a review as it was written.
    ///
    /// # Errors
    /// The database failed.
    pub async fn create_review(&self, event_id: i64, author_id: i64, text: &str) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO reviews (event_id, author_id, text) VALUES ($1, $2, $3)")
            .bind(event_id)
            .bind(author_id)
            .bind(text)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Reads the reviews of an event, the latest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn reviews(&self, event_id: i64) -> Result<Vec<Review>, StoreError> {
        let reviews = sqlx::query_as(
            "SELECT u.name AS author, r.text FROM reviews r JOIN users u ON u.id = r.author_id
             WHERE r.event_id = $1 ORDER BY r.id DESC LIMIT 100",
        )
        .bind(event_id)
        .fetch_all(&self.pool)
        .await?;
        Ok(reviews)
    }
}
