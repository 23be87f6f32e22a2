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
        ErrorKind::PermissionDenied => {
            let folder = foreign(path).unwrap_or_else(|| path.to_owned());
            format!("was it made as another user, such as root? `sudo chown -R \"$(id -u):$(id -g)\" '{folder}'`")
        }
        _ => return Vec::new(),
    };
    vec![remedy]
}

/// The outermost folder on the way to `path` that belongs to somebody else and lies in one of ours.
fn foreign(path: &Utf8Path) -> Option<Utf8PathBuf> {
    let user = rustix::process::geteuid().as_raw();
    let owned = |path: &&Utf8Path| path.symlink_metadata().map(|metadata| metadata.uid() == user).ok();
    let there = path.ancestors().filter(|path| owned(path).is_some());
    there.take_while(|path| owned(path) == Some(false)).last().map(Utf8Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_has_its_own_remedy() {
        let said = |kind: ErrorKind| remedies(&kind.into(), Utf8Path::new("/no/such/place")).concat();
        assert!(said(ErrorKind::StorageFull).starts_with("free up"));
        assert!(said(ErrorKind::ReadOnlyFilesystem).contains("CARGO_TARGET_DIR"));
        assert!(said(ErrorKind::PermissionDenied).contains("sudo chown -R"));
        assert_eq!(said(ErrorKind::NotFound), "");
    }
}
