//! Where the output goes: standard output, or a file that is replaced at once or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use crate::error::Error;

/// Where the output goes. Without [`Output::commit`], a file stays as it was.
#[derive(Debug)]
pub enum Output {
    /// Whoever reads it sees it as it comes.
    Standard(io::Stdout),
    /// Nobody sees it before it is complete.
    File(Replacement),
}

impl Output {
    /// Standard output.
    pub fn standard() -> Self {
        Self::Standard(io::stdout())
    }

    /// What is to become the file at `path`.
    ///
    /// # Errors
    /// No file can be written beside it.
    pub fn file(path: &Path) -> Result<Self, Error> {
        Replacement::begin(path).map(Self::File)
    }

    /// Writes `text`, and waits until it is taken.
    ///
    /// # Errors
    /// It cannot be written, or nobody reads it any more.
    pub fn write(&mut self, text: &str) -> Result<(), Error> {
        match self {
            Self::Standard(output) => {
                output.write_all(text.as_bytes()).and_then(|()| output.flush()).map_err(cannot_print)
            }
            Self::File(file) => file.write(text),
        }
    }

    /// Ends the output: a file now has its new content.
    ///
    /// # Errors
    /// The file cannot be replaced.
    pub fn commit(self) -> Result<(), Error> {
        match self {
            Self::Standard(_) => Ok(()),
            Self::File(file) => file.commit(),
        }
    }
}

fn cannot_print(source: io::Error) -> Error {
    match source.kind() {
        io::ErrorKind::BrokenPipe => Error::ReaderGone,
        _ => Error::Io { doing: "cannot write to standard output".into(), source },
    }
}

/// A file's new content, which is beside it until it is complete.
#[derive(Debug)]
pub struct Replacement {
    target: PathBuf,
    temporary: PathBuf,
    file: BufWriter<File>,
    is_done: bool,
}

impl Replacement {
    fn begin(path: &Path) -> Result<Self, Error> {
        // A link stays one: what it leads to is replaced.
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        // Beside it, because a rename replaces a file at once only within one file system.
        let temporary = target.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
        let file = File::create(&temporary).map_err(Error::at("create", &temporary))?;
        let replacement = Self { target, temporary, file: BufWriter::new(file), is_done: false };
        replacement.take_permissions()?;
        Ok(replacement)
    }

    /// Whoever may read the old file may read the new one, and nobody else.
    fn take_permissions(&self) -> Result<(), Error> {
        let Ok(metadata) = fs::metadata(&self.target) else { return Ok(()) };
        if !metadata.is_file() {
            let source = io::Error::other("it is no file");
            return Err(Error::at("replace", &self.target)(source));
        }
        self.file.get_ref().set_permissions(metadata.permissions()).map_err(Error::at("prepare", &self.temporary))
    }

    fn write(&mut self, text: &str) -> Result<(), Error> {
        self.file.write_all(text.as_bytes()).map_err(Error::at("write", &self.temporary))
    }

    fn commit(mut self) -> Result<(), Error> {
        self.file.flush().map_err(Error::at("write", &self.temporary))?;
        // Before the rename: the name must never lead to content that a loss of power takes away.
        self.file.get_ref().sync_all().map_err(Error::at("write", &self.temporary))?;
        fs::rename(&self.temporary, &self.target).map_err(Error::at("replace", &self.target))?;
        self.is_done = true;
        // The name stands in the folder, which is to be kept as well.
        let folder = self.target.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::at("write", folder))
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        if !self.is_done {
            let _ = fs::remove_file(&self.temporary);
        }
    }
}
