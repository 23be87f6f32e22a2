//! A page as a browser reads it: the tokenizer of the HTML standard, and elements with their texts.

use html5gum::emitters::default::DefaultEmitter;
use html5gum::{HtmlString, Token, Tokenizer};
use lab_kit::prelude::*;

/// Elements that hold nothing (HTML standard §13.1.2).
const VOID: [&str; 13] =
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"];

/// Elements whose end may be left out: the next of the named ones ends it (HTML standard §13.1.2.4).
const ENDED_BY: [(&str, &[&str]); 7] = [
    ("p", &["p", "div", "article", "section", "ul", "ol", "form", "h1", "h2", "h3", "h4", "blockquote", "pre", "hr"]),
    ("li", &["li"]),
    ("dt", &["dt", "dd"]),
    ("dd", &["dt", "dd"]),
    ("td", &["td", "th", "tr"]),
    ("th", &["td", "th", "tr"]),
    ("tr", &["tr"]),
];

/// An element.
#[derive(Debug, Clone, Default)]
pub struct Element {
    /// Its name, in lower case.
    pub name: String,
    /// Its attributes, names in lower case.
    pub attributes: Vec<(String, String)>,
    /// All text in it, also in elements in it.
    pub text: String,
    /// The places of the elements around it, from the outside.
    around: Vec<usize>,
}

/// A page.
#[derive(Debug, Clone)]
pub struct Page {
    elements: Vec<Element>,
    /// The answer it came in, for messages.
    response: Response,
}

impl Page {
    /// Reads the page in an answer.
    pub fn of(response: Response) -> CheckResult<Self> {
        let response = response.expect_media_type("text/html")?;
        let elements = read(&response.text());
        Ok(Self { elements, response })
    }

    /// Every element that `holds` takes.
    pub fn all<'a>(&'a self, holds: impl Fn(&Element) -> bool + 'a) -> impl Iterator<Item = &'a Element> + 'a {
        self.elements.iter().filter(move |element| holds(element))
    }

    /// The elements inside `outer` that `holds` takes.
    pub fn inside<'a>(
        &'a self,
        outer: &'a Element,
        holds: impl Fn(&Element) -> bool + 'a,
    ) -> impl Iterator<Item = &'a Element> + 'a {
        self.elements
            .iter()
            .filter(move |element| element.around.iter().any(|&place| std::ptr::eq(&self.elements[place], outer)))
            .filter(move |element| holds(element))
    }

    /// The first element that `holds` takes; `what` says which that is.
    pub fn expect(&self, what: &str, holds: impl Fn(&Element) -> bool) -> CheckResult<&Element> {
        let found = self.elements.iter().find(|element| holds(element));
        found.ok_or_else(|| self.failure(format!("the page has no {what}")).expected(what))
    }

    /// All text of the page.
    pub fn text(&self) -> String {
        self.elements.iter().find(|e| e.around.is_empty()).map(|e| e.text.clone()).unwrap_or_default()
    }

    /// The CSRF token in the form whose action ends with `action`.
    pub fn csrf_token(&self, action: &str) -> CheckResult<String> {
        let ends = |element: &Element| {
            let path = element.attribute("action").unwrap_or_default();
            element.name == "form" && path.split(['?', '#']).next().unwrap_or_default().ends_with(action)
        };
        let form = self.expect(&format!("form whose action ends with {action}"), ends)?;
        let token = self.inside(form, |e| e.name == "input" && e.attribute("name") == Some("csrf_token")).next();
        let value = token.and_then(|input| input.attribute("value"));
        value.map(str::to_owned).ok_or_else(|| {
            self.failure(format!("the form for {action} contains no csrf_token"))
                .expected(r#"<input name="csrf_token" value="…"> inside the form"#)
        })
    }

    /// The learner's failure on this page.
    pub fn failure(&self, message: impl Into<String>) -> Failure {
        self.response.failure(message)
    }
}

impl Element {
    /// The value of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// Whether it is of this class.
    pub fn has_class(&self, class: &str) -> bool {
        self.attribute("class").is_some_and(|classes| classes.split_ascii_whitespace().any(|other| other == class))
    }
}

fn read(html: &str) -> Vec<Element> {
    let mut emitter = DefaultEmitter::default();
    // Inside script, style, title and textarea there are no tags.
    emitter.naively_switch_states(true);
    let mut tree = Tree { elements: vec![Element::default()], open: vec![0] };
    for token in Tokenizer::new_with_emitter(html, emitter).flatten() {
        match token {
            Token::StartTag(tag) => {
                let attributes = tag.attributes.iter().map(|(name, value)| (text(name), text(value))).collect();
                tree.start(text(&tag.name), attributes);
            }
            Token::EndTag(tag) => tree.end(&text(&tag.name)),
            Token::String(characters) => tree.text(&text(&characters)),
            _ => {}
        }
    }
    tree.elements
}

/// The first element stands for the page.
struct Tree {
    elements: Vec<Element>,
    open: Vec<usize>,
}

impl Tree {
    fn start(&mut self, name: String, attributes: Vec<(String, String)>) {
        while self.open.last().is_some_and(|&last| ends(&self.elements[last].name, &name)) {
            self.open.pop();
        }
        let is_void = VOID.contains(&name.as_str());
        self.elements.push(Element { name, attributes, text: String::new(), around: self.open.clone() });
        if !is_void {
            self.open.push(self.elements.len() - 1);
        }
    }

    fn end(&mut self, name: &str) {
        if let Some(depth) = self.open.iter().rposition(|&place| self.elements[place].name == name) {
            self.open.truncate(depth);
        }
    }

    fn text(&mut self, text: &str) {
        for &place in &self.open {
            self.elements[place].text.push_str(text);
        }
    }
}

fn ends(open: &str, next: &str) -> bool {
    ENDED_BY.iter().any(|(name, by)| *name == open && by.contains(&next))
}

fn text(bytes: &HtmlString) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
