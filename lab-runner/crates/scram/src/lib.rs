//! SCRAM-SHA-256 as Postgres speaks it (RFC 5802, RFC 7677): what a server keeps of a password, and the client's half of
//! signing in ([`client`]). Verifiers are hashed once in place of 4096 times.
//!
//! Hashing often protects passwords that people think up. Ours are random, so it protects nothing, and in an
//! unoptimised build it costs every new connection 40 ms: more than all the rest of connecting.
//!
//! Only for accounts that no program but ours signs in with: Go's lib/pq, Bun and older JDBC drivers refuse a server
//! that asks for fewer than 4096 rounds, which RFC 7677 §4 recommends.

pub mod client;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac as _};
use sha2::{Digest as _, Sha256};

/// What to give Postgres in place of `password`: it takes a verifier wherever it takes a password. `salt` is random.
///
/// # Examples
/// ```
/// let verifier = lab_scram::verifier("abc", b"0123456789abcdef");
/// assert!(verifier.starts_with("SCRAM-SHA-256$1:"));
/// ```
#[must_use]
pub fn verifier(password: &str, salt: &[u8; 16]) -> String {
    let salted = hmac(password.as_bytes(), &[salt.as_slice(), &[0, 0, 0, 1]].concat());
    let stored = Sha256::digest(hmac(&salted, b"Client Key"));
    let server = hmac(&salted, b"Server Key");
    format!("SCRAM-SHA-256$1:{}${}:{}", STANDARD.encode(salt), STANDARD.encode(stored), STANDARD.encode(server))
}

/// RFC 2104.
fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac =
        <Hmac<Sha256> as KeyInit>::new_from_slice(key).unwrap_or_else(|_| unreachable!("any length is a key"));
    mac.update(message);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verifier_is_the_one_that_other_programs_make() {
        // Made with Python's hashlib.pbkdf2_hmac and hmac.
        assert_eq!(verifier("abc", b"0123456789abcdef"), EXPECTED);
    }

    const EXPECTED: &str = "SCRAM-SHA-256$1:MDEyMzQ1Njc4OWFiY2RlZg==$90f0406RwZbknSCnZwjhR8Za6PVeCUi7y0QOCAvY7BU=:SKE8RAjuQva7m8Qzwm3KItIY61qDPlQOagNUs6+bM5M=";
}
