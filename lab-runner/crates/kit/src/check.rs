//! A check's description and the registry that `#[check]` fills.

use std::ffi::OsStr;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::time::Duration;

use crate::lab::Lab;
use lab_check::CheckResult;
use lab_protocol::{CheckInfo, PlanError};

/// A check as `#[check]` declares it: the only place its title, points, needs and hints are written.
#[derive(Debug)]
pub struct Check {
    /// The function's name.
    pub id: &'static str,
    /// The behaviour asked for.
    pub title: &'static str,
    /// The README's task it belongs to.
    pub task: u32,
    /// What it is worth.
    pub points: u32,
    /// Ids of the checks that must pass first.
    pub needs: &'static [&'static str],
    /// The doc comment without its source.
    pub why: &'static str,
    /// The source in the doc comment's last parentheses.
    pub source: &'static str,
    /// Hints, from the vaguest to the plainest.
    pub hints: &'static [&'static str],
    /// Whether it grades in CI only.
    pub held_out: bool,
    /// Whether it runs with nothing beside it.
    pub alone: bool,
    /// Its own time limit in seconds, if the suite's does not fit.
    pub limit_seconds: Option<u64>,
    /// The file it stands in, to keep the order of declaration.
    pub file: &'static str,
    /// The line it stands in.
    pub line: u32,
    /// The check itself.
    pub run: fn(&Lab) -> CheckFuture<'_>,
}

/// A running check.
pub type CheckFuture<'a> = Pin<Box<dyn Future<Output = CheckResult> + Send + 'a>>;

inventory::collect!(Check);

impl Check {
    /// Its own time limit.
    pub fn limit(&self, default: Duration) -> Duration {
        self.limit_seconds.map_or(default, Duration::from_secs)
    }

    /// What it tells of itself on `list`.
    pub fn info(&self) -> CheckInfo {
        CheckInfo {
            id: self.id.into(),
            title: self.title.into(),
            task: self.task,
            points: self.points,
            needs: self.needs.iter().map(ToString::to_string).collect(),
            why: self.why.into(),
            source: self.source.into(),
            hints: self.hints.iter().map(ToString::to_string).collect(),
            held_out: self.held_out,
            alone: self.alone,
            limit_seconds: self.limit_seconds,
        }
    }
}

/// The order of a suite's files, as [`file_order!`](crate::file_order) declares it.
#[derive(Debug)]
pub struct FileOrder(pub &'static [&'static str]);

inventory::collect!(FileOrder);

/// Lists files of the suite, without folder and ending, in the order in which a task's checks come. Without it, and behind
/// it, files come in the order of their names.
///
/// ```
/// lab_kit::file_order!["reading", "fields"];
/// ```
#[macro_export]
macro_rules! file_order {
    ($($file:literal),+ $(,)?) => {
        $crate::inventory::submit! { $crate::check::FileOrder(&[$($file),+]) }
    };
}

/// Every check linked into this program, in the order of tasks and, within one, of files and lines; what is held out comes
/// behind all that learners are asked of the task.
pub fn all() -> Vec<&'static Check> {
    let mut checks: Vec<_> = inventory::iter::<Check>.into_iter().collect();
    let order: Vec<&str> = inventory::iter::<FileOrder>.into_iter().flat_map(|order| order.0).copied().collect();
    checks.sort_by_key(|check| (check.task, check.held_out, place_of_file(check.file, &order), check.file, check.line));
    checks
}

/// Where `file`, a path, stands in `order`; behind all of it if it is not there.
fn place_of_file(file: &str, order: &[&str]) -> usize {
    let stem = Path::new(file).file_stem().and_then(OsStr::to_str);
    order.iter().position(|name| Some(*name) == stem).unwrap_or(order.len())
}

/// The checks called `wanted` and those they need, in the order of [`all`]; an empty list means all.
///
/// # Errors
/// A check that is unknown or that waits for itself.
pub fn planned(wanted: &[String]) -> Result<Vec<&'static Check>, PlanError> {
    let all = all();
    let infos: Vec<CheckInfo> = all.iter().map(|check| check.info()).collect();
    Ok(lab_protocol::plan(&infos, wanted)?.into_iter().map(|index| all[index]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_are_listed_come_first_in_the_order_of_the_list() {
        let mut files =
            ["labs/a-1/checks/src/fields.rs", "labs/a-1/checks/src/bounds.rs", "labs/a-1/checks/src/reading.rs"];
        files.sort_by_key(|file| (place_of_file(file, &["reading", "fields"]), *file));
        assert_eq!(files.map(|file| &file[20..]), ["reading.rs", "fields.rs", "bounds.rs"]);
    }
}
