//! The document around everything: one file, with its style and its script in it, and a policy that allows nothing else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

/// The style of every page.
pub const STYLE: &str = include_str!("../assets/page.css");
/// The script of timelines. Without it everything is in sight, and nothing can be chosen.
pub const SCRIPT: &str = include_str!("../assets/page.js");

/// The content security policy of a page with `scripts`; `connect` is what these may connect to.
pub fn policy(scripts: &[&str], connect: &str) -> String {
    let scripts: Vec<String> = scripts.iter().map(|script| hash(script)).collect();
    format!(
        "default-src 'none'; style-src {}; script-src {}; img-src data:; connect-src {connect}; base-uri 'none'; \
         form-action 'none'",
        hash(STYLE),
        scripts.join(" ")
    )
}

fn hash(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)))
}

/// A page. `policy` is written into it where no header can carry it.
pub fn page(title: &str, policy: Option<&str>, scripts: &[&str], body: &Markup) -> String {
    let document = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                @if let Some(policy) = policy { meta http-equiv="Content-Security-Policy" content=(policy); }
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                link rel="icon" href="data:,";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                // What is waited for is hatched, by the one pattern that all drawings share.
                svg.defs width="0" height="0" aria-hidden="true" {
                    defs {
                        pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                            rect.hatch width="2.5" height="5" {}
                        }
                    }
                }
                (body)
                @for script in scripts { script { (PreEscaped(*script)) } }
            }
        }
    };
    document.into_string()
}
