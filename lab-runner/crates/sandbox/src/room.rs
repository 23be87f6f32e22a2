//! Folders that hold no more than so much, whoever writes to them and however: memory with a limit stands in their place. What
//! a container writes to is a volume of the engine's, since an engine sees nothing of what others mount; where the engine says
//! that it is, we see the same.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::containers::{Containers, Holder, Holds, Volume};
use crate::platform;

/// How many files a folder with a limit holds.
const FILES: u64 = 100_000;

/// The volumes that there are now: where each is, and how the engine calls it.
static VOLUMES: Mutex<BTreeMap<PathBuf, String>> = Mutex::new(BTreeMap::new());

/// Memory with a limit. It is gone when this is dropped, with what is in it.
#[derive(Debug)]
pub struct Room {
    place: PathBuf,
    /// With this ends the container that holds it. Without one, it is mounted here.
    container: Option<Sender<()>>,
}

impl Room {
    /// Has `folder`, which is empty, hold so many `bytes` at most. It is what it was when this is dropped.
    ///
    /// # Errors
    /// This process sees what all others see: [`prepare`] was not called, or did not work.
    pub(crate) fn make(folder: &Path, bytes: u64) -> io::Result<Self> {
        platform::mount_memory(folder, bytes, FILES)?;
        Ok(Self { place: folder.to_owned(), container: None })
    }

    /// A volume that holds so many `bytes` at most, as long as a container does that is there for nothing else.
    ///
    /// # Errors
    /// The engine says why it makes none, or where it says that the volume is, something else is.
    pub(crate) fn of_container(containers: Containers, bytes: u64) -> io::Result<Self> {
        let (end, ended) = channel::<()>();
        let (tell, made) = channel();
        thread::Builder::new().name("room".into()).spawn(move || {
            match containers.hold(Holds::Room { bytes, files: FILES }) {
                Ok(Holder { mut child, held, .. }) => {
                    let _ = tell.send(Ok(held.volume));
                    // Nothing is sent: it comes to an end.
                    let _ = ended.recv();
                    let _ = child.kill();
                    let _ = child.wait();
                }
                Err(error) => {
                    let _ = tell.send(Err(error));
                }
            }
        })?;
        let hidden = || io::Error::other("the engine's volumes are out of sight");
        let volume = made.recv().map_err(|_| io::Error::other("the thread of a room has ended"))??;
        let Volume { name, place } = volume.ok_or_else(hidden)?;
        if size_of(&place)? != bytes {
            return Err(hidden());
        }
        volumes().insert(place.clone(), name);
        Ok(Self { place, container: Some(end) })
    }

    /// The folder that it is.
    #[must_use]
    pub fn place(&self) -> &Path {
        &self.place
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        match self.container {
            Some(_) => {
                volumes().remove(&self.place);
            }
            // If it is not let go of, it is when this process ends.
            None => {
                let _ = platform::unmount(&self.place);
            }
        }
    }
}

/// The volumes that `folders` are in, and those that are in none.
pub(crate) fn volumes_of(folders: &[PathBuf]) -> (Vec<Volume>, Vec<PathBuf>) {
    let all = volumes();
    let (within, without): (Vec<_>, Vec<_>) = folders
        .iter()
        .map(|folder| (folder, folder.ancestors().find_map(|place| all.get_key_value(place))))
        .partition(|(_, volume)| volume.is_some());
    let within: BTreeMap<_, _> = within.into_iter().filter_map(|(_, volume)| volume).collect();
    let volumes = within.into_iter().map(|(place, name)| Volume { name: name.clone(), place: place.clone() });
    (volumes.collect(), without.into_iter().map(|(folder, _)| folder.clone()).collect())
}

/// What the file system that `folder` is on holds, in bytes.
fn size_of(folder: &Path) -> io::Result<u64> {
    let found = rustix::fs::statvfs(folder)?;
    Ok(found.f_blocks * found.f_frsize)
}

fn volumes() -> std::sync::MutexGuard<'static, BTreeMap<PathBuf, String>> {
    VOLUMES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lets this process, which must not have started a thread yet, put memory in the place of folders, as itself and what it
/// starts see them, and nobody else. Somebody who is not root has to have been given rights by
/// [`prepare_networks`](crate::prepare_networks).
///
/// # Errors
/// The system does not let it.
pub fn prepare() -> io::Result<()> {
    platform::enter_mounts()
}
