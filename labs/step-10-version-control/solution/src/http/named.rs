//! The repository that a path names.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;

use super::Services;
use super::error::ApiError;
use crate::repository::{Repository, RepositoryName};

/// The repository of `/NAME.git/…`, as git's own URLs have it.
pub struct WithEnding(pub Repository);

/// The repository of `/NAME/…`.
pub struct Plain(pub Repository);

impl FromRequestParts<Services> for WithEnding {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, services: &Services) -> Result<Self, ApiError> {
        let segment = segment(parts, services).await?;
        open(services, segment.strip_suffix(".git").ok_or(ApiError::NotFound)?).map(Self)
    }
}

impl FromRequestParts<Services> for Plain {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, services: &Services) -> Result<Self, ApiError> {
        open(services, &segment(parts, services).await?).map(Self)
    }
}

/// The path's first segment, decoded. One that cannot be decoded names nothing.
async fn segment(parts: &mut Parts, services: &Services) -> Result<String, ApiError> {
    let Path(segment) = Path::<String>::from_request_parts(parts, services).await.map_err(|_| ApiError::NotFound)?;
    Ok(segment)
}

fn open(services: &Services, name: &str) -> Result<Repository, ApiError> {
    let name: RepositoryName = name.parse().map_err(|_| ApiError::NotFound)?;
    Repository::open(&services.repositories, name).ok_or(ApiError::NotFound)
}
