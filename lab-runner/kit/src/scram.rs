//! Passwords as Postgres keeps them (RFC 5802 §3, RFC 7677), hashed once in place of 4096 times.
//!
//! Hashing often protects passwords that people think up. Ours are random, so it protects nothing, and in an
//! unoptimised build it costs every new connection 40 ms: more than all the rest of connecting.
//!
//! Only for accounts that no program but ours signs in with: Go's lib/pq, Bun and older JDBC drivers refuse a server
//! that asks for fewer than 4096 rounds, which RFC 7677 §4 recommends.

use sha2::{Digest as _, Sha256};

const BLOCK: usize = 64;

/// What to give Postgres in place of `password`: it takes a verifier wherever it takes a password. `salt` is random.
///
/// # Examples
/// ```
/// let verifier = lab_kit::scram::verifier("abc", b"0123456789abcdef");
/// assert!(verifier.starts_with("SCRAM-SHA-256$1:"));
/// ```
#[must_use]
pub fn verifier(password: &str, salt: &[u8; 16]) -> String {
    let salted = hmac(password.as_bytes(), &[salt.as_slice(), &[0, 0, 0, 1]].concat());
    let stored = Sha256::digest(hmac(&salted, b"Client Key"));
    let server = hmac(&salted, b"Server Key");
    format!("SCRAM-SHA-256$1:{}${}:{}", base64(salt), base64(&stored), base64(&server))
}

/// RFC 2104; no key here is longer than a block.
fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let pad = |with: u8| {
        let mut block = [with; BLOCK];
        block.iter_mut().zip(key).for_each(|(byte, key)| *byte ^= key);
        block
    };
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().into()
}

/// RFC 4648 §4.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = char::from(DIGITS[(bits >> (18 - 6 * place) & 63) as usize]);
            text.push(if place <= chunk.len() { digit } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verifier_is_the_one_that_other_programs_make() {
        // Made with Python's hashlib.pbkdf2_hmac and hmac.
        assert_eq!(verifier("abc", b"0123456789abcdef"), EXPECTED);
    }

    #[test]
    fn base64_pads_to_fours() {
        assert_eq!(
            ["", "f", "fo", "foo", "foob"].map(|text| base64(text.as_bytes())),
            ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="]
        );
    }

    const EXPECTED: &str = "SCRAM-SHA-256$1:MDEyMzQ1Njc4OWFiY2RlZg==$90f0406RwZbknSCnZwjhR8Za6PVeCUi7y0QOCAvY7BU=:SKE8RAjuQva7m8Qzwm3KItIY61qDPlQOagNUs6+bM5M=";
}
