//! What is wrong with a connection path at the moment.

use std::time::Duration;

/// How connections fare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Link {
    /// As they should.
    #[default]
    Open,
    /// They stay, and nothing passes.
    Stopped,
    /// They are reset; new ones are closed at once.
    Cut,
    /// They are reset; new ones are refused.
    Refused,
}

/// The faults in force.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Faults {
    pub link: Link,
    /// How late answers are.
    pub delay: Duration,
    /// How often connections were cut. A cut that is restored at once still ends every connection made before it.
    pub cuts: u64,
}

impl Faults {
    /// Cuts what is connected and leaves the path in `link`.
    pub fn cut(&mut self, link: Link) {
        self.link = link;
        self.cuts += 1;
    }

    /// Whether a connection made after `cuts` cuts has to end.
    pub fn end(&self, cuts: u64) -> bool {
        self.cuts != cuts || matches!(self.link, Link::Cut | Link::Refused)
    }

    /// Whether anything may pass on a connection made after `cuts` cuts.
    pub fn flow(&self, cuts: u64) -> bool {
        self.cuts == cuts && self.link == Link::Open
    }
}
