//! nginx as a suite uses it: with TLS in front of a server under test, for one check.
//!
//! Where the program is on this machine, a check starts one with settings of its own ([`Nginx::in_front_of`]). Elsewhere
//! such a check is not applicable: what somebody else's nginx does is somebody else's to say.

mod driver;
mod front;
mod nginx;
mod tunnel;

pub use driver::{Driver, LabNginx};
pub use front::Front;
pub use nginx::Nginx;
