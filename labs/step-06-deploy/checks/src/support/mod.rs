//! What the checks of this lab share.

mod exposition;
mod gate;
mod office;
mod version_one;

pub use exposition::Exposition;
pub use gate::Gate;
pub use office::Office;
pub use version_one::VersionOne;

use lab_kit::prelude::*;

/// How long a server may take for what it should do at once: far above what a busy machine needs.
pub const SOON: Duration = Duration::from_secs(10);
/// How long a start may take that the check itself waits for: the README's ten seconds, and what a busy machine needs.
pub const START: Duration = Duration::from_secs(15);

/// Waits until `path` is answered with `status`.
pub async fn until_status(lab: &Lab, app: &App, path: &str, status: u16) -> CheckResult<Response> {
    let what = format!("GET {path} is {status}");
    lab.eventually(&what, SOON, || async { app.get(path).await?.expect_status(status) }).await
}
