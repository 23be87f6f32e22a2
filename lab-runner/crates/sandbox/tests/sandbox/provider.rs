//! The sandbox of these tests: bubblewrap's. Those of `lab-inside` have the same tests with that of containers.

use lab_sandbox::{Choice, Sandbox, User};

/// How many starts are measured.
pub(crate) const STARTS: usize = 100;

/// The sandbox that works here. None of these tests proves anything where none does, which is a failure in CI unless
/// `LAB_TESTS_WITHOUT=isolation` says that it is known.
pub(crate) fn sandbox() -> Option<(Sandbox, User)> {
    match Choice::Bubblewrap.sandbox() {
        Ok(sandbox) => {
            let user = User::take().unwrap();
            Some((sandbox.of_user(&user), user))
        }
        Err(error) => {
            known_to_lack("isolation", &error.to_string());
            None
        }
    }
}

/// A test is not tried `why`: a failure in CI, unless it is known there that the machine lacks `what`.
#[expect(clippy::print_stderr, reason = "a test that proves nothing says so")]
pub(crate) fn known_to_lack(what: &str, why: &str) {
    let known = std::env::var("LAB_TESTS_WITHOUT").is_ok_and(|all| all.split(',').any(|one| one == what));
    assert!(known || std::env::var_os("CI").is_none(), "{why}");
    eprintln!("not tried: {why}");
}
