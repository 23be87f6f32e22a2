//! Where a lab's suite comes from.

use camino::Utf8PathBuf;

use crate::learner_kit::LearnerKit;
use crate::workspace::Lab;

/// The name of a suite that was built elsewhere, in the lab's folder.
const PREBUILT: &str = "suite";

/// Where a lab's suite comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SuiteSource {
    /// Its package, `checks`, has to be built.
    Package,
    /// It comes as a program, as in a learner kit, where nobody is to read the checks.
    Prebuilt(Utf8PathBuf),
}

impl SuiteSource {
    /// Where the suite of `lab` comes from. A package counts before a program: an instructor who changes a check sees
    /// the change, whatever lies beside it.
    pub fn of(lab: &Lab) -> Self {
        if lab.folder.join("checks/Cargo.toml").is_file() {
            return Self::Package;
        }
        let program = lab.folder.join(PREBUILT);
        let of_kit = || LearnerKit::of(lab).map(|kit| kit.suite(&lab.package()));
        Some(program).filter(|program| program.is_file()).or_else(of_kit).map_or(Self::Package, Self::Prebuilt)
    }
}
