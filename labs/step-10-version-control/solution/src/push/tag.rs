//! An annotated tag, as git stores it.

use crate::push::signature::Armour;

/// How a signature by SSH begins.
const BEGIN: &[u8] = b"-----BEGIN SSH SIGNATURE-----\n";

/// What one needs to know of a tag.
#[derive(Debug, PartialEq, Eq)]
pub struct Tag<'a> {
    /// What kind of object it names.
    pub target_kind: &'a [u8],
    /// What it is called, whatever the reference is called.
    pub name: &'a [u8],
    /// The bytes that are signed: all before the signature.
    pub signed: &'a [u8],
    /// The signature, if there is one.
    pub signature: Option<Armour<'a>>,
}

impl<'a> Tag<'a> {
    /// Takes an object's bytes apart.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let mut lines = bytes.split(|&byte| byte == b'\n');
        lines.next()?.strip_prefix(b"object ")?;
        let target_kind = lines.next()?.strip_prefix(b"type ")?;
        let name = lines.next()?.strip_prefix(b"tag ")?;
        let (signed, signature) = match start_of_signature(bytes) {
            Some(start) => (&bytes[..start], Some(Armour(&bytes[start..]))),
            None => (bytes, None),
        };
        Some(Self { target_kind, name, signed, signature })
    }
}

/// Where the last line is that begins a signature: what a message says before it does not count.
fn start_of_signature(bytes: &[u8]) -> Option<usize> {
    let begins = |&start: &usize| bytes[start..].starts_with(BEGIN) && (start == 0 || bytes[start - 1] == b'\n');
    (0..bytes.len()).rev().find(begins)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_signature_counts_and_what_is_before_it_is_signed() {
        let text = b"object 1\ntype commit\ntag v1\ntagger a\n\n-----BEGIN SSH SIGNATURE-----\nx\n-----BEGIN SSH SIGNATURE-----\ny";
        let tag = Tag::parse(text).unwrap();
        assert_eq!((tag.target_kind, tag.name), (&b"commit"[..], &b"v1"[..]));
        assert!(tag.signed.ends_with(b"\nx\n"));
        assert_eq!(tag.signature, Some(Armour(b"-----BEGIN SSH SIGNATURE-----\ny")));
    }

    #[test]
    fn a_tag_need_not_be_signed_but_be_a_tag() {
        let tag = Tag::parse(b"object 1\ntype commit\ntag v1\n\nsee -----BEGIN SSH SIGNATURE-----\n").unwrap();
        assert_eq!(tag.signature, None);
        assert_eq!(Tag::parse(b"tree 1\nauthor a\n\n"), None);
        assert_eq!(Tag::parse(b""), None);
    }
}
