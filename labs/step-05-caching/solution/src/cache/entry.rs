//! How a copy is written down.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Counted up with every change of what is cached, so that copies of another version are not misread.
const FORMAT: u32 = 1;

#[derive(Serialize)]
struct Written<'a, T> {
    format: u32,
    value: &'a T,
}

#[derive(Deserialize)]
struct Read<T> {
    format: u32,
    value: T,
}

/// A value as bytes.
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    // What is cached are plain structs, which always become JSON. An empty copy would be read as none.
    serde_json::to_vec(&Written { format: FORMAT, value }).unwrap_or_default()
}

/// The value in `bytes`; nothing, if they are not what this version writes.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let read: Read<T> = serde_json::from_slice(bytes).ok()?;
    (read.format == FORMAT).then_some(read.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_read_as_it_was_written_and_so_is_none() {
        assert_eq!(decode(&encode(&Some("jazz"))), Some(Some("jazz".to_owned())));
        assert_eq!(decode::<Option<String>>(&encode(&None::<String>)), Some(None));
    }

    #[test]
    fn whatever_else_is_there_is_no_copy() {
        let other: [&[u8]; 5] =
            [b"", b"\xff\x00", b"{\"old_format\": true}", b"{\"format\":0,\"value\":1}", b"{\"format\":1,\"val"];
        for bytes in other {
            assert_eq!(decode::<Option<u32>>(bytes), None, "{bytes:?}");
        }
    }
}
