//! Content security policies, as a browser understands them (CSP Level 3).

use lab_kit::prelude::*;

/// The policies of one answer. A browser enforces all of them, so one that forbids is enough.
#[derive(Debug)]
pub struct Policies(Vec<Policy>);

/// Directives with their sources; of two with the same name the first counts (CSP3 §2.2.1).
type Policy = Vec<(String, Vec<String>)>;

impl Policies {
    /// The policies that came with an answer. Several may stand in one header, joined by commas.
    pub fn of(response: &Response) -> Self {
        let lines = response.headers("content-security-policy");
        Self(lines.iter().flat_map(|line| line.split(',')).map(read).collect())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Vec::is_empty)
    }

    /// Whether inline scripts of strangers and scripts of other sites are kept from running.
    pub fn guard_scripts(&self) -> bool {
        // Elements and attributes may have a list of their own, which then counts in place of `script-src`.
        let guards =
            |policy: &Policy, own: &str| sources(policy, &[own, "script-src", "default-src"]).is_some_and(are_safe);
        let all = ["script-src", "script-src-elem", "script-src-attr"];
        self.0.iter().any(|policy| all.iter().all(|own| guards(policy, own)))
    }

    /// Whether plugins are kept out.
    pub fn forbid_objects(&self) -> bool {
        self.0.iter().any(|policy| sources(policy, &["object-src", "default-src"]).is_some_and(are_none))
    }

    /// Whether `directive` allows nobody else.
    pub fn allow_at_most_self(&self, directive: &str) -> bool {
        let own = |sources: &[String]| are_none(sources) || sources.iter().all(|source| source == "'self'");
        self.0.iter().any(|policy| sources(policy, &[directive]).is_some_and(own))
    }

    /// The nonces in it.
    pub fn nonces(&self) -> Vec<String> {
        let all = self.0.iter().flatten().flat_map(|(_, sources)| sources);
        all.filter(|source| source.starts_with("'nonce-")).cloned().collect()
    }
}

fn read(text: &str) -> Policy {
    text.split(';')
        .filter_map(|directive| {
            let mut words = directive.split_ascii_whitespace();
            let name = words.next()?.to_ascii_lowercase();
            Some((name, words.map(normal).collect()))
        })
        .collect()
}

/// Keywords and schemes are the same in any case; nonces and hashes are not.
fn normal(source: &str) -> String {
    let lower = source.to_ascii_lowercase();
    if lower.starts_with("'nonce-") || lower.starts_with("'sha") { source.to_owned() } else { lower }
}

/// The sources of the first of these directives that is there.
fn sources<'a>(policy: &'a Policy, names: &[&str]) -> Option<&'a [String]> {
    names.iter().find_map(|name| policy.iter().find(|(other, _)| other == name).map(|(_, list)| list.as_slice()))
}

fn are_none(sources: &[String]) -> bool {
    sources.iter().all(|source| source == "'none'")
}

fn are_safe(sources: &[String]) -> bool {
    let has = |word: &str| sources.iter().any(|source| source == word);
    let marked = sources.iter().any(|source| source.starts_with("'nonce-") || source.starts_with("'sha"));
    // With a nonce or a hash, browsers pass over 'unsafe-inline'; with 'strict-dynamic', over hosts and schemes too.
    let strict = marked && has("'strict-dynamic'");
    // What stands without quotation marks is a scheme or a host, and so is `*.example.com`. Our own is called 'self',
    // or by its address.
    let own = ["http://127.0.0.1:", "127.0.0.1:"];
    let is_open = |source: &String| !source.starts_with('\'') && !own.iter().any(|own| is_port(source, own));
    let open = sources.iter().any(is_open);
    !has("'unsafe-eval'") && (marked || !has("'unsafe-inline'")) && (strict || !open)
}

/// Whether a source is `address` with a port behind it, and perhaps a path.
fn is_port(source: &str, address: &str) -> bool {
    let port = source.strip_prefix(address).and_then(|rest| rest.split('/').next());
    port.is_some_and(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
}
