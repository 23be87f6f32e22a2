//! Unpacks an archive that nobody has read: within bounds, and never outside of the folder it is given.

use std::fs::File;
use std::io::{self, Read};

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use flate2::read::GzDecoder;
use lab_runner::error::Error;

/// The most bytes that an archive may hold unpacked.
const MOST_BYTES: u64 = 256 << 20;
/// The most files and folders that it may hold.
pub(super) const MOST_ENTRIES: usize = 20_000;

/// Unpacks the .zip or .tar.gz at `archive` into `folder`: regular files and folders. Links and special files are left
/// out, as they are in a folder that is handed in.
///
/// # Errors
/// It is no such archive, is larger than the bounds, or names a path that leads out of the folder.
pub(super) fn unpack(archive: &Utf8Path, folder: &Utf8Path) -> Result<(), Error> {
    let unpacked = match archive.extension() {
        Some(end) if end.eq_ignore_ascii_case("zip") => zip(archive, folder),
        _ => tar(archive, folder),
    };
    unpacked.map_err(|error| match error {
        Unpack::Refused(why) => Error::usage(format!("{archive}: {why}")),
        Unpack::Ours(error) => Error::io("write to", folder, error),
    })
}

/// Why something is not unpacked.
pub(super) enum Unpack {
    /// The archive's own fault.
    Refused(String),
    /// The disk's.
    Ours(io::Error),
}

impl Unpack {
    /// Of what cannot be read.
    pub(super) fn broken(error: impl std::fmt::Display) -> Self {
        Self::Refused(format!("cannot be unpacked: {error}"))
    }
}

/// What may still be unpacked.
pub(super) struct Room {
    bytes: u64,
    entries: usize,
}

impl Room {
    /// All there is.
    pub(super) fn new() -> Self {
        Self { bytes: MOST_BYTES, entries: MOST_ENTRIES }
    }

    /// Makes room for one more entry.
    pub(super) fn entry(&mut self) -> Result<(), Unpack> {
        self.entries = self
            .entries
            .checked_sub(1)
            .ok_or_else(|| Unpack::Refused(format!("it holds more than {MOST_ENTRIES} files")))?;
        Ok(())
    }

    /// Writes what `content` really holds, whatever the archive says of its size.
    pub(super) fn write(&mut self, content: impl Read, to: &Utf8Path) -> Result<(), Unpack> {
        if let Some(parent) = to.parent() {
            std::fs::create_dir_all(parent).map_err(Unpack::Ours)?;
        }
        // Never through what an earlier entry has put there.
        let mut file = File::create_new(to)
            .map_err(|_| Unpack::Refused(format!("it holds two entries for {}", to.file_name().unwrap_or_default())))?;
        let mut content = Followed { inner: content.take(self.bytes + 1), failed: false };
        let written = io::copy(&mut content, &mut file);
        match written {
            Ok(bytes) if bytes > self.bytes => {
                Err(Unpack::Refused(format!("it holds more than {} MiB", MOST_BYTES >> 20)))
            }
            Ok(bytes) => {
                self.bytes -= bytes;
                Ok(())
            }
            Err(error) if content.failed => Err(Unpack::broken(error)),
            Err(error) => Err(Unpack::Ours(error)),
        }
    }
}

/// Tells a reader's errors from a writer's.
struct Followed<R> {
    inner: R,
    failed: bool,
}

impl<R: Read> Read for Followed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer).inspect_err(|_| self.failed = true)
    }
}

fn zip(archive: &Utf8Path, folder: &Utf8Path) -> Result<(), Unpack> {
    let file = File::open(archive).map_err(Unpack::broken)?;
    let mut zip = zip::ZipArchive::new(io::BufReader::new(file)).map_err(Unpack::broken)?;
    let mut room = Room::new();
    for index in 0..zip.len() {
        room.entry()?;
        let entry = zip.by_index(index).map_err(Unpack::broken)?;
        let path = within(entry.name())?;
        if entry.is_dir() {
            std::fs::create_dir_all(folder.join(path)).map_err(Unpack::Ours)?;
        } else if entry.is_file() && !entry.is_symlink() {
            room.write(entry, &folder.join(path))?;
        }
    }
    Ok(())
}

