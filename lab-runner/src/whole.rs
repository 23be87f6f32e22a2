//! Files that are written whole or not at all, whatever ends us and whoever else writes them.

use std::fs::Permissions;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;

use camino::Utf8Path;

/// For the user alone.
pub const PRIVATE: u32 = 0o600;
/// For everybody whom the user's umask lets.
pub const USUAL: u32 = 0o666;

/// Writes `content` to `path`, in a folder that is made if it does not exist, with the permissions of `mode` that the
/// umask lets.
pub fn replace(path: &Utf8Path, content: &[u8], mode: u32) -> io::Result<()> {
    let parent = path.parent().unwrap_or(path);
    std::fs::create_dir_all(parent)?;
    let mut file = tempfile::Builder::new().permissions(Permissions::from_mode(mode)).tempfile_in(parent)?;
    file.write_all(content)?;
    file.persist(path)?;
    Ok(())
}
