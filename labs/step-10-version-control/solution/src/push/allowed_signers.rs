//! The keys that may sign releases, in a file as OpenSSH has it (ssh-keygen(1), ALLOWED SIGNERS).

use std::str::FromStr;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ed25519_dalek::VerifyingKey;

use super::signature::{self, SignatureError, SshSignature};

/// The keys. Whose they are does not matter to us.
#[derive(Debug)]
pub struct AllowedSigners(Vec<VerifyingKey>);

/// A line that makes no sense. Whoever wrote it meant somebody, and would wonder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line} is not PRINCIPAL ssh-ed25519 KEY")]
pub struct SignersError {
    line: usize,
}

impl AllowedSigners {
    /// Whether `signature` is of `message`, and by one of these keys.
    ///
    /// # Errors
    /// It is not.
    pub fn verify(&self, message: &[u8], signature: &SshSignature) -> Result<(), SignatureError> {
        if !self.0.contains(signature.key()) {
            return Err(SignatureError::Unknown);
        }
        signature.verify(message)
    }
}

impl FromStr for AllowedSigners {
    type Err = SignersError;

    fn from_str(text: &str) -> Result<Self, SignersError> {
        let mut keys = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            keys.push(key(line).ok_or(SignersError { line: number + 1 })?);
        }
        Ok(Self(keys))
    }
}

fn key(line: &str) -> Option<VerifyingKey> {
    let mut words = line.split_ascii_whitespace();
    let (_principal, "ssh-ed25519", key) = (words.next()?, words.next()?, words.next()?) else { return None };
    signature::public_key(&BASE64_STANDARD.decode(key).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;

    use super::signature::Armour;
    use super::signature::tests::{public_text, sign};
    use super::*;

    #[test]
    fn only_the_keys_in_the_file_may_sign() {
        let (ada, eve) = (SigningKey::from_bytes(&[1; 32]), SigningKey::from_bytes(&[2; 32]));
        let text = format!("# releases\n\nada@example.com ssh-ed25519 {} her laptop\n", public_text(&ada));
        let signers: AllowedSigners = text.parse().unwrap();
        let verify = |key, message: &[u8]| {
            signers.verify(message, &Armour(sign(key, "git", b"v1").as_bytes()).decode().unwrap())
        };
        assert_eq!(verify(&ada, b"v1"), Ok(()));
        assert_eq!(verify(&ada, b"v2"), Err(SignatureError::Mismatch));
        assert_eq!(verify(&eve, b"v1"), Err(SignatureError::Unknown));
    }

    #[test]
    fn a_line_that_makes_no_sense_is_named() {
        for line in ["ada", "ada ssh-rsa AAAA", "ada ssh-ed25519 AAAA", "ada ssh-ed25519"] {
            let error = format!("\n{line}\n").parse::<AllowedSigners>().unwrap_err();
            assert_eq!(error, SignersError { line: 2 }, "{line}");
        }
    }
}
