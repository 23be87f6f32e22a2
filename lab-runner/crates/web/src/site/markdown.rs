//! A lab's README as a page: CommonMark with tables. Markup in it is text, and links lead to the course's own pages or,
//! by http, elsewhere; nothing is loaded from there.

use maud::{Markup, PreEscaped};
use pulldown_cmark::{CowStr, Event, LinkType, Options, Parser, Tag, html};

/// The README `text` as a page; `link` says where a path of the lab leads, if it leads anywhere.
pub(super) fn rendered(text: &str, link: &dyn Fn(&str) -> Option<String>) -> Markup {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_FOOTNOTES;
    let mut out = String::new();
    html::push_html(&mut out, Parser::new_ext(text, options).map(|event| harmless(event, link)));
    PreEscaped(out)
}

fn harmless<'a>(event: Event<'a>, link: &dyn Fn(&str) -> Option<String>) -> Event<'a> {
    match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            let dest_url = target(link_type, &dest_url, link);
            Event::Start(Tag::Link { link_type, dest_url, title, id })
        }
        Event::Start(Tag::Image { link_type, dest_url, title, id }) => {
            // Only what is in the page itself may be shown, by its policy.
            let dest_url = if dest_url.starts_with("data:image/") { dest_url } else { CowStr::Borrowed("data:,") };
            Event::Start(Tag::Image { link_type, dest_url, title, id })
        }
        event => event,
    }
}

/// Where a link leads: a fragment of nothing, where it would lead nowhere or do anything.
fn target<'a>(kind: LinkType, url: &str, link: &dyn Fn(&str) -> Option<String>) -> CowStr<'a> {
    let outside = url.starts_with("https://") || url.starts_with("http://");
    let kept = match kind {
        LinkType::Email => None,
        _ if outside || url.starts_with('#') => Some(url.to_owned()),
        _ if url.contains(':') => None,
        _ => link(url),
    };
    kept.unwrap_or_else(|| "#".to_owned()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(text: &str) -> String {
        let link = |path: &str| path.starts_with("../tiny-2").then(|| "/lab/tiny-2".to_owned());
        rendered(text, &link).into_string()
    }

    #[test]
    fn markup_in_a_readme_is_text() {
        let shown = page("a <b onclick=x>b</b>\n\n<script>alert(1)</script>\n\n<img src=http://a.example/b>");
        assert!(!shown.contains("<b ") && !shown.contains("<script") && !shown.contains("<img"), "{shown}");
        assert!(shown.contains("&lt;script&gt;"), "{shown}");
    }

    #[test]
    fn links_lead_elsewhere_by_http_or_to_the_courses_pages() {
        let shown =
            page("[a](javascript:x) [b](https://a.example) [c](../tiny-2-shop/README.md) [d](src/main.rs) [e](#f)");
        assert_eq!(shown.matches("href=\"#\"").count(), 2, "{shown}");
        for wanted in ["href=\"https://a.example\"", "href=\"/lab/tiny-2\"", "href=\"#f\""] {
            assert!(shown.contains(wanted), "{shown}");
        }
    }

    #[test]
    fn an_image_from_elsewhere_is_not_loaded() {
        assert!(!page("![x](https://a.example/x.png)").contains("a.example"));
    }
}
