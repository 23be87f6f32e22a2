//! Who somebody is, and what they may do.

mod bearer;
mod log_in;
mod passwords;
mod policy;
mod secret;
mod throttle;
mod tokens;

pub use bearer::Bearer;
pub use log_in::{LogIn, LogInError};
pub use passwords::HashingError;
pub use policy::{Forbidden, may};
pub use secret::Secret;
pub use throttle::{Limits, TooManyFailures};
pub use tokens::{InvalidToken, TokenKeys, Tokens};
