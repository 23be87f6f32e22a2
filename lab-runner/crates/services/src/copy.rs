//! Copying a folder for another account.

use std::fs;
use std::io;
use std::path::Path;

use crate::account::Account;

/// Copies the folder `from` to `to`, which must not exist, and gives everything to `account`. Modes are kept.
pub(crate) fn folder(from: &Path, to: &Path, account: Account) -> io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            folder(&entry.path(), &target, account)?;
        } else {
            fs::copy(entry.path(), &target)?;
            account.own(&target)?;
        }
    }
    fs::set_permissions(to, fs::metadata(from)?.permissions())?;
    account.own(to)
}
