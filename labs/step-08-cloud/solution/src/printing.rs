//! The ticket printer. It is an old one: it knows ISO 8859-1, and prints nothing rather than something else.

use uuid::Uuid;

use crate::model::Order;

/// What the printer writes.
pub const MEDIA_TYPE: &str = "text/plain; charset=iso-8859-1";

/// A character that the printer does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the printer does not know {0:?}")]
pub struct Unprintable(char);

/// The ticket of an order.
///
/// # Errors
/// The order has a character that the printer does not know. It will not know it the next time either.
pub fn print(order: &Order) -> Result<Vec<u8>, Unprintable> {
    let text = format!("order {}\nevent {}\nname {}\n", order.id, order.event, order.name);
    text.chars().map(|character| u8::try_from(character).map_err(|_| Unprintable(character))).collect()
}

/// What the ticket is called when it is saved.
pub fn file_name(order: Uuid) -> String {
    format!("ticket-{order}.txt")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(name: &str) -> Order {
        Order { id: Uuid::nil(), event: "Jazz at Noon".into(), name: name.into() }
    }

    #[test]
    fn a_ticket_is_printed_in_latin_1_or_not_at_all() {
        let ticket = print(&order("José")).unwrap();
        assert!(ticket.ends_with(b"\nevent Jazz at Noon\nname Jos\xe9\n"));
        assert_eq!(print(&order("Łukasz")), Err(Unprintable('Ł')));
    }
}
