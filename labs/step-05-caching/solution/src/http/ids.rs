//! Several ids in a query string, separated by commas.

use serde::{Deserialize, Deserializer, de};
use uuid::Uuid;

use super::ApiError;

/// The most that one request may ask for.
const MOST: usize = 50;

/// The value of `ids`.
#[derive(Debug)]
pub struct Ids(Vec<Uuid>);

impl Ids {
    /// The ids, if there are not too many.
    ///
    /// # Errors
    /// There are.
    pub fn within_bounds(&self) -> Result<&[Uuid], ApiError> {
        if self.0.len() <= MOST { Ok(&self.0) } else { Err(ApiError::Invalid("ids names at most 50 events")) }
    }
}

impl<'de> Deserialize<'de> for Ids {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let ids: Result<_, _> = text.split(',').map(str::parse).collect();
        ids.map(Self).map_err(de::Error::custom)
    }
}
