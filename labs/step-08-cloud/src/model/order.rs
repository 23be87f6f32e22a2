//! Orders.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use uuid::Uuid;

use super::{Invalid, is_line};

/// An order as clients see it.
#[derive(Debug, Clone, Serialize, FromRow)]
pub struct Order {
    /// Its id.
    pub id: Uuid,
    /// What it is for.
    pub event: String,
    /// Who comes.
    pub name: String,
}

/// An order to be made.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "OrderRequest")]
pub struct NewOrder {
    /// What it is for.
    pub event: String,
    /// Who comes.
    pub name: String,
}

#[derive(Deserialize)]
struct OrderRequest {
    event: String,
    name: String,
}

impl TryFrom<OrderRequest> for NewOrder {
    type Error = Invalid;

    fn try_from(OrderRequest { event, name }: OrderRequest) -> Result<Self, Invalid> {
        if is_line(&event) && is_line(&name) {
            Ok(Self { event, name })
        } else {
            Err(Invalid("event and name have 1 to 200 characters, none of them a control character"))
        }
    }
}
