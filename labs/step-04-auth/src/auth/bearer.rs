//! Who sends a request to the API: the account behind the token in `Authorization` (RFC 6750 §2.1).

use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum_extra::TypedHeader;
use axum_extra::headers::Authorization;
use axum_extra::headers::authorization;

use super::TokenKeys;
use crate::http::ApiError;
use crate::model::Account;
use crate::store::Store;

/// The sender. A handler that asks for one is never run without.
#[derive(Debug)]
pub struct Bearer {
    /// Who, as the database knows them at this moment.
    pub account: Account,
}

impl<S> FromRequestParts<S> for Bearer
where
    S: Send + Sync,
    Store: FromRef<S>,
    Arc<TokenKeys>: FromRef<S>,
{
    type Rejection = ApiError;

    // TODO(step-04.3): 401 comes with a challenge (src/http/error.rs).
    // TODO(step-04.4): a signed token may belong to a session that has ended, or to a disabled account.
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let header = TypedHeader::<Authorization<authorization::Bearer>>::from_request_parts(parts, state).await;
        let TypedHeader(authorization) = header.map_err(|_| ApiError::Unauthorized)?;
        let user_id = Arc::<TokenKeys>::from_ref(state).verify(authorization.token())?;
        Ok(Self { account: Store::from_ref(state).account(user_id).await? })
    }
}
