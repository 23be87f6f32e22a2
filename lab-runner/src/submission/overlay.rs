//! What is taken from a submission: its editable files, within bounds, and nothing that leads out of it.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use walkdir::{DirEntry, WalkDir};

use super::{SubmissionError, Tree};
use crate::workspace::Lab;

/// The largest file that is taken, in bytes. Source code is smaller by far.
const MOST_BYTES: u64 = 4 << 20;
/// The most that is taken in all, in bytes.
const MOST_BYTES_IN_ALL: u64 = 32 << 20;
/// The most files that are taken.
const MOST_FILES: usize = 5_000;
/// The most names that a report lists as left out.
const MOST_NAMED: usize = 20;
/// The longest path that is taken, from the lab's folder, in bytes: a stage's folder comes before it, and Linux takes
/// 4,096 in all.
const LONGEST_PATH: usize = 1_024;
/// Build products and histories: never part of a submission, and not worth a word.
const NEVER_MEANT: [&str; 4] = ["target", ".git", "node_modules", ".DS_Store"];

/// What was taken and what was not.
#[derive(Debug, Default)]
pub(super) struct Overlay {
    pub tree: Tree,
    pub left_out: Vec<String>,
    bytes: u64,
}

/// Takes the `editable` paths of `folder`.
pub(super) fn read(folder: &Utf8Path, editable: &[Utf8PathBuf]) -> Result<Overlay, SubmissionError> {
    let mut overlay = Overlay::default();
    if !folder.is_dir() {
        let source = io::Error::new(io::ErrorKind::NotFound, "no such folder");
        return Err(SubmissionError::Unreadable { path: folder.to_owned(), source });
    }
    for path in editable {
        overlay.take(folder, path)?;
    }
    if overlay.tree.0.is_empty() && overlay.left_out.is_empty() {
        return Err(SubmissionError::NothingEditable { path: folder.to_owned(), editable: editable.to_vec() });
    }
    Ok(overlay)
}

/// Takes the editable paths of a submission from elsewhere, and names what else it brought.
pub(super) fn read_foreign(folder: &Utf8Path, lab: &Lab) -> Result<Overlay, SubmissionError> {
    let mut overlay = read(folder, &lab.manifest.editable)?;
    let foreign = foreign_files(folder, lab);
    let more = foreign.len().saturating_sub(MOST_NAMED);
    overlay.left_out.extend(foreign.into_iter().take(MOST_NAMED));
    if more > 0 {
        overlay.left_out.push(format!("{more} more"));
    }
    Ok(overlay)
}

impl Overlay {
    /// Takes the file or folder `path`. What is absent is absent in the submission, too.
    fn take(&mut self, folder: &Utf8Path, path: &Utf8Path) -> Result<(), SubmissionError> {
        let top = folder.join(path);
        if top.symlink_metadata().is_err() {
            return Ok(());
        }
        if let Some(link) = link_on_the_way(folder, path) {
            self.leave_out(&link, "a link");
            return Ok(());
        }
        for entry in WalkDir::new(&top).follow_links(false).sort_by_file_name() {
            let entry = match entry {
                Ok(entry) => entry,
                // A folder that nobody can open, such as one whose path is longer than the system takes.
                Err(error) => {
                    let named = error.path().map_or_else(|| path.as_str().into(), |path| path.to_string_lossy());
                    self.leave_out(Utf8Path::new(&shortened(&named)), "it cannot be read");
                    continue;
                }
            };
            let Some(absolute) = Utf8Path::from_path(entry.path()) else {
                let named = entry.path().strip_prefix(folder).unwrap_or(entry.path()).to_string_lossy().into_owned();
                self.leave_out(Utf8Path::new(&shortened(&named)), "its name is not UTF-8");
                continue;
            };
            let relative = absolute.strip_prefix(folder).unwrap_or(absolute).to_owned();
            self.take_entry(&entry, absolute, relative)?;
        }
        Ok(())
    }

