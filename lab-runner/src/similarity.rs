//! What was laid out for a tool that looks for similar submissions, and how that is told.

use camino::Utf8PathBuf;
use serde::Serialize;

use crate::learner::starter::Origin;

/// The folder of the submissions, in what is written.
pub const SUBMISSIONS: &str = "submissions";
/// The folder of what all submissions have in common, beside it.
pub const BASE: &str = "base";

/// Submissions as JPlag reads them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ForJplag {
    /// The folder that was written.
    pub folder: Utf8PathBuf,
    /// The id of the lab that they are for.
    pub lab: String,
    /// How many there are.
    pub submissions: usize,
    /// How the starter is known that is their base code.
    pub starter: Origin,
    /// The submissions that are not there, and why.
    pub unreadable: Vec<(String, String)>,
}
