//! The sandbox of these tests: bubblewrap's. Those of `lab-inside` have the same tests with that of containers.

use lab_not_tried::not_tried;
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
            not_tried("isolation", &error.to_string());
            None
        }
    }
}
