//! What a test says that proves nothing on this machine: none passes without a word.

/// Says that a test is not tried for want of `what`, and `why`. In CI that is a failure, unless `LAB_TESTS_WITHOUT` names
/// `what`, as one of several between commas: so nobody takes such a test for one that has passed. On systems other than
/// Linux it is only said, because they have nothing of the kind.
///
/// # Panics
/// It is a failure.
#[expect(clippy::print_stderr, reason = "a test that proves nothing says so")]
pub fn not_tried(what: &str, why: &str) {
    let known = std::env::var("LAB_TESTS_WITHOUT").is_ok_and(|all| all.split(',').any(|one| one == what));
    let in_ci = std::env::var_os("CI").is_some();
    assert!(known || !in_ci || !platform::HAS_ALL, "{why}: LAB_TESTS_WITHOUT={what} says that it is known");
    eprintln!("not tried: {why}");
}

mod platform;
