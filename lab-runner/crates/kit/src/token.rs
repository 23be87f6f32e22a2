//! JSON Web Tokens, read and forged: every header, claim and signature that an attacker could write.
//!
//! Signing is done here by hand (RFC 7515 §5.1), because a library that is worth using refuses to make most of them.
//!
//! ```
//! use lab_kit::token::{Hmac, Token};
//! use serde_json::json;
//!
//! let secret = b"0123456789abcdef0123456789abcdef";
//! let token = Token::new(json!({"sub": "7", "type": "access"}));
//! let honest = token.sign(Hmac::Sha256, secret);
//! let forged = Token::read(&honest)?.with_claim("sub", "1").with_header("alg", "none").unsigned();
//! assert!(Token::read(&honest)?.is_signed_with(secret));
//! assert!(!Token::read(&forged)?.is_signed_with(secret));
//! # Ok::<(), lab_kit::Failure>(())
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::Mac;
use serde_json::{Map, Value, json};
use sha2::{Sha256, Sha384, Sha512};

use lab_check::{CheckResult, Failure};

/// The hash under an HMAC signature (RFC 7518 §3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hmac {
    /// HS256.
    Sha256,
    /// HS384.
    Sha384,
    /// HS512.
    Sha512,
}

/// A token that was read, or that is being made.
#[derive(Debug, Clone)]
pub struct Token {
    header: Map<String, Value>,
    claims: Map<String, Value>,
    /// The text it was read from, where it was: what was signed are those bytes, not what they mean.
    text: Option<String>,
}

impl Token {
    /// A token of these claims, with the header `{"alg": "HS256", "typ": "JWT"}`.
    ///
    /// ```
    /// # use lab_kit::token::Token;
    /// let token = Token::new(serde_json::json!({"sub": "7"}));
    /// assert_eq!(token.claim("sub").unwrap(), "7");
    /// ```
    pub fn new(claims: Value) -> Self {
        let header = json!({"alg": "HS256", "typ": "JWT"});
        Self { header: object(header), claims: object(claims), text: None }
    }

    /// Reads a token, whatever its signature is worth.
    ///
    /// ```
    /// # use lab_kit::token::Token;
    /// assert!(Token::read("no token").is_err());
    /// ```
    ///
    /// # Errors
    /// The learner's failure, if it is no JSON Web Token in compact form (RFC 7515 §7.1).
    pub fn read(text: &str) -> CheckResult<Self> {
        let wrong = |what: &str| {
            Failure::learner(format!("this is not a JSON Web Token: {what}"))
                .expected(
                    "three parts in base64url without padding, joined by full stops; the first two are JSON objects",
                )
                .actual(text)
        };
        let parts: Vec<_> = text.split('.').collect();
        let [header, claims, signature] = parts[..] else {
            return Err(wrong(&format!("it has {} parts", parts.len())));
        };
        let header = part(header).ok_or_else(|| wrong("its header cannot be read"))?;
        let claims = part(claims).ok_or_else(|| wrong("its claims cannot be read"))?;
        if URL_SAFE_NO_PAD.decode(signature).is_err() {
            return Err(wrong("its signature cannot be read"));
        }
        Ok(Self { header, claims, text: Some(text.to_owned()) })
    }

    /// One member of its header.
    ///
    /// ```
    /// # use lab_kit::token::Token;
    /// assert_eq!(Token::new(serde_json::json!({})).header("alg").unwrap(), "HS256");
    /// ```
    pub fn header(&self, name: &str) -> Option<&Value> {
        self.header.get(name)
    }

    /// One of its claims.
    ///
    /// ```
    /// # use lab_kit::token::Token;
    /// assert!(Token::new(serde_json::json!({})).claim("exp").is_none());
    /// ```
    pub fn claim(&self, name: &str) -> Option<&Value> {
        self.claims.get(name)
    }

    /// All of its claims.
    ///
    /// ```
    /// # use lab_kit::token::Token;
    /// # use serde_json::json;
    /// assert_eq!(Token::new(json!({"sub": "7"})).claims(), json!({"sub": "7"}));
    /// ```
    pub fn claims(&self) -> Value {
        Value::Object(self.claims.clone())
    }

    /// Sets a member of its header.
    ///
    /// ```
    /// # use lab_kit::token::Token;
    /// let token = Token::new(serde_json::json!({})).with_header("kid", "../../dev/null");
    /// assert_eq!(token.header("kid").unwrap(), "../../dev/null");
    /// ```
    #[must_use]
    pub fn with_header(self, name: &str, value: impl Into<Value>) -> Self {
        let mut header = self.header;
        header.insert(name.into(), value.into());
        Self { header, text: None, ..self }
    }

    /// Sets a claim.
    ///
    /// ```
    /// # use lab_kit::token::Token;
    /// let token = Token::new(serde_json::json!({})).with_claim("exp", 0);
    /// assert_eq!(token.claim("exp").unwrap(), 0);
    /// ```
    #[must_use]
    pub fn with_claim(self, name: &str, value: impl Into<Value>) -> Self {
        let mut claims = self.claims;
        claims.insert(name.into(), value.into());
        Self { claims, text: None, ..self }
    }

