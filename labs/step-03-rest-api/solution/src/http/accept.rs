//! Whether a client takes JSON (RFC 9110 §12.5.1).

use axum::extract::Request;
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::Response;

use super::problem::Problem;

/// Lets requests pass whose `Accept` allows `application/json`. The others are refused before anything is done.
pub async fn json(request: Request, next: Next) -> Result<Response, Problem> {
    if accepts_json(request.headers()) { Ok(next.run(request).await) } else { Err(Problem::NotAcceptable) }
}

fn accepts_json(headers: &HeaderMap) -> bool {
    let mut ranges = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|range| !range.is_empty())
        .peekable();
    if ranges.peek().is_none() {
        return true;
    }
    // The narrowest range that matches decides, whatever wider ones say.
    ranges.filter_map(match_json).max_by_key(|found| found.narrowness).is_some_and(|found| found.wanted)
}

struct Match {
    narrowness: u8,
    wanted: bool,
}

fn match_json(range: &str) -> Option<Match> {
    let mut parts = range.split(';').map(str::trim);
    let narrowness = match parts.next()?.to_ascii_lowercase().as_str() {
        "application/json" => 2,
        "application/*" => 1,
        "*/*" => 0,
        _ => return None,
    };
    let weight =
        parts.filter_map(|parameter| parameter.split_once('=')).find(|(name, _)| name.eq_ignore_ascii_case("q"));
    let wanted = weight.is_none_or(|(_, value)| value.parse::<f32>().is_ok_and(|weight| weight > 0.0));
    Some(Match { narrowness, wanted })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(value: &str) -> bool {
        let value = value.parse().expect("a header's value");
        accepts_json(&HeaderMap::from_iter([(header::ACCEPT, value)]))
    }

    #[test]
    fn without_accept_and_with_a_range_that_matches_json_is_taken() {
        assert!(accepts_json(&HeaderMap::new()));
        for value in ["", "*/*", "application/*", "APPLICATION/JSON", "text/html, application/json;q=0.5"] {
            assert!(accepts(value), "{value}");
        }
    }

    #[test]
    fn the_narrowest_range_that_matches_decides() {
        assert!(accepts("*/*;q=0, application/json"));
        for value in ["text/html", "application/json;q=0", "application/json; q=0.000, */*", "application/*;Q=0, */*"] {
            assert!(!accepts(value), "{value}");
        }
    }
}
