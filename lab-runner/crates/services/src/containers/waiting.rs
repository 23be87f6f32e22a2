//! Says for whom the build of the container helper waits, in the words of all other builds.

use std::process;
use std::thread;
use std::time::{Duration, Instant};

use lab_launcher::waited_for;

use crate::progress::ProgressSender;

/// What is had sooner is not worth a line.
const PATIENCE: Duration = Duration::from_millis(500);
/// How often it is looked who holds a lock.
const GLANCE: Duration = Duration::from_millis(50);

/// Says that another `cargo lab` builds in our folder, and has to be waited for. Called by who is about to wait.
pub(super) fn tell_of_another_build(progress: &ProgressSender) {
    let progress = progress.clone();
    // Who holds the lock shows as soon as we wait for it.
    thread::spawn(move || {
        let deadline = Instant::now() + PATIENCE;
        let holder = loop {
            let holder = waited_for(process::id());
            if holder.is_some() || Instant::now() >= deadline {
                break holder;
            }
            thread::sleep(GLANCE / 5);
        };
        let holder = holder.map_or_else(|| "another `cargo lab`".to_owned(), |holder| holder.to_string());
        progress.report(format!("waiting for {holder} to finish building"));
    });
}

/// Looks whether cargo waits for a lock, and says for whom, once.
pub(super) struct Wait<'a> {
    progress: &'a ProgressSender,
    began: Instant,
    looked: Instant,
    told: bool,
}

impl<'a> Wait<'a> {
    pub(super) fn new(progress: &'a ProgressSender) -> Self {
        let now = Instant::now();
        Self { progress, began: now, looked: now, told: false }
    }

    /// Looks at `process`, which is cargo, if it is time.
    pub(super) fn look(&mut self, process: u32) {
        if self.told || self.began.elapsed() < PATIENCE || self.looked.elapsed() < GLANCE {
            return;
        }
        self.looked = Instant::now();
        if let Some(holder) = waited_for(process) {
            self.progress.report(format!("waiting for {holder}, which has locked what cargo needs"));
            self.told = true;
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    #[cfg(target_os = "linux")]
    fn whoever_holds_the_lock_that_cargo_waits_for_is_named_once() {
        use super::*;
        use std::fs::File;
        use std::process::Command;

        let lock = tempfile::NamedTempFile::new().unwrap();
        let held = File::open(lock.path()).unwrap();
        held.lock().unwrap();
        let mut cargo = Command::new("flock").arg(lock.path()).arg("true").spawn().unwrap();
        let (progress, mut told) = ProgressSender::channel();
        let mut wait = Wait::new(&progress);
        let deadline = Instant::now() + Duration::from_secs(10);
        while !wait.told {
            assert!(Instant::now() < deadline, "nobody is named");
            wait.look(cargo.id());
            thread::sleep(GLANCE / 10);
        }
        wait.look(cargo.id());
        held.unlock().unwrap();
        cargo.wait().unwrap();
        let first = told.try_recv().unwrap();
        assert!(first.contains(&format!("(process {}", process::id())), "{first}");
        assert!(first.ends_with("which has locked what cargo needs") && told.try_recv().is_err(), "{first}");
    }
}
