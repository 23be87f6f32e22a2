//! JSON: values, how they are read and how they are written.

mod parse;
#[cfg(test)]
mod tests;
mod write;

use std::borrow::Cow;
use std::collections::BTreeMap;

pub use parse::{Error, parse};

/// A JSON value. It borrows from the text what needs no decoding.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number as it was written: no machine number holds them all.
    Number(Cow<'a, str>),
    /// A string, decoded.
    String(Cow<'a, str>),
    /// An array.
    Array(Vec<Value<'a>>),
    /// An object. A tree keeps the names sorted, and no choice of names makes it slow, as it would a list that is searched
    /// or a table of hashes.
    Object(BTreeMap<Cow<'a, str>, Value<'a>>),
}
