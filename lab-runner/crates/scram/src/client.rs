//! The client's half of SCRAM-SHA-256, for who signs in without a driver (RFC 5802 §3, RFC 7677).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::hmac;

/// The mechanism's name.
pub const MECHANISM: &[u8] = b"SCRAM-SHA-256";
/// "No channel binding", which is `n,,` in base 64.
const NO_BINDING: &str = "c=biws";
/// The most rounds of hashing that are gone through. Our own roles have one round.
const MOST_ROUNDS: u32 = 100_000;

/// One exchange, from the client's first message on.
pub struct Exchange {
    first: String,
}

impl Exchange {
    /// `nonce` is random text without a comma.
    pub fn new(nonce: &str) -> Self {
        // Postgres takes the user from the start-up packet.
        Self { first: format!("n=,r={nonce}") }
    }

    /// The client's first message.
    pub fn first(&self) -> String {
        format!("n,,{}", self.first)
    }

    /// The client's last message, if the server's first one makes sense.
    pub fn last(&self, server_first: &str, password: &str) -> Option<String> {
        let field = |name: &str| server_first.split(',').find_map(|field| field.strip_prefix(name));
        let nonce = field("r=")?;
        let salt = STANDARD.decode(field("s=")?).ok()?;
        let rounds = field("i=")?.parse().ok().filter(|rounds| (1..=MOST_ROUNDS).contains(rounds))?;
        let salted = salted(password, &salt, rounds);
        let key = hmac(&salted, b"Client Key");
        let unproved = format!("{NO_BINDING},r={nonce}");
        let all = format!("{},{server_first},{unproved}", self.first);
        let signature = hmac(&Sha256::digest(key), all.as_bytes());
        let proof: Vec<u8> = key.iter().zip(signature).map(|(key, signature)| key ^ signature).collect();
        Some(format!("{unproved},p={}", STANDARD.encode(proof)))
    }
}

/// RFC 5802's `Hi`.
fn salted(password: &str, salt: &[u8], rounds: u32) -> [u8; 32] {
    let mut last = hmac(password.as_bytes(), &[salt, &[0, 0, 0, 1]].concat());
    let mut all = last;
    for _ in 1..rounds {
        last = hmac(password.as_bytes(), &last);
        all.iter_mut().zip(last).for_each(|(all, last)| *all ^= last);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exchange_is_that_of_the_standards_example() {
        // RFC 7677 §3, whose client names its user.
        let exchange = Exchange { first: "n=user,r=rOprNGfwEbeRWgbNEkqO".into() };
        let server = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        let last = exchange.last(server, "pencil").unwrap();
        assert_eq!(
            last,
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
    }

    #[test]
    fn a_server_that_makes_no_sense_gets_no_proof() {
        let exchange = Exchange::new("abc");
        for server in ["", "r=abcd", "r=abcd,s=!,i=1", "r=abcd,s=aa==,i=0", "r=abcd,s=aa==,i=4000000000"] {
            assert_eq!(exchange.last(server, "pencil"), None, "{server}");
        }
    }
}
