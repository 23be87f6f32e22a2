//! The cookies of one visitor, kept and sent as a browser does: for the suite of a lab with sessions.

mod jar;

pub use cookie::Cookie;
pub use jar::CookieJar;
