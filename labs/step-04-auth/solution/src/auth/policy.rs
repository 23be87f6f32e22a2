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

#[cfg(test)]
mod tests {
    use super::*;

    fn account(id: i64, role: Role) -> Account {
        Account { id, email: "ada@example.com".into(), name: "Ada".into(), role, disabled: false }
    }

    /// An order of customer 8 for an event of organizer 7.
    const ORDER: Order = Order { id: 1, event_id: 1, customer_id: 8, seats: 2, total_cents: 9_000, organizer_id: 7 };

    #[test]
    fn an_order_is_seen_by_both_sides_and_cancelled_by_its_customer() {
        let table = [
            (7, Role::Organizer, true, false),
            (8, Role::Customer, true, true),
            (9, Role::Admin, true, true),
            (9, Role::Organizer, false, false),
            (9, Role::Customer, false, false),
        ];
        for (id, role, sees, cancels) in table {
            let who = account(id, role);
            assert_eq!(
                (may::see(&who, &ORDER).is_ok(), may::cancel(&who, &ORDER).is_ok()),
                (sees, cancels),
                "{role:?}"
            );
        }
    }

    #[test]
    fn what_somebody_owned_in_another_role_is_theirs_no_longer() {
        assert_eq!(may::see(&account(7, Role::Customer), &ORDER), Err(Forbidden));
        assert_eq!(may::see(&account(8, Role::Organizer), &ORDER), Err(Forbidden));
        assert_eq!(may::cancel(&account(8, Role::Organizer), &ORDER), Err(Forbidden));
    }
}
