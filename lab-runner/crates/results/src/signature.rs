//! Signatures of files: Ed25519 (RFC 8032) over a file's very bytes, 64 bytes in a file beside it, named as it with `.sig` at
//! the end. It is what `openssl pkeyutl -sign -rawin` writes, and keys are what `openssl genpkey -algorithm ed25519` makes.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, DecodePublicKey as _};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

use crate::ResultsError;
use crate::files;

/// Reads a private key: PKCS#8 in PEM.
///
/// # Errors
/// The file cannot be read or holds no such key.
pub fn private_key(path: &Utf8Path) -> Result<SigningKey, ResultsError> {
    let key = SigningKey::from_pkcs8_pem(&text(path)?);
    key.map_err(|error| ResultsError::Key { path: path.to_owned(), what: "private", why: error.to_string() })
}

/// Reads a public key: SubjectPublicKeyInfo in PEM.
///
/// # Errors
/// The file cannot be read or holds no such key.
pub fn public_key(path: &Utf8Path) -> Result<VerifyingKey, ResultsError> {
    let key = VerifyingKey::from_public_key_pem(&text(path)?);
    key.map_err(|error| ResultsError::Key { path: path.to_owned(), what: "public", why: error.to_string() })
}

fn text(path: &Utf8Path) -> Result<String, ResultsError> {
    fs::read_to_string(path).map_err(|source| ResultsError::File { path: path.to_owned(), source })
}

/// Where the signature of `file` is.
#[must_use]
pub fn beside(file: &Utf8Path) -> Utf8PathBuf {
    format!("{file}.sig").into()
}

/// Signs `file` with `key`.
///
/// # Errors
/// The file cannot be read, or its signature cannot be written.
pub fn sign(file: &Utf8Path, key: &SigningKey) -> Result<(), ResultsError> {
    let content = fs::read(file).map_err(|source| ResultsError::File { path: file.to_owned(), source })?;
    files::save(&beside(file), &key.sign(&content).to_bytes())
}

/// Signs every result in the report folder `report`, and what is said of all of them.
///
/// # Errors
/// A file cannot be read, or a signature cannot be written.
pub fn sign_all(report: &Utf8Path, key: &SigningKey) -> Result<(), ResultsError> {
    let results = files::results_in(report)?.into_iter().map(|folder| folder.join("result.json"));
    let whole =
        ["grades.json", "gradebook.csv"].map(|name| report.join(name)).into_iter().filter(|path| path.is_file());
    results.chain(whole).try_for_each(|file| sign(&file, key))
}

/// Whether `content`, which stands in `file`, is signed with the private half of `key`; if not, why not.
///
/// # Errors
/// It is not.
pub fn check(file: &Utf8Path, content: &[u8], key: &VerifyingKey) -> Result<(), String> {
    let place = beside(file);
    let bytes = fs::read(&place).map_err(|error| format!("it has no signature: {place}: {error}"))?;
    let signature = Signature::from_slice(&bytes).map_err(|_| format!("{place} is no signature"))?;
    // Strict: a signature that only some implementations would take is none.
    key.verify_strict(content, &signature).map_err(|_| "it was changed, or signed with another key".to_owned())
}
