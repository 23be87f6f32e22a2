//! Who may do what. Every rule stands here, and every handler asks for one by name.

use crate::model::{Account, Event, Order, Role};

/// They are known, and still may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("you may not do this")]
pub struct Forbidden;

/// The rules. Whatever no rule allows is forbidden.
pub mod may {
    use super::*;

    /// Make events.
    ///
    /// # Errors
    /// They may not.
    pub fn create_events(who: &Account) -> Result<(), Forbidden> {
        allow(matches!(who.role, Role::Organizer | Role::Admin))
    }

    /// Change or remove an event, and see its orders. An organizer who is one no longer keeps nothing.
    ///
    /// # Errors
    /// They may not.
    pub fn manage(who: &Account, event: &Event) -> Result<(), Forbidden> {
        allow(match who.role {
            Role::Admin => true,
            Role::Organizer => event.organizer_id == who.id,
            Role::Customer => false,
        })
    }

    /// Place orders.
    ///
    /// # Errors
    /// They may not.
    pub fn order(who: &Account) -> Result<(), Forbidden> {
        allow(who.role == Role::Customer)
    }

    /// List orders. Customers see their own.
    ///
    /// # Errors
    /// They may not.
    pub fn list_orders(who: &Account) -> Result<(), Forbidden> {
        allow(matches!(who.role, Role::Customer | Role::Admin))
    }

    /// See an order.
    ///
    /// # Errors
    /// They may not.
    pub fn see(who: &Account, order: &Order) -> Result<(), Forbidden> {
        allow(match who.role {
            Role::Admin => true,
            Role::Organizer => order.organizer_id == who.id,
            Role::Customer => order.customer_id == who.id,
        })
    }

    /// Cancel an order.
    ///
    /// # Errors
    /// They may not.
    pub fn cancel(who: &Account, order: &Order) -> Result<(), Forbidden> {
        allow(match who.role {
            Role::Admin => true,
            Role::Organizer => false,
            Role::Customer => order.customer_id == who.id,
        })
    }

    /// See and change other people's accounts.
    ///
    /// # Errors
    /// They may not.
    pub fn administer(who: &Account) -> Result<(), Forbidden> {
        allow(who.role == Role::Admin)
    }

    fn allow(holds: bool) -> Result<(), Forbidden> {
        if holds { Ok(()) } else { Err(Forbidden) }
    }
}
