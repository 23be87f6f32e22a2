//! SHA-256 of what is graded and of what grades it.

use std::fs::File;
use std::io::{self, BufRead as _};

use camino::Utf8Path;
use sha2::{Digest as _, Sha256};

/// The hash of a list of parts. Each is hashed with its length, so that no two lists look alike.
#[derive(Debug, Default)]
pub struct PartsHash(Sha256);

impl PartsHash {
    /// Adds a part.
    pub fn add(&mut self, part: impl AsRef<[u8]>) {
        let part = part.as_ref();
        self.0.update((part.len() as u64).to_le_bytes());
        self.0.update(part);
    }

    /// The hash of all parts, in hexadecimal.
    pub fn finish(self) -> String {
        hex::encode(self.0.finalize())
    }
}

/// The hash of a text, in hexadecimal.
pub fn text(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

/// The hash of a file, in hexadecimal, whatever its size.
///
/// # Errors
/// The file cannot be read.
pub fn file(path: &Utf8Path) -> io::Result<String> {
    let (mut hash, mut reader) = (Sha256::new(), io::BufReader::with_capacity(1 << 20, File::open(path)?));
    loop {
        let read = reader.fill_buf()?;
        if read.is_empty() {
            return Ok(hex::encode(hash.finalize()));
        }
        hash.update(read);
        let count = read.len();
        reader.consume(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_one_part_ends_matters() {
        let hash = |parts: &[&str]| {
            let mut hash = PartsHash::default();
            parts.iter().for_each(|part| hash.add(part));
            hash.finish()
        };
        assert_ne!(hash(&["ab", "c"]), hash(&["a", "bc"]));
        assert_ne!(hash(&["ab", ""]), hash(&["ab"]));
    }

    #[test]
    fn a_file_has_the_hash_of_its_content() {
        let keep = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(keep.path()).unwrap().join("file");
        // FIPS 180-2, appendix B.1.
        std::fs::write(&path, "abc").unwrap();
        assert_eq!(file(&path).unwrap(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(text("abc"), file(&path).unwrap());
    }
}
