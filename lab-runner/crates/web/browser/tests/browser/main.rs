//! The page and the site as Chromium has them. Without it these tests say that they prove nothing; in CI that is a failure.

mod browser;
mod report;
#[expect(dead_code, reason = "the page's own tests use the rest")]
#[path = "../../../tests/page/sample.rs"]
mod sample;
#[expect(dead_code, reason = "the page's own tests use the rest")]
#[path = "../../../tests/page/served.rs"]
mod served;
mod site;

use std::path::PathBuf;

/// The page's program, where the workspace has built it.
fn program() -> PathBuf {
    let built = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../../target/debug/lab-web");
    let program = std::env::var_os("LAB_WEB").map_or_else(|| built.into(), PathBuf::from);
    assert!(program.is_file(), "cargo build --workspace --bin lab-web comes first: there is no {}", program.display());
    program
}
