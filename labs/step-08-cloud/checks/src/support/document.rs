//! A file that somebody wants to upload.

use lab_kit::prelude::*;
use lab_kit::rand::Rng as _;
use sha2::{Digest as _, Sha256};

/// A name, a type, and bytes that begin as the type demands.
#[derive(Debug, Clone)]
pub struct Document {
    pub name: String,
    pub kind: &'static str,
    pub bytes: Vec<u8>,
}

impl Document {
    /// Random bytes behind the beginning of a PNG.
    pub fn png(lab: &Lab, size: usize) -> Self {
        Self::binary(lab, "image/png", "png", b"\x89PNG\r\n\x1a\n", size)
    }

    /// Random bytes behind the beginning of a JPEG.
    pub fn jpeg(lab: &Lab, size: usize) -> Self {
        Self::binary(lab, "image/jpeg", "jpg", b"\xff\xd8\xff", size)
    }

    /// Random bytes behind the beginning of a PDF.
    pub fn pdf(lab: &Lab, size: usize) -> Self {
        Self::binary(lab, "application/pdf", "pdf", b"%PDF-", size)
    }

    /// A page that would run a script wherever a browser shows it.
    pub fn html(lab: &Lab) -> Self {
        let text = format!("<!doctype html><title>{}</title><script>alert('é')</script>\n", lab.word());
        Self { name: format!("{}.html", lab.word()), kind: "text/html", bytes: text.into_bytes() }
    }

    /// Plain text.
    pub fn text(lab: &Lab) -> Self {
        let text = format!("Seats for {}: all sold, ő and all.\n", lab.word());
        Self { name: format!("{}.txt", lab.word()), kind: "text/plain", bytes: text.into_bytes() }
    }

    fn binary(lab: &Lab, kind: &'static str, ending: &str, magic: &[u8], size: usize) -> Self {
        let mut bytes = vec![0; size];
        lab.random(|random| random.fill_bytes(&mut bytes));
        bytes[..magic.len()].copy_from_slice(magic);
        Self { name: format!("{}.{ending}", lab.word()), kind, bytes }
    }

    /// The same under another name.
    pub fn named(self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self }
    }

    /// What `POST /uploads` is told of it.
    pub fn description(&self) -> Value {
        json!({
            "name": self.name,
            "type": self.kind,
            "size": self.bytes.len(),
            "sha256": hex::encode(Sha256::digest(&self.bytes)),
        })
    }
}
