//! Tokens: signed claims of who somebody is (RFC 7519).

use chrono::Utc;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, TokenData, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Secret;

const ISSUER: &str = "box-office";
const AUDIENCE: &str = "box-office-api";
/// The one algorithm. What the token's header asks for is the sender's wish.
const ALGORITHM: Algorithm = Algorithm::HS256;
/// How far clocks may differ, in seconds.
const LEEWAY: u64 = 30;
const ACCESS_SECONDS: i64 = 15 * 60;
const REFRESH_SECONDS: i64 = 30 * 24 * 60 * 60;

/// What a token is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenType {
    /// Shown with every request.
    Access,
    /// Shown once, to get the next two.
    Refresh,
}

/// What a token says.
#[derive(Debug, Serialize, Deserialize)]
pub struct Claims {
    iss: String,
    aud: String,
    /// The account's id.
    pub sub: String,
    /// The session it came from.
    pub sid: Uuid,
    /// Its own id.
    pub jti: Uuid,
    #[serde(rename = "type")]
    token_type: TokenType,
    iat: i64,
    nbf: i64,
    exp: i64,
}

/// What somebody gets who logged in.
#[derive(Debug, Serialize)]
pub struct Tokens {
    /// Shown with every request.
    pub access_token: String,
    /// Shown once, to get the next two.
    pub refresh_token: String,
    /// How to show it.
    pub token_type: &'static str,
    /// How many seconds the access token works.
    pub expires_in: i64,
}

/// The token is not one of ours, not for this, or not for now.
#[derive(Debug, thiserror::Error)]
pub enum InvalidToken {
    /// It could not be read or does not hold.
    #[error("the token does not hold: {0}")]
    Jwt(#[from] jsonwebtoken::errors::Error),
    /// It is a token of the other type.
    #[error("the token is no {0:?} token")]
    Type(TokenType),
    /// It holds only under conditions that we do not know.
    #[error("the token's header names extensions that must be understood")]
    Critical,
    /// Its subject is no account's id, as we write ids.
    #[error("the token's subject is no id")]
    Subject,
}

/// Signs and verifies.
pub struct TokenKeys {
    signing: EncodingKey,
    verifying: DecodingKey,
    validation: Validation,
}

impl TokenKeys {
    /// Keys made of `secret`.
    pub fn new(secret: &Secret) -> Self {
        let mut validation = Validation::new(ALGORITHM);
        validation.leeway = LEEWAY;
        validation.validate_nbf = true;
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        Self {
            signing: EncodingKey::from_secret(secret.as_bytes()),
            verifying: DecodingKey::from_secret(secret.as_bytes()),
            validation,
        }
    }

    /// The two tokens of a session. `refresh` is the refresh token's id.
    ///
    /// # Errors
    /// They could not be signed.
    pub fn issue(&self, user_id: i64, session: Uuid, refresh: Uuid) -> Result<Tokens, jsonwebtoken::errors::Error> {
        Ok(Tokens {
            access_token: self.sign(user_id, session, Uuid::new_v4(), TokenType::Access, ACCESS_SECONDS)?,
            refresh_token: self.sign(user_id, session, refresh, TokenType::Refresh, REFRESH_SECONDS)?,
            token_type: "Bearer",
            expires_in: ACCESS_SECONDS,
        })
    }

    fn sign(
        &self,
        user_id: i64,
        sid: Uuid,
        jti: Uuid,
        token_type: TokenType,
        seconds: i64,
    ) -> Result<String, jsonwebtoken::errors::Error> {
        let now = Utc::now().timestamp();
        let claims = Claims {
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
            sub: user_id.to_string(),
            sid,
            jti,
            token_type,
            iat: now,
            nbf: now,
            exp: now + seconds,
        };
        encode(&Header::new(ALGORITHM), &claims, &self.signing)
    }

    /// What a token says, if it is ours, for now and of this type.
    ///
    /// # Errors
    /// The first of these that does not hold.
    pub fn verify(&self, token: &str, wanted: TokenType) -> Result<Claims, InvalidToken> {
        let TokenData { header, claims } = decode::<Claims>(token, &self.verifying, &self.validation)?;
        // We know no extensions, so that whatever is said to be critical is unknown (RFC 7515 §4.1.11).
        if header.crit.is_some() {
            return Err(InvalidToken::Critical);
        }
        if claims.token_type == wanted { Ok(claims) } else { Err(InvalidToken::Type(wanted)) }
    }
}

impl Claims {
    /// The account's id.
    ///
    /// # Errors
    /// The subject is none.
    pub fn user_id(&self) -> Result<i64, InvalidToken> {
        // `+1` and `01` are read as 1. An id has one spelling, the one that we have signed.
        let id = self.sub.parse().ok().filter(|id: &i64| id.to_string() == self.sub);
        id.ok_or(InvalidToken::Subject)
    }
}

impl std::fmt::Debug for TokenKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenKeys(…)")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const SECRET: &str = "a secret that nobody has but this test";

    fn keys() -> TokenKeys {
        TokenKeys::new(&Secret::new(SECRET.into()).expect("it is long enough"))
    }

    /// What a token of ours says, for whom nothing is wrong with it.
    fn claims() -> Value {
        let now = Utc::now().timestamp();
        json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": "7", "sid": Uuid::new_v4(), "jti": Uuid::new_v4(), "type": "access",
            "iat": now, "nbf": now, "exp": now + 60,
        })
    }

    /// Whether we take a token with these claims for an access token.
    fn holds(header: &Header, claims: &Value) -> bool {
        let key = EncodingKey::from_secret(SECRET.as_bytes());
        let token = encode(header, claims, &key).expect("it can be signed");
        keys().verify(&token, TokenType::Access).and_then(|claims| claims.user_id()).is_ok_and(|id| id == 7)
    }

    #[test]
    fn a_token_is_good_for_what_it_was_issued_for() {
        let (keys, session, refresh) = (keys(), Uuid::new_v4(), Uuid::new_v4());
        let tokens = keys.issue(7, session, refresh).unwrap();
        let access = keys.verify(&tokens.access_token, TokenType::Access).unwrap();
        assert_eq!((access.user_id().unwrap(), access.sid), (7, session));
        assert_eq!(keys.verify(&tokens.refresh_token, TokenType::Refresh).unwrap().jti, refresh);
        assert!(matches!(keys.verify(&tokens.refresh_token, TokenType::Access), Err(InvalidToken::Type(_))));
        assert!(matches!(keys.verify(&tokens.access_token, TokenType::Refresh), Err(InvalidToken::Type(_))));
    }

    #[test]
    fn one_wrong_claim_is_enough_to_refuse() {
        let (now, good) = (Utc::now().timestamp(), Header::new(ALGORITHM));
        assert!(holds(&good, &claims()));
        let wrong = [
            ("exp", json!(now - 90)),
            ("nbf", json!(now + 90)),
            ("iss", json!("somebody else")),
            ("aud", json!("somebody else")),
            ("sub", json!("+7")),
            ("sub", json!("07")),
            ("exp", Value::Null),
        ];
        for (claim, value) in wrong {
            let mut claims = claims();
            claims[claim] = value.clone();
            assert!(!holds(&good, &claims), "{claim}: {value}");
        }
    }

    #[test]
    fn neither_another_algorithm_nor_an_unknown_extension_is_taken() {
        assert!(!holds(&Header::new(Algorithm::HS512), &claims()));
        let critical = Header { crit: Some(vec!["hours".into()]), ..Header::new(ALGORITHM) };
        assert!(!holds(&critical, &claims()));
    }
}
