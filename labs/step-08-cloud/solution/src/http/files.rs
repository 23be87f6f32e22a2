//! `/files`: the way to where a file is.

use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, LOCATION};
use axum::response::{AppendHeaders, IntoResponse};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::Services;
use super::error::ApiError;
use super::id::Id;
use crate::configuration::User;
use crate::model::is_harmless;
use crate::uploads::stored;

/// How long a download may take to begin.
const GOOD_FOR: Duration = Duration::from_secs(300);
/// What RFC 5987 leaves as it is.
const NOT_PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// `GET /files/{id}`
pub async fn download(
    State(services): State<Services>,
    Extension(user): Extension<User>,
    Id(id): Id,
) -> Result<impl IntoResponse, ApiError> {
    let file = services.store.file(&user, id).await?.ok_or(ApiError::NotFound)?;
    let disposition = disposition(&file.name, is_harmless(&file.media_type));
    let url = services.bucket.sign_get(&stored(file.id), &disposition, GOOD_FOR);
    let headers = AppendHeaders([(LOCATION, url.to_string()), (CACHE_CONTROL, "no-store".to_owned())]);
    Ok((StatusCode::TEMPORARY_REDIRECT, headers))
}

/// Has a browser save what is not known to be harmless, under the last piece of its name.
fn disposition(name: &str, is_harmless: bool) -> String {
    let kind = if is_harmless { "inline" } else { "attachment" };
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let last = if last.trim_matches('.').is_empty() { "download" } else { last };
    let is_plain = |character: char| character == ' ' || character.is_ascii_graphic() && !"\"\\%".contains(character);
    let plain: String = last.chars().map(|character| if is_plain(character) { character } else { '_' }).collect();
    if plain == last {
        return format!("{kind}; filename=\"{plain}\"");
    }
    format!("{kind}; filename=\"{plain}\"; filename*=UTF-8''{}", utf8_percent_encode(last, NOT_PLAIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_breaks_the_header_or_leads_elsewhere() {
        let of = |name| disposition(name, false);
        assert_eq!(of("notes.txt"), "attachment; filename=\"notes.txt\"");
        assert_eq!(of("../../etc/passwd"), "attachment; filename=\"passwd\"");
        assert_eq!(of("C:\\notes.txt"), "attachment; filename=\"notes.txt\"");
        assert_eq!(of("a/.."), "attachment; filename=\"download\"");
        assert_eq!(of("a\"; b=\"c"), "attachment; filename=\"a_; b=_c\"; filename*=UTF-8''a%22%3B%20b%3D%22c");
        assert_eq!(of("Zoë.txt"), "attachment; filename=\"Zo_.txt\"; filename*=UTF-8''Zo%C3%AB.txt");
        assert_eq!(disposition("a.png", true), "inline; filename=\"a.png\"");
    }
}
