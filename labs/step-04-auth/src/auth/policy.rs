//! Who may do what. Every rule stands here, and every handler asks for one by name.

use crate::model::{Account, Role};

/// They are known, and still may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("you may not do this")]
pub struct Forbidden;

/// The rules. Whatever no rule allows is forbidden.
pub mod may {
    use super::*;

    // TODO(step-04.5): write a rule like this one for each row of the README's table, and call it in each handler.

    /// List orders. Customers see their own.
    ///
    /// # Errors
    /// They may not.
    pub fn list_orders(who: &Account) -> Result<(), Forbidden> {
        allow(matches!(who.role, Role::Customer | Role::Admin))
    }

    fn allow(holds: bool) -> Result<(), Forbidden> {
        if holds { Ok(()) } else { Err(Forbidden) }
    }
}
