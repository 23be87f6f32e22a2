//! Tells when something happened to the watched files. What that means for their content, the runner finds out.

use std::path::PathBuf;
use std::time::Duration;

use notify_debouncer_full::notify::{RecommendedWatcher, RecursiveMode};
use notify_debouncer_full::{DebounceEventResult, Debouncer, RecommendedCache, new_debouncer};

/// Editors save in several steps, and formatters write once more: events this close to one another are one.
const DEBOUNCE: Duration = Duration::from_millis(30);

/// Watches for as long as it is kept.
pub(crate) type Watcher = Debouncer<RecommendedWatcher, RecommendedCache>;

/// Calls `touched` when something happens in `folders` or below, or to the files in the folders `shallow`. `None` if the
/// system gives no events for one of them: it has none left, or the file system knows none.
pub(crate) fn watch(folders: &[PathBuf], shallow: &[PathBuf], touched: impl Fn() + Send + 'static) -> Option<Watcher> {
    let handle = move |result: DebounceEventResult| {
        // An error means that events were lost.
        if result.map_or(true, |events| events.iter().any(|event| !event.kind.is_access())) {
            touched();
        }
    };
    let mut watcher = new_debouncer(DEBOUNCE, None, handle).ok()?;
    for folder in folders {
        watcher.watch(folder, RecursiveMode::Recursive).ok()?;
    }
    for folder in shallow {
        watcher.watch(folder, RecursiveMode::NonRecursive).ok()?;
    }
    Some(watcher)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::mpsc::{Receiver, channel};

    use super::*;

    /// More than a busy machine needs to pass an event on.
    const SOON: Duration = Duration::from_secs(20);

    fn watched(folder: &std::path::Path) -> (Watcher, Receiver<()>) {
        let (touched, seen) = channel();
        let told = move || {
            let _ = touched.send(());
        };
        let watcher = watch(&[folder.canonicalize().unwrap()], &[], told).unwrap();
        (watcher, seen)
    }

    #[test]
    fn a_file_that_is_replaced_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("main.rs"), "one").unwrap();
        let (_watcher, seen) = watched(folder.path());
        fs::write(folder.path().join("new"), "two").unwrap();
        fs::rename(folder.path().join("new"), folder.path().join("main.rs")).unwrap();
        seen.recv_timeout(SOON).unwrap();
    }

    #[test]
    fn what_is_made_again_is_seen_again() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("src");
        fs::create_dir(&inner).unwrap();
        let (_watcher, seen) = watched(folder.path());
        fs::remove_dir(&inner).unwrap();
        seen.recv_timeout(SOON).unwrap();
        fs::create_dir(&inner).unwrap();
        seen.recv_timeout(SOON).unwrap();
        while seen.recv_timeout(Duration::from_millis(200)).is_ok() {}
        fs::write(inner.join("main.rs"), "one").unwrap();
        seen.recv_timeout(SOON).unwrap();
    }

    #[test]
    fn what_cannot_be_watched_is_told() {
        assert!(watch(&["/no/such/folder".into()], &[], || ()).is_none());
    }
}
