//! Times.

use chrono::{DateTime, Utc};

pub use lab_kit::time::{expect_moment, moment, rfc3339};

/// The same time as people two hours east of Greenwich write it.
pub fn in_the_east(time: DateTime<Utc>) -> String {
    (time + chrono::TimeDelta::hours(2)).format("%Y-%m-%dT%H:%M:%S%.3f+02:00").to_string()
}
