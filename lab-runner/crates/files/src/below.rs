//! Files in a folder that somebody else may change at any moment: each is opened below the folder, through no link, and
//! without waiting for anybody. What stands in a file's place is looked at once it is open, and not before.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, openat, unlinkat};
use rustix::io::Errno;

/// How deep folders are looked into.
const DEEPEST: usize = 64;
/// How many files and folders are looked at.
const MOST_ENTRIES: usize = 200_000;

/// Why a folder was not copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// There is more in it than was to be copied.
    #[error("there is more in the folder than is looked at")]
    TooMuch,
    /// It cannot be read: whoever may write it has seen to that.
    #[error("cannot read what is in the folder")]
    Source(#[source] io::Error),
    /// The copy cannot be written.
    #[error("cannot write the copy")]
    Target(#[source] io::Error),
}

/// Opens the file at `path` in `folder` for reading: through no link below the folder, and without waiting where a pipe
/// stands in the file's place.
///
/// # Errors
/// There is no such file, something else than a file has its name, or the path leads out of the folder.
pub fn open_below(folder: &Path, path: &Path) -> io::Result<File> {
    open(folder, path, OFlags::RDONLY)
}

/// The same for reading and writing.
///
/// # Errors
/// As [`open_below`].
pub fn change_below(folder: &Path, path: &Path) -> io::Result<File> {
    open(folder, path, OFlags::RDWR)
}

/// Removes the file at `path` in `folder`, or the link that stands in its place.
///
/// # Errors
/// There is no such file, or the path leads out of the folder.
pub fn remove_below(folder: &Path, path: &Path) -> io::Result<()> {
    let (at, name) = parent(folder, path)?;
    Ok(unlinkat(at, name, AtFlags::empty())?)
}

fn open(folder: &Path, path: &Path, access: OFlags) -> io::Result<File> {
    let (at, name) = parent(folder, path)?;
    open_file(&at, name, access)?.ok_or_else(|| io::Error::other("what stands in the file's place is no file"))
}

/// The folder that holds what is at `path` in `folder`, and the name it has there.
fn parent<'a>(folder: &Path, path: &'a Path) -> io::Result<(File, &'a OsStr)> {
    let mut names = names(path)?;
    let name = names.pop().ok_or(ErrorKind::InvalidInput)?;
    let mut at = File::open(folder)?;
    for name in names {
        at = open_folder(&at, name)?;
    }
    Ok((at, name))
}

/// What the file at `path` in `folder` holds, opened as by [`open_below`].
///
/// # Errors
/// It cannot be opened or read, or it holds more than `most` bytes.
pub fn read_below(folder: &Path, path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_below(folder, path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
}

/// Copies the files below `part` of `folder` to `to`, so many `bytes` at most, as far as `takes` their paths from there. Links,
/// pipes and the like are left out, and so is what goes away meanwhile.
///
/// # Errors
/// There is more than is wanted, something cannot be read, or the copy cannot be written.
pub fn copy_below(
    folder: &Path,
    part: &Path,
    to: &Path,
    bytes: u64,
    takes: &dyn Fn(&Path) -> bool,
) -> Result<(), CopyError> {
    let mut at = File::open(folder).map_err(CopyError::Source)?;
    for name in names(part).map_err(CopyError::Source)? {
        at = open_folder(&at, name).map_err(CopyError::Source)?;
    }
    let mut copying = Copying { to, bytes };
    Walk { takes, entries: MOST_ENTRIES, found: &mut |path, file| copying.file(file, path) }.folder(
        &at,
        Path::new(""),
        0,
    )
}

/// Hands each file below `folder`, open for reading, to `found`, with its path from there. Links, pipes and the like are left
/// out, and so is what goes away meanwhile.
///
/// # Errors
/// There is more than is looked at, something cannot be read, or what `found` says.
pub fn each_below(folder: &Path, found: &mut dyn FnMut(&Path, File) -> Result<(), CopyError>) -> Result<(), CopyError> {
    let at = File::open(folder).map_err(CopyError::Source)?;
    Walk { takes: &|_| true, entries: MOST_ENTRIES, found }.folder(&at, Path::new(""), 0)
}

/// A look at all that is in a folder, and how much more of it there may be.
struct Walk<'a> {
    takes: &'a dyn Fn(&Path) -> bool,
    entries: usize,
    found: &'a mut dyn FnMut(&Path, File) -> Result<(), CopyError>,
}