    /// Removes a claim.
    ///
    /// ```
    /// # use lab_kit::token::Token;
    /// assert!(Token::new(serde_json::json!({"exp": 0})).without_claim("exp").claim("exp").is_none());
    /// ```
    #[must_use]
    pub fn without_claim(self, name: &str) -> Self {
        let mut claims = self.claims;
        claims.remove(name);
        Self { claims, text: None, ..self }
    }

    /// The token signed with `key`. What its header says of the algorithm stays as it is: `sign` does not ask it.
    ///
    /// ```
    /// # use lab_kit::token::{Hmac, Token};
    /// let token = Token::new(serde_json::json!({})).with_header("alg", "HS512").sign(Hmac::Sha512, b"key");
    /// assert_eq!(token.split('.').count(), 3);
    /// ```
    pub fn sign(&self, hash: Hmac, key: &[u8]) -> String {
        let signed = self.signed_text();
        self.with_signature(&hash.of(key, signed.as_bytes()))
    }

    /// The token with an empty signature. The full stop before it stands.
    ///
    /// ```
    /// # use lab_kit::token::Token;
    /// assert!(Token::new(serde_json::json!({})).unsigned().ends_with('.'));
    /// ```
    pub fn unsigned(&self) -> String {
        self.with_signature(b"")
    }

    /// The token with these bytes as its signature.
    ///
    /// ```
    /// # use lab_kit::token::Token;
    /// assert!(Token::new(serde_json::json!({})).with_signature(&[0; 3]).ends_with(".AAAA"));
    /// ```
    pub fn with_signature(&self, signature: &[u8]) -> String {
        format!("{}.{}", self.signed_text(), URL_SAFE_NO_PAD.encode(signature))
    }

    /// The bytes of its signature; none where it was made and not read.
    ///
    /// ```
    /// # use lab_kit::token::{Hmac, Token};
    /// let text = Token::new(serde_json::json!({})).sign(Hmac::Sha256, b"key");
    /// assert_eq!(Token::read(&text).unwrap().signature().len(), 32);
    /// ```
    pub fn signature(&self) -> Vec<u8> {
        let text = self.text.as_deref().and_then(|text| text.rsplit('.').next()).unwrap_or_default();
        URL_SAFE_NO_PAD.decode(text).unwrap_or_default()
    }

    /// Whether the text it was read from carries the HS256 signature of `key`.
    ///
    /// ```
    /// # use lab_kit::token::{Hmac, Token};
    /// let text = Token::new(serde_json::json!({})).sign(Hmac::Sha256, b"key");
    /// assert!(Token::read(&text).unwrap().is_signed_with(b"key"));
    /// ```
    pub fn is_signed_with(&self, key: &[u8]) -> bool {
        self.signature() == Hmac::Sha256.of(key, self.signed_text().as_bytes())
    }

    /// Header and claims in base64url: what a signature covers.
    fn signed_text(&self) -> String {
        if let Some((signed, _)) = self.text.as_deref().and_then(|text| text.rsplit_once('.')) {
            return signed.to_owned();
        }
        let encode = |part: &Map<String, Value>| URL_SAFE_NO_PAD.encode(Value::Object(part.clone()).to_string());
        format!("{}.{}", encode(&self.header), encode(&self.claims))
    }
}

impl Hmac {
    /// Its name in a token's header.
    ///
    /// ```
    /// assert_eq!(lab_kit::token::Hmac::Sha384.name(), "HS384");
    /// ```
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "HS256",
            Self::Sha384 => "HS384",
            Self::Sha512 => "HS512",
        }
    }

    fn of(self, key: &[u8], text: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => mac::<hmac::Hmac<Sha256>>(key, text),
            Self::Sha384 => mac::<hmac::Hmac<Sha384>>(key, text),
            Self::Sha512 => mac::<hmac::Hmac<Sha512>>(key, text),
        }
    }
}

fn mac<M: Mac + hmac::KeyInit>(key: &[u8], text: &[u8]) -> Vec<u8> {
    // HMAC takes keys of any length; the error is there for other MACs.
    <M as hmac::KeyInit>::new_from_slice(key)
        .map(|mac| mac.chain_update(text).finalize().into_bytes().to_vec())
        .unwrap_or_default()
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn part(text: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_7515_a_1_is_signed_with_its_key() {
        let text = concat!(
            "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9",
            ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
            ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
        );
        let key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
        let key = URL_SAFE_NO_PAD.decode(key).unwrap();
        let token = Token::read(text).unwrap();
        assert!(token.is_signed_with(&key));
        assert!(!token.is_signed_with(&key[1..]));
        assert_eq!(token.claim("iss").unwrap(), "joe");
    }

    #[test]
    fn a_changed_token_is_encoded_anew() {
        let text = Token::new(json!({"sub": "7"})).sign(Hmac::Sha256, b"key");
        let forged = Token::read(&text).unwrap().with_claim("sub", "1").with_signature(b"x");
        assert_eq!(Token::read(&forged).unwrap().claim("sub").unwrap(), "1");
        assert!(!Token::read(&forged).unwrap().is_signed_with(b"key"));
    }
}
