//! Orders.

use tracing::instrument;
use uuid::Uuid;

use super::{Store, StoreError, new_id};
use crate::configuration::User;
use crate::model::{NewOrder, Order};

impl Store {
    /// Writes an order.
    ///
    /// # Errors
    /// The database failed.
    #[instrument(skip_all)]
    pub async fn place_order(&self, owner: &User, new: &NewOrder) -> Result<Order, StoreError> {
        let order = sqlx::query_as(
            "INSERT INTO orders (id, owner, event, name) VALUES ($1, $2, $3, $4) RETURNING id, event, name",
        )
        .bind(new_id())
        .bind(owner.as_str())
        .bind(&new.event)
        .bind(&new.name)
        .fetch_one(&self.pool)
        .await?;
        Ok(order)
    }

    /// Reads somebody's order.
    ///
    /// # Errors
    /// The database failed.
    #[instrument(skip(self, owner))]
    pub async fn order(&self, owner: &User, id: Uuid) -> Result<Option<Order>, StoreError> {
        let order = sqlx::query_as("SELECT id, event, name FROM orders WHERE id = $1 AND owner = $2")
            .bind(id)
            .bind(owner.as_str())
            .fetch_optional(&self.pool)
            .await?;
        Ok(order)
    }
}
