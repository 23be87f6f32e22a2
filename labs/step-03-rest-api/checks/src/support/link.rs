//! Links: from a list to its next page, and from an answer to what was made.

use lab_kit::prelude::*;
use url::Url;

/// No list of this suite is longer, in pages: a walk that is, goes round in circles.
const MOST_PAGES: usize = 120;

/// One page of a list.
#[derive(Debug, Clone)]
pub struct Page {
    /// Its items.
    pub items: Vec<Value>,
    /// The path of the page that follows.
    pub next: Option<String>,
    /// The answer that it came with.
    pub answer: Response,
}

/// All pages of a list.
#[derive(Debug, Clone)]
pub struct Walk {
    /// In order; there is at least one.
    pub pages: Vec<Page>,
}

impl Page {
    /// Fetches one page.
    pub async fn get(app: &App, path: &str) -> CheckResult<Self> {
        let answer = app.get(path).await?.expect_status(200)?;
        let items = answer.at("/items")?;
        let next = next(&answer, path)?;
        Ok(Self { items, next, answer })
    }
}

impl Walk {
    /// Follows the links from the page at `path` to the end.
    pub async fn from(app: &App, path: &str) -> CheckResult<Self> {
        let mut pages = vec![Page::get(app, path).await?];
        while let Some(next) = pages.last().and_then(|page| page.next.clone()) {
            if pages.len() == MOST_PAGES {
                return Err(pages[MOST_PAGES - 1]
                    .answer
                    .failure(format!("after {MOST_PAGES} pages there is still a next one")));
            }
            let page = Page::get(app, &next).await;
            pages.push(page.because(&format!("page {} names it as the next", pages.len()))?);
        }
        Ok(Self { pages })
    }

    /// All items, in order.
    pub fn items(&self) -> impl Iterator<Item = &Value> {
        self.pages.iter().flat_map(|page| &page.items)
    }

    /// Fails unless every page but the last has `limit` items and the last has one at least.
    pub fn expect_full(self, limit: usize) -> CheckResult<Self> {
        let count = self.pages.len();
        for (index, page) in self.pages.iter().enumerate() {
            let (length, is_last) = (page.items.len(), index + 1 == count);
            let right = if is_last { (1..=limit).contains(&length) || count == 1 } else { length == limit };
            if !right {
                let which = if is_last {
                    "the last page".to_owned()
                } else {
                    format!("page {}, which is not the last,", index + 1)
                };
                let wanted = if is_last { format!("1 to {limit} items") } else { format!("{limit} items") };
                let failure = page.answer.failure(format!("{which} has {length} items"));
                return Err(failure
                    .expected(wanted)
                    .actual(format!("{length} items, on page {} of {count}", index + 1)));
            }
        }
        Ok(self)
    }
}

/// The path that a `Location` or a link leads to, seen from where it was found. Only path and query count: a server may
/// not know by which name it is called.
pub fn follow(reference: &str, base: &str) -> Option<String> {
    let base = Url::parse("http://lab.invalid").ok()?.join(base).ok()?;
    let url = base.join(reference).ok()?;
    Some(url[url::Position::BeforePath..url::Position::AfterQuery].to_owned())
}

/// The next page: what the `Link` header says, or else the body.
fn next(answer: &Response, path: &str) -> CheckResult<Option<String>> {
    let body = answer.json()?;
    let in_header =
        answer.headers("link").into_iter().flat_map(links).find(|link| link.is_next).map(|link| link.target);
    let reference = match (in_header, &body["next"]) {
        (Some(target), _) => target,
        (None, Value::Null) => return Ok(None),
        (None, Value::String(text)) => text.clone(),
        (None, other) => {
            let failure = answer.failure("`next` is neither a URL nor null");
            return Err(failure.expected("the URL of the next page").actual(other.to_string()));
        }
    };
    follow(&reference, path)
        .map(Some)
        .ok_or_else(|| answer.failure(format!("the link to the next page is not a URL: {reference}")))
}

struct Link {
    target: String,
    is_next: bool,
}

/// The links of one header field (RFC 8288 §3).
fn links(field: &str) -> Vec<Link> {
    let mut found = Vec::new();
    let mut rest = field;
    while let Some((target, after)) = rest.split_once('<').and_then(|(_, open)| open.split_once('>')) {
        let end = end_of_link(after);
        // Of several, only the first `rel` counts (RFC 8288 §3.3).
        let relations = outside_quotes(&after[..end], ';')
            .filter_map(|parameter| parameter.split_once('='))
            .find_map(|(name, value)| name.trim().eq_ignore_ascii_case("rel").then(|| value.trim().trim_matches('"')));
        let is_next = relations.is_some_and(|relations| {
            relations.split_ascii_whitespace().any(|relation| relation.eq_ignore_ascii_case("next"))
        });
        found.push(Link { target: target.to_owned(), is_next });
        rest = &after[end..];
    }
    found
}

/// Where the comma stands that ends a link's parameters.
fn end_of_link(parameters: &str) -> usize {
    outside_quotes(parameters, ',').next().map_or(parameters.len(), str::len)
}

/// The parts between the separators that stand outside quoted strings, in which `\"` is a character (RFC 9110 §5.6.4).
fn outside_quotes(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |character: char| {
        if character == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = quoted && !escaped && character == '\\';
        character == separator && !quoted
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_link_is_found_among_others() {
        let field = r#"</a?x=1,2>; title="one, two"; rel="first", </b>; REL=next"#;
        let found = links(field);
        assert_eq!(found.len(), 2);
        assert!(!found[0].is_next);
        assert!(found[1].is_next);
        assert_eq!(found[1].target, "/b");
    }

    #[test]
    fn what_stands_in_quotes_is_no_parameter_and_only_the_first_relation_counts() {
        let field = r#"</a>; title="a; rel=next", </b>; title="say \"; rel=next\"", </c>; rel=prev; rel=next, </d>; rel="last next""#;
        let next: Vec<_> = links(field).into_iter().filter(|link| link.is_next).map(|link| link.target).collect();
        assert_eq!(next, ["/d"]);
    }

    #[test]
    fn a_reference_is_resolved_where_it_was_found() {
        assert_eq!(follow("?after=3", "/events?limit=2").as_deref(), Some("/events?after=3"));
        assert_eq!(follow("http://shop.example/events/7", "/events").as_deref(), Some("/events/7"));
        assert_eq!(follow("/orders/1", "/orders").as_deref(), Some("/orders/1"));
    }
}
