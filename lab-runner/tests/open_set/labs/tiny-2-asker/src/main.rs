//! The starter: it does nothing yet.

fn main() {}
