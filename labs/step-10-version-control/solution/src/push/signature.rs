//! Signatures as `ssh-keygen -Y sign` makes them, which git puts into tags (PROTOCOL.sshsig of OpenSSH).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest as _, Sha256, Sha512};

/// What a signature begins with, and what is signed, too.
const MAGIC: &[u8] = b"SSHSIG";
/// The one kind of key that is taken.
const ED25519: &[u8] = b"ssh-ed25519";
/// What git signs for. A signature that somebody made of a file or an e-mail is for something else.
const NAMESPACE: &[u8] = b"git";

/// Why a signature does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// It is no signature of this form.
    #[error("the signature cannot be read")]
    Form,
    /// It is by another kind of key.
    #[error("the signature is not by an ed25519 key")]
    Algorithm,
    /// It was made for something else.
    #[error("the signature was not made for git")]
    Namespace,
    /// It is nobody's who may sign.
    #[error("the key is not among the allowed signers")]
    Unknown,
    /// It is not of these bytes.
    #[error("the signature is not of this tag")]
    Mismatch,
}

/// A signature as text, to the end of the tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Armour<'a>(pub &'a [u8]);

impl Armour<'_> {
    /// What the text says.
    ///
    /// # Errors
    /// It is something else, or something stands behind it.
    pub fn decode(self) -> Result<SshSignature, SignatureError> {
        let text = std::str::from_utf8(self.0).map_err(|_| SignatureError::Form)?;
        let text = text.trim_end_matches('\n');
        let body = text.strip_prefix("-----BEGIN SSH SIGNATURE-----\n");
        let body = body.and_then(|text| text.strip_suffix("\n-----END SSH SIGNATURE-----"));
        let body = body.ok_or(SignatureError::Form)?.replace('\n', "");
        SshSignature::parse(&BASE64_STANDARD.decode(body).map_err(|_| SignatureError::Form)?)
    }
}

/// A signature, and what it says of itself.
#[derive(Debug)]
pub struct SshSignature {
    key: VerifyingKey,
    namespace: Vec<u8>,
    hash: Hash,
    signature: Signature,
}

/// How the message was shortened before it was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hash {
    Sha256,
    Sha512,
}

impl Hash {
    fn name(self) -> &'static [u8] {
        match self {
            Self::Sha256 => b"sha256",
            Self::Sha512 => b"sha512",
        }
    }

    fn of(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(message).to_vec(),
            Self::Sha512 => Sha512::digest(message).to_vec(),
        }
    }
}

impl SshSignature {
    fn parse(bytes: &[u8]) -> Result<Self, SignatureError> {
        let mut reader = Reader(bytes.strip_prefix(MAGIC).ok_or(SignatureError::Form)?);
        if reader.take(4)? != [0, 0, 0, 1] {
            return Err(SignatureError::Form);
        }
        let key = public_key(reader.string()?)?;
        let namespace = reader.string()?.to_vec();
        let _reserved = reader.string()?;
        let hash = match reader.string()? {
            b"sha256" => Hash::Sha256,
            b"sha512" => Hash::Sha512,
            _ => return Err(SignatureError::Form),
        };
        let mut inner = Reader(reader.string()?);
        if inner.string()? != ED25519 {
            return Err(SignatureError::Algorithm);
        }
        let signature = Signature::from_slice(inner.string()?).map_err(|_| SignatureError::Form)?;
        if inner.0.is_empty() && reader.0.is_empty() {
            Ok(Self { key, namespace, hash, signature })
        } else {
            Err(SignatureError::Form)
        }
    }

    /// The key that it says it is by. Only `verify` tells whether that is true.
    pub fn key(&self) -> &VerifyingKey {
        &self.key
    }

    /// Whether it is this key's, of `message`, and made for git.
    ///
    /// # Errors
    /// It is not.
    pub fn verify(&self, message: &[u8]) -> Result<(), SignatureError> {
        if self.namespace != NAMESPACE {
            return Err(SignatureError::Namespace);
        }
        let signed = signed(&self.namespace, self.hash, message);
        self.key.verify_strict(&signed, &self.signature).map_err(|_| SignatureError::Mismatch)
    }
}

/// The bytes that the key has signed for `message`.
fn signed(namespace: &[u8], hash: Hash, message: &[u8]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    for part in [namespace, b"", hash.name(), &hash.of(message)] {
        push_string(&mut bytes, part);
    }
    bytes
}

