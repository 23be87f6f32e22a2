//! An object store that speaks S3 as a suite uses it: each check's own bucket, and a key that opens no other.
//!
//! A run connects once ([`Stores`]). A check gets a bucket and a user ([`Store`]), and its server two ways to them: the
//! endpoint that it talks to itself, and the one that its clients reach, which signed URLs carry. Each leads through a
//! proxy of its own, so that what passes is counted apart.

mod driver;
mod room;
mod signature;
mod store;
mod stores;
mod xml;

pub use driver::{Driver, LabStore};
pub use store::{Object, Store, Traffic, Upload};
pub use stores::Stores;