    fn take_entry(&mut self, entry: &DirEntry, path: &Utf8Path, relative: Utf8PathBuf) -> Result<(), SubmissionError> {
        let kind = entry.file_type();
        if kind.is_dir() {
            return Ok(());
        }
        if relative.as_str().chars().any(char::is_control) {
            let escaped = relative.as_str().escape_debug().to_string();
            self.leave_out(Utf8Path::new(&escaped), "its name has a control character");
        } else if kind.is_symlink() {
            self.leave_out(&relative, "a link");
        } else if !kind.is_file() {
            self.leave_out(&relative, "not a regular file");
        } else if entry.metadata().map_or(0, |data| data.len()) > MOST_BYTES {
            self.leave_out(&relative, "larger than 4 MiB");
        } else if relative.as_str().len() > LONGEST_PATH {
            self.leave_out(Utf8Path::new(&shortened(relative.as_str())), "its path is too long");
        } else if self.tree.0.len() >= MOST_FILES {
            self.leave_out(&relative, "one of more than 5,000 files");
        } else {
            let content = match std::fs::read(path) {
                Ok(content) => content,
                // A stage's own path is longer than the submission's: what does not fit here fits nowhere.
                Err(error) if error.kind() == io::ErrorKind::InvalidFilename => {
                    self.leave_out(Utf8Path::new(&shortened(relative.as_str())), "its path is too long");
                    return Ok(());
                }
                Err(source) => return Err(unreadable(path, source)),
            };
            self.bytes += content.len() as u64;
            if self.bytes > MOST_BYTES_IN_ALL {
                self.leave_out(&relative, "more than 32 MiB in all");
            } else {
                self.tree.0.insert(relative, content);
            }
        }
        Ok(())
    }

    fn leave_out(&mut self, path: &Utf8Path, why: &str) {
        match self.left_out.len() {
            ..MOST_NAMED => self.left_out.push(format!("{path} ({why})")),
            MOST_NAMED => self.left_out.push("more of this kind".to_owned()),
            _ => {}
        }
    }
}

/// The beginning of a name that is too long to be shown whole.
fn shortened(name: &str) -> String {
    const SHOWN: usize = 80;
    if name.chars().count() <= SHOWN { name.to_owned() } else { name.chars().take(SHOWN).collect::<String>() + "…" }
}

/// The first part of `path` below `folder` that is a link: `src` itself may be one.
pub(crate) fn link_on_the_way(folder: &Utf8Path, path: &Utf8Path) -> Option<Utf8PathBuf> {
    let mut walked = Utf8PathBuf::new();
    path.components().find_map(|part| {
        walked.push(part);
        folder.join(&walked).is_symlink().then(|| walked.clone())
    })
}

/// What a submission holds beside its editable paths and unlike the lab's own files. A folder that the lab lacks
/// altogether is named once.
fn foreign_files(folder: &Utf8Path, lab: &Lab) -> Vec<String> {
    let mut found = Vec::new();
    let mut walk = WalkDir::new(folder).min_depth(1).follow_links(false).sort_by_file_name().into_iter();
    while let Some(entry) = walk.next() {
        let Ok(entry) = entry else { continue };
        let Some(relative) = Utf8Path::from_path(entry.path()).and_then(|path| path.strip_prefix(folder).ok()) else {
            continue;
        };
        let name = relative.file_name().unwrap_or_default();
        let editable = lab.manifest.editable.iter().any(|path| relative.starts_with(path));
        let directory = entry.file_type().is_dir();
        if editable || NEVER_MEANT.contains(&name) {
            if directory {
                walk.skip_current_dir();
            }
        } else if directory {
            let leads_to_editable = lab.manifest.editable.iter().any(|path| path.starts_with(relative));
            if !leads_to_editable && !lab.folder.join(relative).is_dir() {
                found.push(format!("{relative}/"));
                walk.skip_current_dir();
            }
        } else if !is_same(entry.path(), lab.folder.join(relative).as_std_path()) {
            found.push(relative.to_string());
        }
    }
    found
}

fn is_same(one: &std::path::Path, other: &std::path::Path) -> bool {
    let regular_size = |path: &std::path::Path| {
        path.symlink_metadata().ok().filter(std::fs::Metadata::is_file).map(|metadata| metadata.len())
    };
    match (regular_size(one), regular_size(other)) {
        (Some(size), Some(same)) if size == same && size <= MOST_BYTES => {
            std::fs::read(one).ok().is_some_and(|content| std::fs::read(other).is_ok_and(|known| known == content))
        }
        _ => false,
    }
}

