//! The scripts that a check has given to Redis, which keeps those of all checks in one place: without this, a server could
//! leave word to the next one by a script that it had loaded.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// The name of no script. Redis says that it does not know it.
const NO_SCRIPT: &[u8] = b"0000000000000000000000000000000000000000";
/// How many are remembered. Whoever makes more of them forgets that scripts take arguments.
const MOST: usize = 100_000;

/// The names of a check's scripts, which all its connections share.
#[derive(Debug, Clone, Default)]
pub(super) struct Scripts(Arc<Mutex<BTreeSet<String>>>);

impl Scripts {
    /// Remembers the script `text`, which is on its way.
    pub fn given(&self, text: &[u8]) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() < MOST {
            known.insert(sha1_smol::Sha1::from(text).digest().to_string());
        }
    }

    /// Remembers none any more.
    pub fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// `id`, if it names a script of this check, and otherwise the name of none.
    pub fn named<'a>(&self, id: &'a [u8]) -> &'a [u8] {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let name = String::from_utf8_lossy(id).to_ascii_lowercase();
        if known.contains(&name) { id } else { NO_SCRIPT }
    }
}