/// An ed25519 key in SSH's form: twice a string, the kind and the key.
///
/// # Errors
/// It is something else.
pub fn public_key(bytes: &[u8]) -> Result<VerifyingKey, SignatureError> {
    let mut reader = Reader(bytes);
    if reader.string()? != ED25519 {
        return Err(SignatureError::Algorithm);
    }
    let key: [u8; 32] = reader.string()?.try_into().map_err(|_| SignatureError::Form)?;
    if !reader.0.is_empty() {
        return Err(SignatureError::Form);
    }
    VerifyingKey::from_bytes(&key).map_err(|_| SignatureError::Form)
}

/// Bytes in SSH's form (RFC 4251 §5): a string is its length in four bytes, and then itself.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], SignatureError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(SignatureError::Form)?;
        self.0 = rest;
        Ok(taken)
    }

    fn string(&mut self) -> Result<&'a [u8], SignatureError> {
        let length: [u8; 4] = self.take(4)?.try_into().map_err(|_| SignatureError::Form)?;
        self.take(usize::try_from(u32::from_be_bytes(length)).map_err(|_| SignatureError::Form)?)
    }
}

fn push_string(bytes: &mut Vec<u8>, part: &[u8]) {
    let length = u32::try_from(part.len()).expect("parts of a signature are short");
    bytes.extend(length.to_be_bytes());
    bytes.extend(part);
}

#[cfg(test)]
pub mod tests {
    use ed25519_dalek::{Signer as _, SigningKey};

    use super::*;

    /// A signature as ssh-keygen would make it.
    pub fn sign(key: &SigningKey, namespace: &str, message: &[u8]) -> String {
        armour(key, namespace.as_bytes(), Hash::Sha512, message)
    }

    /// A public key as it stands in a file.
    pub fn public_text(key: &SigningKey) -> String {
        BASE64_STANDARD.encode(public_bytes(key))
    }

    fn public_bytes(key: &SigningKey) -> Vec<u8> {
        let mut bytes = Vec::new();
        push_string(&mut bytes, ED25519);
        push_string(&mut bytes, key.verifying_key().as_bytes());
        bytes
    }

    fn armour(key: &SigningKey, namespace: &[u8], hash: Hash, message: &[u8]) -> String {
        let mut bytes = [MAGIC, &[0, 0, 0, 1]].concat();
        for part in [&public_bytes(key)[..], namespace, b"", hash.name()] {
            push_string(&mut bytes, part);
        }
        let mut inner = Vec::new();
        push_string(&mut inner, ED25519);
        push_string(&mut inner, &key.sign(&signed(namespace, hash, message)).to_bytes());
        push_string(&mut bytes, &inner);
        let text = BASE64_STANDARD.encode(bytes);
        let lines: Vec<_> = text.as_bytes().chunks(70).map(|line| std::str::from_utf8(line).unwrap()).collect();
        format!("-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----\n", lines.join("\n"))
    }

    fn key() -> SigningKey {
        SigningKey::from_bytes(&[7; 32])
    }

    #[test]
    fn a_signature_is_of_one_message() {
        for hash in [Hash::Sha256, Hash::Sha512] {
            let signature = Armour(armour(&key(), NAMESPACE, hash, b"v1").as_bytes()).decode().unwrap();
            assert_eq!(signature.key(), &key().verifying_key());
            assert_eq!(signature.verify(b"v1"), Ok(()));
            assert_eq!(signature.verify(b"v2"), Err(SignatureError::Mismatch));
        }
    }

    #[test]
    fn a_signature_is_for_one_purpose() {
        let signature = Armour(sign(&key(), "file", b"v1").as_bytes()).decode().unwrap();
        assert_eq!(signature.verify(b"v1"), Err(SignatureError::Namespace));
    }

    #[test]
    fn what_is_no_signature_is_refused() {
        let text = sign(&key(), "git", b"v1");
        for text in
            ["", "-----BEGIN SSH SIGNATURE-----\n", &text[..200], &format!("{text}more\n"), &text.replace("\n", "\n!")]
        {
            assert_eq!(Armour(text.as_bytes()).decode().unwrap_err(), SignatureError::Form, "{text}");
        }
    }
}