fn unreadable(path: &Utf8Path, source: io::Error) -> SubmissionError {
    SubmissionError::Unreadable { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::manifest::Manifest;

    fn write(folder: &Utf8Path, files: &[(&str, &str)]) {
        for (path, content) in files {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
    }

    fn temporary() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::try_from(folder.path().to_owned()).unwrap();
        (folder, path)
    }

    fn lab(folder: &Utf8Path) -> Lab {
        let text = "format_version = 1\nid = 'a-1'\nslug = 'b'\ntitle = ''\nsummary = ''\nroadmap = []\n\
                    editable = ['src']\n[server]\nreadiness = { path = '/' }";
        Lab { folder: folder.to_owned(), manifest: Manifest::parse(text, folder).unwrap() }
    }

    #[test]
    fn only_editable_files_are_taken_and_the_rest_is_named() {
        let (_keep, root) = temporary();
        let (theirs, ours) = (root.join("theirs"), root.join("ours"));
        write(&ours, &[("Cargo.toml", "[package]"), ("README.md", "read"), ("src/main.rs", "")]);
        write(
            &theirs,
            &[
                ("Cargo.toml", "[package]\nautotests = false"),
                ("README.md", "read"),
                ("build.rs", "fn main() {}"),
                (".cargo/config.toml", "[target]"),
                ("src/main.rs", "fn main() {}"),
                ("target/debug/x", "binary"),
            ],
        );
        let overlay = read_foreign(&theirs, &lab(&ours)).unwrap();
        assert_eq!(overlay.tree.0.keys().map(|path| path.as_str()).collect::<Vec<_>>(), ["src/main.rs"]);
        assert_eq!(overlay.left_out, [".cargo/", "Cargo.toml", "build.rs"]);
    }

    #[test]
    fn links_are_left_out_wherever_they_stand() {
        let (_keep, root) = temporary();
        write(&root, &[("secret", "s"), ("theirs/src/main.rs", "")]);
        symlink(root.join("secret"), root.join("theirs/src/link.rs")).unwrap();
        symlink(&root, root.join("theirs/src/folder")).unwrap();
        let overlay = read(&root.join("theirs"), &["src".into()]).unwrap();
        assert_eq!(overlay.tree.0.len(), 1);
        assert_eq!(overlay.left_out, ["src/folder (a link)", "src/link.rs (a link)"]);

        std::fs::create_dir(root.join("other")).unwrap();
        symlink(root.join("theirs/src"), root.join("other/src")).unwrap();
        let overlay = read(&root.join("other"), &["src".into()]).unwrap();
        assert!(overlay.tree.0.is_empty());
        assert_eq!(overlay.left_out, ["src (a link)"]);
    }

    #[test]
    fn a_file_beyond_the_bounds_is_left_out() {
        let (_keep, root) = temporary();
        write(&root, &[("src/main.rs", "")]);
        std::fs::File::create(root.join("src/big.bin")).unwrap().set_len(MOST_BYTES + 1).unwrap();
        let overlay = read(&root, &["src".into()]).unwrap();
        assert_eq!(overlay.left_out, ["src/big.bin (larger than 4 MiB)"]);
    }

    #[test]
    fn a_folder_with_nothing_editable_is_no_submission() {
        let (_keep, root) = temporary();
        write(&root, &[("lib.rs", "")]);
        assert!(matches!(read(&root, &["src".into()]), Err(SubmissionError::NothingEditable { .. })));
    }

    #[test]
    fn odd_names_and_special_files_are_named_and_the_rest_is_taken() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt as _;
        let (_keep, root) = temporary();
        write(&root, &[("src/main.rs", ""), ("src/two\nlines.rs", "")]);
        std::fs::write(root.join("src").as_std_path().join(OsStr::from_bytes(b"\xff.rs")), "").unwrap();
        let deep = format!("src/{}", vec!["d".repeat(200); 6].join("/"));
        write(&root, &[(&format!("{deep}/x.rs"), "")]);
        let _socket = std::os::unix::net::UnixListener::bind(root.join("src/socket")).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, root.join("src/pipe").as_std_path(), rustix::fs::Mode::RWXU).unwrap();
        let overlay = read(&root, &["src".into()]).unwrap();
        assert_eq!(overlay.tree.0.keys().collect::<Vec<_>>(), ["src/main.rs"]);
        let left = overlay.left_out.join("\n");
        for why in [
            "(its path is too long)",
            "src/pipe (not a regular file)",
            "src/socket (not a regular file)",
            "src/two\\nlines.rs (its name has a control character)",
            "(its name is not UTF-8)",
        ] {
            assert!(left.contains(why), "{why}: {left}");
        }
    }
}
