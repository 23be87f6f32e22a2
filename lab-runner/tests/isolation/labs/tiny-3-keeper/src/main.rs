//! The starter.

fn main() {}
