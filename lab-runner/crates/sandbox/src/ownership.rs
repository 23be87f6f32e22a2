//! Gives folders to the user that a submission's programs run as.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Gid, Mode, OFlags, Uid, chownat, fchown, openat, statat};

/// Gives `folder` to `user`, and all that is in it. Folders that are the user's already are passed over: a program may be
/// at work in them, and it has no say in what is given to it, by links or by changing them meanwhile.
pub(crate) fn give(folder: &Path, user: u32) -> io::Result<()> {
    let (owner, group) = (Uid::from_raw(user), Gid::from_raw(user));
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut folders: Vec<OwnedFd> = vec![openat(CWD, folder, flags, Mode::empty())?];
    while let Some(folder) = folders.pop() {
        for entry in Dir::read_from(&folder)? {
            let entry = entry?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            // What a program takes away meanwhile is its own loss.
            let Ok(found) = statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
            if found.st_uid == user {
                continue;
            }
            if FileType::from_raw_mode(found.st_mode).is_dir() {
                folders.extend(openat(&folder, name, flags, Mode::empty()));
            } else {
                let _ = chownat(&folder, name, Some(owner), Some(group), AtFlags::SYMLINK_NOFOLLOW);
            }
        }
        fchown(folder.as_fd(), Some(owner), Some(group))?;
    }
    Ok(())
}