fn tar(archive: &Utf8Path, folder: &Utf8Path) -> Result<(), Unpack> {
    let file = File::open(archive).map_err(Unpack::broken)?;
    // What is read of the archive is bounded as well: headers alone can go on for ever.
    let unpacked = GzDecoder::new(io::BufReader::new(file)).take(MOST_BYTES + (MOST_ENTRIES as u64) * 2_048);
    let mut tar = tar::Archive::new(unpacked);
    let mut room = Room::new();
    for entry in tar.entries().map_err(Unpack::broken)? {
        room.entry()?;
        let entry = entry.map_err(Unpack::broken)?;
        let name = entry.path().map_err(Unpack::broken)?.to_string_lossy().into_owned();
        match entry.header().entry_type() {
            tar::EntryType::Directory => {
                std::fs::create_dir_all(folder.join(within(&name)?)).map_err(Unpack::Ours)?;
            }
            tar::EntryType::Regular | tar::EntryType::Continuous | tar::EntryType::GNUSparse => {
                room.write(entry, &folder.join(within(&name)?))?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// `name` as a path that stays in its folder.
pub(super) fn within(name: &str) -> Result<Utf8PathBuf, Unpack> {
    let path = Utf8Path::new(name);
    let leads_out = path.components().any(|part| !matches!(part, Utf8Component::Normal(_) | Utf8Component::CurDir));
    if leads_out || name.contains(['\0', '\\']) || path.as_str().len() > 1_024 {
        return Err(Unpack::Refused(format!("it holds the path {name:?}, which leads out of it or is no plain path")));
    }
    Ok(path.to_owned())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn temporary() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::try_from(folder.path().to_owned()).unwrap();
        std::fs::create_dir(path.join("to")).unwrap();
        (folder, path)
    }

    /// A .tar.gz with one entry of that kind, name and content.
    fn tar_gz(path: &Utf8Path, kind: tar::EntryType, name: &str, content: &[u8]) {
        let mut header = tar::Header::new_gnu();
        // `set_path` writes no name that leads out of the archive.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        if kind == tar::EntryType::Symlink {
            header.set_link_name("/etc").unwrap();
        }
        header.set_cksum();
        let mut tar = tar::Builder::new(GzEncoder::new(File::create(path).unwrap(), Compression::fast()));
        tar.append(&header, content).unwrap();
        tar.into_inner().unwrap().finish().unwrap();
    }

    fn refusal(archive: &Utf8Path, to: &Utf8Path) -> String {
        unpack(archive, to).unwrap_err().to_string()
    }

    #[test]
    fn an_archive_whose_paths_lead_out_of_it_is_refused() {
        let (_keep, root) = temporary();
        let archive = root.join("a.tar.gz");
        for name in ["../out", "/tmp/out", "src/../../out", "src\\..\\out"] {
            tar_gz(&archive, tar::EntryType::Regular, name, b"x");
            let told = refusal(&archive, &root.join("to"));
            assert!(told.contains("leads out of it"), "{told}");
            assert!(!root.join("out").exists());
        }
        let zipped = root.join("a.zip");
        let mut zip = zip::ZipWriter::new(File::create(&zipped).unwrap());
        zip.start_file("../out", zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(b"x").unwrap();
        zip.finish().unwrap();
        assert!(refusal(&zipped, &root.join("to")).contains("leads out of it"));
    }

    #[test]
    fn links_are_left_out_and_the_rest_is_unpacked() {
        let (_keep, root) = temporary();
        let archive = root.join("a.tgz");
        tar_gz(&archive, tar::EntryType::Symlink, "src", b"");
        unpack(&archive, &root.join("to")).unwrap();
        assert_eq!(root.join("to").read_dir_utf8().unwrap().count(), 0);
        tar_gz(&archive, tar::EntryType::Regular, "src/main.rs", b"fn main() {}");
        unpack(&archive, &root.join("to")).unwrap();
        assert_eq!(std::fs::read(root.join("to/src/main.rs")).unwrap(), b"fn main() {}");
    }

    #[test]
    fn a_bomb_is_refused_before_the_disk_is_full() {
        let (_keep, root) = temporary();
        let archive = root.join("a.zip");
        let mut zip = zip::ZipWriter::new(File::create(&archive).unwrap());
        zip.start_file("src/zeros", zip::write::SimpleFileOptions::default()).unwrap();
        io::copy(&mut io::repeat(0).take(MOST_BYTES + 1), &mut zip).unwrap();
        zip.finish().unwrap();
        assert!(archive.metadata().unwrap().len() < 1 << 20);
        assert!(refusal(&archive, &root.join("to")).contains("more than 256 MiB"));
    }

    #[test]
    fn what_is_no_archive_is_refused() {
        let (_keep, root) = temporary();
        for name in ["a.zip", "a.tar.gz"] {
            std::fs::write(root.join(name), "no archive").unwrap();
            assert!(refusal(&root.join(name), &root.join("to")).contains("cannot be unpacked"), "{name}");
        }
    }
}
