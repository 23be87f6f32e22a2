//! An error in words, as it stands in messages and reports.

use std::error::Error;

/// What `error` says, and each of its causes once, behind colons. Our own errors leave their cause to this; those of
/// libraries often end in it already.
///
/// ```
/// let error = std::io::Error::other("the disk is full");
/// assert_eq!(lab_protocol::in_full(&error), "the disk is full");
/// ```
#[must_use]
pub fn in_full(error: &dyn Error) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if !message.ends_with(&text) {
            message.push_str(": ");
            message.push_str(&text);
        }
        source = cause.source();
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    enum Outer {
        #[error("cannot read the canary")]
        Leaves(#[source] std::io::Error),
        #[error("cannot read the canary: {0}")]
        Repeats(#[source] std::io::Error),
        #[error(transparent)]
        Transparent(Box<Outer>),
    }

    #[test]
    fn each_cause_is_said_once() {
        let cause = || std::io::Error::other("the disk is gone");
        let leaves = Outer::Leaves(cause());
        for error in [Outer::Repeats(cause()), Outer::Transparent(Box::new(leaves))] {
            assert_eq!(in_full(&error), "cannot read the canary: the disk is gone");
        }
    }
}
