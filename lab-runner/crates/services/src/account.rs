//! The account that private servers run under, and whether it can reach their folders.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

pub(crate) use lab_process::Account;

use crate::error::ProviderError;

/// Makes sure that `account` can reach `folder` from the root of the file system.
pub(crate) fn can_reach(account: Account, folder: &Path) -> Result<(), ProviderError> {
    let Some(number) = account.number() else { return Ok(()) };
    let closed = folder
        .ancestors()
        .find(|ancestor| fs::metadata(ancestor).is_ok_and(|metadata| metadata.permissions().mode() & 0o001 == 0));
    match closed {
        None => Ok(()),
        Some(closed) => Err(ProviderError::new(format!(
            "you are root, so the servers run as user {number}, but that user cannot enter {}",
            closed.display()
        ))
        .hint("set LAB_CACHE_DIR to a folder that everybody can enter, such as /var/cache/backend-labs")
        .specific()),
    }
}
