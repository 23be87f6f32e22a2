//! A tag whose name begins with `v` is a release: signed by somebody who may, and there to stay.

use std::path::Path;

use super::allowed_signers::AllowedSigners;
use super::signature::SignatureError;
use super::tag::Tag;
use super::update::Update;
use crate::git::{self, Ended as _, GitError};
use crate::object::ObjectId;

const TAGS: &[u8] = b"refs/tags/";

/// Whether `update` is about a release.
pub fn is_release(update: &Update) -> bool {
    update.reference.strip_prefix(TAGS).is_some_and(|name| name.starts_with(b"v"))
}

/// Why a release may not be pushed.
#[derive(Debug, thiserror::Error)]
enum Unfit {
    /// It names a commit directly, or is something else altogether.
    #[error("it is no annotated tag: make it with `git tag -s`")]
    Lightweight,
    /// The object says another name.
    #[error("the tag inside is called otherwise")]
    Renamed,
    /// What it names is not a commit.
    #[error("it is not the tag of a commit")]
    NoCommit,
    /// There is no signature.
    #[error("it is not signed")]
    Unsigned,
    /// There is one, and it does not count.
    #[error("{0}")]
    Signature(#[from] SignatureError),
}

/// Why `update`, which is about a release, may not happen, if it may not.
///
/// # Errors
/// Git cannot tell.
pub fn refusal(update: &Update, signers: &AllowedSigners) -> Result<Option<String>, GitError> {
    let shown = update.shown();
    let new = match (&update.old, &update.new) {
        (None, Some(new)) => new,
        _ => return Ok(Some(format!("{shown} is released and stays as it is"))),
    };
    let Some(bytes) = tag_object(new)? else { return Ok(Some(format!("{shown}: {}", Unfit::Lightweight))) };
    let name = update.reference.strip_prefix(TAGS).unwrap_or_default();
    Ok(examine(&bytes, name, signers).err().map(|unfit| format!("{shown}: {unfit}")))
}

fn examine(bytes: &[u8], name: &[u8], signers: &AllowedSigners) -> Result<(), Unfit> {
    let tag = Tag::parse(bytes).ok_or(Unfit::Lightweight)?;
    // The reference is not signed. A signed v1 that is pushed as v2 is a lie.
    if tag.name != name {
        return Err(Unfit::Renamed);
    }
    if tag.target_kind != b"commit" {
        return Err(Unfit::NoCommit);
    }
    let signature = tag.signature.ok_or(Unfit::Unsigned)?.decode()?;
    Ok(signers.verify(tag.signed, &signature)?)
}

/// The bytes of a tag; nothing if it is another kind of object.
fn tag_object(id: &ObjectId) -> Result<Option<Vec<u8>>, GitError> {
    let cat_file = |what: &str| git::command(Path::new(".")).args(["cat-file", what, id.as_str()]).output();
    if cat_file("-t")?.success("cat-file")? != b"tag\n" {
        return Ok(None);
    }
    Ok(Some(cat_file("tag")?.success("cat-file")?))
}
