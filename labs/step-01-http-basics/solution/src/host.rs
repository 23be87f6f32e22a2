//! Names of hosts, as the `Host` field and whole URIs have them (RFC 9110 §7.2, RFC 3986 §3.2.2).

/// Whether `value` is a host with or without a port. A path, a query or a user in it would be read by one server and
/// passed over by another, and `Host` may decide who gets the request.
pub fn is_valid(value: &[u8]) -> bool {
    if let Some(literal) = value.strip_prefix(b"[") {
        let Some(end) = literal.iter().position(|&byte| byte == b']') else { return false };
        let (address, port) = (&literal[..end], &literal[end + 1..]);
        return !address.is_empty() && address.iter().all(|&byte| is_literal(byte)) && is_port(port);
    }
    let (name, port) = value.split_at(value.iter().position(|&byte| byte == b':').unwrap_or(value.len()));
    name.iter().all(|&byte| is_name(byte)) && is_port(port)
}

/// Nothing, or a colon and digits. Even the digits may be missing.
fn is_port(port: &[u8]) -> bool {
    port.is_empty() || port.strip_prefix(b":").is_some_and(|digits| digits.iter().all(u8::is_ascii_digit))
}

/// What an IPv6 address, or one of a version to come, is written with.
fn is_literal(byte: u8) -> bool {
    is_name(byte) && byte != b'%' || byte == b':'
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::is_valid;

    #[test]
    fn a_host_has_a_name_and_perhaps_a_port() {
        for good in ["", "lab", "LAB.test:8080", "lab:", "127.0.0.1:80", "[::1]", "[::1]:8080", "a_b", "%41"] {
            assert!(is_valid(good.as_bytes()), "{good}");
        }
        let bad = ["lab/x", "user@lab", "lab x", "lab?x", "lab#x", "http://lab", "lab:80:80", "lab:x", "[::1", "[]"];
        for bad in bad.into_iter().chain(["[::1]x", "lab\\x", "l\u{e4}b", "lab\t"]) {
            assert!(!is_valid(bad.as_bytes()), "{bad}");
        }
    }
}
