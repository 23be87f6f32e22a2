//! How long things live, and how long one waits: always a little at random.

use std::time::Duration;

/// The life of one copy: between four fifths of `ttl` and all of it. Copies made together do not end together, when
/// all of their readers would come to the database at once.
pub fn jittered(ttl: Duration) -> Duration {
    ttl.mul_f64(rand::random_range(0.8..=1.0))
}

/// How long to wait before looking again for a copy that somebody else makes.
pub fn pause() -> Duration {
    Duration::from_millis(rand::random_range(10..=30))
}
