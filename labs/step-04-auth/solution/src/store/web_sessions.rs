//! Sessions of the pages.

use sha2::{Digest as _, Sha256};
use sqlx::FromRow;

use super::{Store, StoreError};
use crate::model::Account;

/// What a browser shows to be known again: 256 random bits.
#[derive(Clone)]
pub struct WebSessionId(String);

impl WebSessionId {
    /// An id that nobody has and nobody can guess.
    pub fn random() -> Self {
        Self(random_text())
    }

    /// The id in a cookie. Nothing is known of it yet.
    pub fn from_cookie(value: &str) -> Self {
        Self(value.to_owned())
    }

    /// As it stands in the cookie.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As it stands in the database.
    fn hash(&self) -> Vec<u8> {
        Sha256::digest(&self.0).to_vec()
    }
}

/// A browser that somebody logged in with.
#[derive(Debug, FromRow)]
pub struct WebSession {
    /// Who.
    #[sqlx(flatten)]
    pub account: Account,
    /// What its forms must bring along.
    pub csrf_token: String,
}

impl Store {
    /// Begins a session under a fresh id. The browser's session before it ends.
    ///
    /// # Errors
    /// The database failed.
    pub async fn begin_web_session(
        &self,
        user_id: i64,
        before: Option<&WebSessionId>,
    ) -> Result<WebSessionId, StoreError> {
        if let Some(before) = before {
            self.end_web_session(before).await?;
        }
        let id = WebSessionId::random();
        sqlx::query(
            "INSERT INTO web_sessions (id_hash, user_id, csrf_token, expires_at)
             VALUES ($1, $2, $3, now() + interval '12 hours')",
        )
        .bind(id.hash())
        .bind(user_id)
        .bind(random_text())
        .execute(&self.pool)
        .await?;
        Ok(id)
    }

    /// The session of this id, as long as it lives and its owner is welcome.
    ///
    /// # Errors
    /// The database failed.
    pub async fn web_session(&self, id: &WebSessionId) -> Result<Option<WebSession>, StoreError> {
        let session = sqlx::query_as(
            "SELECT u.id, u.email, u.name, u.role, u.disabled, s.csrf_token
             FROM web_sessions s JOIN users u ON u.id = s.user_id
             WHERE s.id_hash = $1 AND s.expires_at > now() AND NOT u.disabled",
        )
        .bind(id.hash())
        .fetch_optional(&self.pool)
        .await?;
        Ok(session)
    }

    /// Ends a session, if there is one of this id.
    ///
    /// # Errors
    /// The database failed.
    pub async fn end_web_session(&self, id: &WebSessionId) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM web_sessions WHERE id_hash = $1").bind(id.hash()).execute(&self.pool).await?;
        Ok(())
    }
}

fn random_text() -> String {
    hex::encode(rand::random::<[u8; 32]>())
}
