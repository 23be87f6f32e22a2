//! SSH signatures of tags, made without any program: what `git tag --sign` makes with `gpg.format = ssh` (OpenSSH's
//! PROTOCOL.sshsig; gitformat-signature(5)).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, SigningKey};
use lab_kit::prelude::*;
use lab_kit::rand::RngExt as _;
use sha2::{Digest as _, Sha256, Sha512};

/// The namespace of git's signatures.
pub const GIT: &str = "git";

/// Somebody's key.
#[derive(Debug)]
pub struct Key(SigningKey);

/// How the message is hashed before it is signed. Both are allowed.
#[derive(Debug, Clone, Copy)]
pub enum Hash {
    /// What OpenSSH takes if nothing is said.
    Sha512,
    /// The other one.
    Sha256,
}

impl Key {
    /// A new one.
    pub fn new(lab: &Lab) -> Self {
        Self(SigningKey::from_bytes(&lab.random(|random| random.random())))
    }

    /// As OpenSSH writes it in a line: the type and the key.
    pub fn public(&self) -> String {
        format!("ssh-ed25519 {}", STANDARD.encode(self.blob()))
    }

    fn blob(&self) -> Vec<u8> {
        [string(b"ssh-ed25519"), string(self.0.verifying_key().as_bytes())].concat()
    }

    /// The signature of `message` for `namespace`, armoured.
    pub fn sign(&self, message: &[u8], namespace: &str, hash: Hash) -> String {
        let (name, hashed) = match hash {
            Hash::Sha512 => ("sha512", Sha512::digest(message).to_vec()),
            Hash::Sha256 => ("sha256", Sha256::digest(message).to_vec()),
        };
        let about = [string(namespace.as_bytes()), string(b""), string(name.as_bytes())].concat();
        let signed = [&b"SSHSIG"[..], &about, &string(&hashed)].concat();
        let signature = self.0.sign(&signed).to_bytes();
        let signature = [string(b"ssh-ed25519"), string(&signature)].concat();
        let version = 1_u32.to_be_bytes();
        let whole = [&b"SSHSIG"[..], &version, &string(&self.blob()), &about, &string(&signature)].concat();
        let text = STANDARD.encode(whole);
        let lines: Vec<String> =
            text.as_bytes().chunks(70).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
        format!("-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----\n", lines.join("\n"))
    }
}

/// A string as SSH writes it: its length in four bytes, and itself (RFC 4251 §5).
fn string(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes()[..], bytes].concat()
}

/// The content of a tag object called `name` on `commit`, which is not signed.
pub fn tag(lab: &Lab, name: &str, commit: &str) -> String {
    let word = lab.word();
    let time = 1_750_000_000 + lab.number(0, 1_000_000);
    format!(
        "object {commit}\ntype commit\ntag {name}\ntagger {word} <{word}@example.com> {time} +0000\n\nRelease {word}\n"
    )
}
