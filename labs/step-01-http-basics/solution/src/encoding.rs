//! Content codings: which one a client takes, and gzip (RFC 9110 §8.4, §12.5.3).

use std::io::{self, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::headers::{Headers, WHITE_SPACE};

/// What a representation may be coded with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    Identity,
    Gzip,
}

/// The coding the client likes best, gzip where it does not mind, or nothing if it takes neither.
pub fn choose(headers: &Headers) -> Option<Coding> {
    let accepted = headers.list("accept-encoding");
    let gzip = quality(&accepted, &["gzip", "x-gzip"]).unwrap_or(0.0);
    // Identity is acceptable unless it is ruled out, and is wished for only where it is named.
    let identity = quality(&accepted, &["identity"]);
    if gzip > 0.0 && identity.is_none_or(|identity| gzip >= identity) {
        return Some(Coding::Gzip);
    }
    (identity != Some(0.0)).then_some(Coding::Identity)
}

/// The weight of a coding: its own, or else that of `*`.
fn quality(accepted: &[String], names: &[&str]) -> Option<f32> {
    let mut wildcard = None;
    for member in accepted {
        let mut parts = member.split(';').map(|part| part.trim_matches(WHITE_SPACE));
        let name = parts.next().unwrap_or_default();
        let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(1.0, weight_of);
        if names.contains(&name) {
            return Some(weight);
        }
        if name == "*" {
            wildcard = Some(weight);
        }
    }
    wildcard
}

/// A weight from 0 to 1 with at most three decimals (RFC 9110 §12.4.2); what is none wishes for nothing.
fn weight_of(text: &str) -> f32 {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits = decimals.len() <= 3 && decimals.bytes().all(|byte| byte.is_ascii_digit());
    let weight = if digits && matches!(whole, "0" | "1") { text.parse().unwrap_or(0.0) } else { 0.0 };
    if weight <= 1.0 { weight } else { 0.0 }
}

/// Compresses `bytes`.
pub fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use super::{Coding, choose};
    use crate::headers::Headers;

    fn chosen(accept_encoding: &str) -> Option<Coding> {
        let mut headers = Headers::default();
        headers.push_line(format!("Accept-Encoding: {accept_encoding}").as_bytes()).ok()?;
        choose(&headers)
    }

    #[test]
    fn the_weights_decide() {
        assert_eq!(choose(&Headers::default()), Some(Coding::Identity));
        for yes in ["gzip", "x-gzip", "br, GZIP;q=0.5", "*", "*;q=0, gzip", "gzip, identity;q=0"] {
            assert_eq!(chosen(yes), Some(Coding::Gzip), "{yes}");
        }
        for no in ["", "br", "gzip;q=0", "gzip; q=0.000, *", "identity, gzip;q=0.5", "xgzip"] {
            assert_eq!(chosen(no), Some(Coding::Identity), "{no}");
        }
        for no_weight in ["gzip;q=inf", "gzip;q=2", "gzip;q=", "gzip;q=1.5", "gzip;q=0.5555"] {
            assert_eq!(chosen(no_weight), Some(Coding::Identity), "{no_weight}");
        }
        for neither in ["identity;q=0", "*;q=0", "gzip;q=0, identity;q=0"] {
            assert_eq!(chosen(neither), None, "{neither}");
        }
    }
}
