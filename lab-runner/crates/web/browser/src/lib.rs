//! The page of `cargo lab` as Chromium has it: everything is in the tests.