impl Walk<'_> {
    /// Goes through what is in `at`, which is `path` of the folder.
    fn folder(&mut self, at: &File, path: &Path, depth: usize) -> Result<(), CopyError> {
        let entries = Dir::read_from(at).map_err(|error| CopyError::Source(error.into()))?;
        for entry in entries {
            let entry = entry.map_err(|error| CopyError::Source(error.into()))?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes()).to_owned();
            let below = path.join(&name);
            if name == "." || name == ".." || !(self.takes)(&below) {
                continue;
            }
            self.entries = self.entries.checked_sub(1).ok_or(CopyError::TooMuch)?;
            // Only a guess: who may write the folder may have put something else there since.
            match entry.file_type() {
                FileType::Directory if depth == DEEPEST => return Err(CopyError::TooMuch),
                FileType::Directory => {
                    if let Some(next) = still_there(open_folder(at, &name))? {
                        self.folder(&next, &below, depth + 1)?;
                    }
                }
                FileType::RegularFile => {
                    if let Some(Some(file)) = still_there(open_file(at, &name, OFlags::RDONLY))? {
                        (self.found)(&below, file)?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// A copy on its way, and how much more it may take.
struct Copying<'a> {
    to: &'a Path,
    bytes: u64,
}

impl Copying<'_> {
    fn file(&mut self, file: File, path: &Path) -> Result<(), CopyError> {
        let target = self.to.join(path);
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).map_err(target_error)?;
        }
        let mut copy = File::create(&target).map_err(target_error)?;
        let mut source = file.take(self.bytes + 1);
        let copied = copy_bytes(&mut source, &mut copy)?;
        self.bytes = self.bytes.checked_sub(copied).ok_or(CopyError::TooMuch)?;
        Ok(())
    }
}

/// As [`io::copy`], which does not tell the two sides apart.
fn copy_bytes(source: &mut impl io::Read, copy: &mut impl io::Write) -> Result<u64, CopyError> {
    let (mut buffer, mut total) = (vec![0; 64 << 10], 0);
    loop {
        match source.read(&mut buffer).map_err(CopyError::Source)? {
            0 => return Ok(total),
            count => {
                copy.write_all(&buffer[..count]).map_err(CopyError::Target)?;
                total += count as u64;
            }
        }
    }
}

/// A name that is too long here is so because of those that somebody else has made.
fn target_error(error: io::Error) -> CopyError {
    if error.kind() == ErrorKind::InvalidFilename { CopyError::TooMuch } else { CopyError::Target(error) }
}

/// What was opened, unless it is gone or something else has its name by now.
fn still_there<T>(opened: io::Result<T>) -> Result<Option<T>, CopyError> {
    match opened {
        Ok(opened) => Ok(Some(opened)),
        Err(error) if is_elsewhere(&error) => Ok(None),
        Err(error) => Err(CopyError::Source(error)),
    }
}

fn is_elsewhere(error: &io::Error) -> bool {
    // Systems tell of a link that is not to be followed by LOOP or MLINK, and of a socket by NXIO or OPNOTSUPP.
    let other = [Errno::LOOP, Errno::MLINK, Errno::NOTDIR, Errno::NXIO, Errno::OPNOTSUPP, Errno::NOENT];
    error.raw_os_error().is_some_and(|code| other.contains(&Errno::from_raw_os_error(code)))
}

fn open_folder(at: &File, name: &OsStr) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(openat(at, name, flags, Mode::empty())?.into())
}

/// The file with this name in `at`; none if something else has the name.
fn open_file(at: &File, name: &OsStr, access: OFlags) -> io::Result<Option<File>> {
    let flags = access | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = File::from(openat(at, name, flags, Mode::empty())?);
    Ok(file.metadata()?.is_file().then_some(file))
}

