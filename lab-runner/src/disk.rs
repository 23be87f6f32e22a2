//! What helps where something cannot be written: each cause has a remedy of its own.

use std::io::{Error, ErrorKind};
use std::os::unix::fs::MetadataExt as _;

use camino::{Utf8Path, Utf8PathBuf};

/// What helps when writing `path` failed with `error`. Empty if nobody knows.
pub(crate) fn remedies(error: &Error, path: &Utf8Path) -> Vec<String> {
    let remedy = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "free up some disk space; `cargo clean` frees the most".to_owned()
        }
        ErrorKind::ReadOnlyFilesystem => {
            "its file system is read-only: name another folder in CARGO_TARGET_DIR, or in TMPDIR if it is the temporary \
             one"
                .to_owned()
        }
        ErrorKind::PermissionDenied => match foreign(path, rustix::process::geteuid().as_raw()) {
            Some(folder) => {
                format!("it was made as another user, such as root: `sudo chown -R \"$(id -u):$(id -g)\" '{folder}'`")
            }
            None => "it is no folder of yours: work in a copy of the course in your home folder, or name a folder that \
                     you can write in CARGO_TARGET_DIR"
                .to_owned(),
        },
        _ => return Vec::new(),
    };
    vec![remedy]
}

/// The outermost file or folder on the way to `path` that belongs to somebody else and lies in a folder of `user`'s. None
/// where nothing on the way is the user's: all of that is to stay as it is.
fn foreign(path: &Utf8Path, user: u32) -> Option<Utf8PathBuf> {
    let owner = |path: &Utf8Path| path.symlink_metadata().map(|metadata| metadata.uid()).ok();
    let mut foreign = None;
    for path in path.ancestors() {
        match owner(path) {
            Some(owner) if owner == user => return foreign,
            Some(_) => foreign = Some(path.to_owned()),
            None => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_to_others_all_the_way_up_is_nobodys_to_take_over() {
        let own = Utf8PathBuf::try_from(std::env::current_exe().unwrap()).unwrap();
        let user = own.metadata().unwrap().uid();
        assert_eq!(foreign(&own, user), None, "it is ours");
        assert_eq!(foreign(&own, 123_456_789), None, "`/` is nobody's to take over");
    }

    #[test]
    fn each_cause_has_its_own_remedy() {
        let said = |kind: ErrorKind| remedies(&kind.into(), Utf8Path::new("/no/such/place")).concat();
        assert!(said(ErrorKind::StorageFull).starts_with("free up"));
        assert!(said(ErrorKind::ReadOnlyFilesystem).contains("CARGO_TARGET_DIR"));
        assert!(said(ErrorKind::PermissionDenied).contains("no folder of yours"));
        assert_eq!(said(ErrorKind::NotFound), "");
    }
}