/// The names that `path` is made of, none of which leads up or out.
fn names(path: &Path) -> io::Result<Vec<&OsStr>> {
    let name = |part| match part {
        Component::Normal(name) => Some(Ok(name)),
        Component::CurDir => None,
        _ => Some(Err(ErrorKind::InvalidInput.into())),
    };
    path.components().filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::os::unix::fs::symlink;
    use std::process::Command;

    use super::*;

    fn pipe(path: &Path) {
        assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    }

    #[test]
    fn a_file_is_opened_through_no_link_and_no_pipe_is_waited_for() {
        let keep = tempfile::tempdir().unwrap();
        let folder = keep.path().join("folder");
        fs::create_dir_all(folder.join("a")).unwrap();
        fs::write(folder.join("a/file"), "text").unwrap();
        fs::write(keep.path().join("secret"), "secret").unwrap();
        symlink("../secret", folder.join("link")).unwrap();
        symlink("a", folder.join("b")).unwrap();
        symlink("..", folder.join("up")).unwrap();
        pipe(&folder.join("pipe"));
        let read = |path: &str| read_below(&folder, Path::new(path), 4);
        assert_eq!(read("a/file").unwrap(), b"text");
        for path in ["link", "b/file", "up/secret", "pipe", "a", "../secret", "/etc/hostname", "", "none"] {
            assert!(read(path).is_err(), "{path}");
            assert!(change_below(&folder, Path::new(path)).is_err(), "{path}");
        }
        for path in ["b/file", "up/secret", "a", "../secret", "", "none"] {
            assert!(remove_below(&folder, Path::new(path)).is_err(), "{path}");
        }
        remove_below(&folder, Path::new("link")).unwrap();
        assert_eq!(fs::read(keep.path().join("secret")).unwrap(), b"secret");
        remove_below(&folder, Path::new("a/file")).unwrap();
        assert!(read("a/file").is_err());
    }

    #[test]
    fn what_is_no_file_is_not_handed_out() {
        let keep = tempfile::tempdir().unwrap();
        fs::create_dir_all(keep.path().join("a/empty")).unwrap();
        fs::write(keep.path().join("a/file"), "text").unwrap();
        symlink("a", keep.path().join("b")).unwrap();
        pipe(&keep.path().join("pipe"));
        let mut found = Vec::new();
        each_below(keep.path(), &mut |path, file| {
            found.push((path.to_owned(), io::read_to_string(file).unwrap()));
            Ok(())
        })
        .unwrap();
        assert_eq!(found, [("a/file".into(), "text".to_owned())]);
    }

    #[test]
    fn no_more_is_read_than_is_wanted() {
        let keep = tempfile::tempdir().unwrap();
        fs::write(keep.path().join("file"), "12345").unwrap();
        let read = |most| read_below(keep.path(), Path::new("file"), most);
        assert_eq!(read(4).unwrap_err().kind(), ErrorKind::FileTooLarge);
        assert_eq!(read(5).unwrap(), b"12345");
    }

    #[test]
    fn what_is_no_file_is_left_out_of_a_copy() {
        let keep = tempfile::tempdir().unwrap();
        let (folder, to) = (keep.path().join("folder"), keep.path().join("to"));
        fs::create_dir_all(folder.join("part/a/empty")).unwrap();
        fs::write(folder.join("part/a/file"), "text").unwrap();
        fs::write(folder.join("part/not"), "text").unwrap();
        symlink("/etc/hostname", folder.join("part/link")).unwrap();
        symlink("/etc", folder.join("part/a/etc")).unwrap();
        pipe(&folder.join("part/pipe"));
        let copy = |part: &str, bytes| {
            copy_below(&folder, Path::new(part), &to, bytes, &|path| path != Path::new("not"))
                .map_err(|error| error.to_string())
        };
        copy("part", 4).unwrap();
        assert_eq!(fs::read(to.join("a/file")).unwrap(), b"text");
        let mut names: Vec<OsString> = fs::read_dir(&to).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.extend(fs::read_dir(to.join("a")).unwrap().map(|entry| entry.unwrap().file_name()));
        assert_eq!(names, ["a", "file"]);
        assert!(copy("part", 3).unwrap_err().contains("more in the folder"));
        symlink("part", folder.join("other")).unwrap();
        assert!(copy("other", 4).unwrap_err().contains("cannot read"));
        assert!(copy("none", 4).unwrap_err().contains("cannot read"));
    }

    /// Files, links and pipes take each other's place all the time while the folder is copied again and again.
    #[test]
    fn what_takes_a_files_place_between_two_looks_is_left_out_as_well() {
        let keep = tempfile::tempdir().unwrap();
        let (folder, to) = (keep.path().join("folder"), keep.path().join("to"));
        fs::create_dir_all(&folder).unwrap();
        fs::write(keep.path().join("secret"), "secret").unwrap();
        let ended = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let path = folder.join("file");
                let (plain, link, waits) = (folder.join(".1"), folder.join(".2"), folder.join(".3"));
                while !ended.load(std::sync::atomic::Ordering::Relaxed) {
                    fs::write(&plain, "text").unwrap();
                    fs::rename(&plain, &path).unwrap();
                    symlink("../secret", &link).unwrap();
                    fs::rename(&link, &path).unwrap();
                    rustix::fs::mkfifoat(rustix::fs::CWD, &waits, Mode::RWXU).unwrap();
                    fs::rename(&waits, &path).unwrap();
                }
            });
            let copied = (0..300).map(|_| {
                let done = copy_below(&folder, Path::new(""), &to, 100, &|path| path == Path::new("file"));
                let text = fs::read(to.join("file")).unwrap_or_default();
                let _ = fs::remove_file(to.join("file"));
                done.map(|()| text)
            });
            let copied: Vec<_> = copied.collect();
            ended.store(true, std::sync::atomic::Ordering::Relaxed);
            assert!(copied.iter().all(|text| matches!(text.as_deref(), Ok(b"" | b"text"))), "{copied:?}");
        });
    }
}
