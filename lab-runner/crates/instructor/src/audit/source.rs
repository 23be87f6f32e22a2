//! What stands in a suite's source: its checks, and the expectations that can fail in them, each with its place.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use lab_runner::workspace::Lab;
use proc_macro2::{LineColumn, Span};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, ExprAwait, ExprCall, ExprMethodCall, ImplItemFn, ItemFn, ItemMod, Lit, Macro, Token};
use walkdir::WalkDir;

/// What a comment above an expectation begins with, or one behind it, if no mutant can fail it alone: the reason follows.
const REASON: &str = "never fails alone:";

/// A suite as it is written.
#[derive(Debug, Default)]
pub(super) struct SuiteCode {
    /// Its expectations, in the order of files and lines.
    pub expectations: Vec<Expectation>,
    /// Its checks by id.
    pub checks: BTreeMap<String, CheckPlace>,
    /// Files that are no Rust: path and why.
    pub unreadable: Vec<(String, String)>,
}

/// A call that fails the check unless the submission behaves as it should.
#[derive(Debug, Clone)]
pub(super) struct Expectation {
    /// The file, as seen from the suite's folder.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The function it stands in.
    pub function: String,
    /// The call as it is written, white space shortened, and its number among those in this function written alike.
    pub text: String,
    /// Whether a comment says why no mutant fails it alone.
    pub reasoned: bool,
    /// From the name that is called to the end of the call, or of its `.await`.
    start: LineColumn,
    end: LineColumn,
}

impl Expectation {
    /// What it is known by in a record, as long as it is written in the same way: lines move.
    pub(super) fn key(&self) -> String {
        format!("{} {} {}", self.file, self.function, self.text)
    }

    /// The function it stands in, with its file.
    pub(super) fn place(&self) -> String {
        format!("{} {}", self.file, self.function)
    }

    fn holds(&self, file: &str, at: LineColumn) -> bool {
        self.file == file && self.start <= at && at <= self.end
    }
}

/// Where a check declares what.
#[derive(Debug, Clone, Default)]
pub(super) struct CheckPlace {
    /// The file, as seen from the lab's folder.
    pub file: String,
    /// The line of its `points`, counted from 1.
    pub points_line: usize,
    /// The line of each check it needs.
    pub needs_lines: BTreeMap<String, usize>,
}

impl SuiteCode {
    /// Reads the suite of `lab`.
    pub(super) fn of(lab: &Lab) -> Self {
        let folder = lab.folder.join("checks");
        let mut source = Self::default();
        let walk = WalkDir::new(folder.join("src")).sort_by_file_name().into_iter().flatten();
        for path in walk.filter_map(|entry| Utf8PathBuf::try_from(entry.into_path()).ok()) {
            let Ok(file) = path.strip_prefix(&folder) else { continue };
            if path.extension() == Some("rs")
                && let Ok(text) = std::fs::read_to_string(&path)
            {
                source.read(file, &text);
            }
        }
        source
    }

    fn read(&mut self, file: &Utf8Path, text: &str) {
        match syn::parse_file(text) {
            Ok(parsed) => {
                let lines: Vec<&str> = text.lines().collect();
                let mut reader = Reader { source: self, file: file.as_str(), lines, functions: Vec::new() };
                reader.visit_file(&parsed);
            }
            Err(error) => {
                let place = format!("checks/{file}:{}", error.span().start().line);
                self.unreadable.push((place, error.to_string()));
            }
        }
    }

    /// The checks `ids`, with all that they need.
    pub(super) fn with_needs<'a>(&'a self, ids: &'a [String]) -> BTreeSet<&'a str> {
        let mut all = BTreeSet::new();
        let mut left: Vec<&str> = ids.iter().map(String::as_str).collect();
        while let Some(id) = left.pop() {
            if all.insert(id) {
                left.extend(self.checks.get(id).iter().flat_map(|check| check.needs_lines.keys().map(String::as_str)));
            }
        }
        all
    }

    /// The expectation at `place`, which is written `src/file.rs:line:column`, both counted from 1: the narrowest, as
    /// one may stand in another's arguments.
    pub(super) fn at(&self, place: &str) -> Option<&Expectation> {
        let (rest, column) = place.rsplit_once(':')?;
        let (file, line) = rest.rsplit_once(':')?;
        let column = column.parse::<usize>().ok()?.checked_sub(1)?;
        let at = LineColumn { line: line.parse().ok()?, column };
        let holding = self.expectations.iter().filter(|one| one.holds(file, at));
        holding.min_by_key(|one| (one.end.line - one.start.line, one.end.column.abs_diff(one.start.column)))
    }
}

/// Walks through a file.
struct Reader<'a> {
    source: &'a mut SuiteCode,
    file: &'a str,
    lines: Vec<&'a str>,
    functions: Vec<String>,
}

impl Reader<'_> {
    fn function(&mut self, name: &syn::Ident, walk: impl FnOnce(&mut Self)) {
        self.functions.push(name.to_string());
        walk(self);
        self.functions.pop();
    }

    /// The call of `name`, from `start` to `end`.
    fn call(&mut self, name: &str, start: Span, end: Span) {
        let is_one = name.starts_with("expect_") || name == "learner";
        if !is_one || self.functions.is_empty() {
            return;
        }
        let (start, end) = (start.start(), end.end());
        let mut one = Expectation {
            file: self.file.to_owned(),
            line: start.line,
            function: self.functions.join("::"),
            text: self.written(start, end),
            reasoned: self.reasoned(start.line),
            start,
            end,
        };
        let alike = |other: &&Expectation| other.place() == one.place() && other.text.starts_with(&one.text);
        let number = self.source.expectations.iter().filter(alike).count();
        if number > 0 {
            one.text = format!("{} #{}", one.text, number + 1);
        }
        self.source.expectations.push(one);
    }

    /// What is written from `start` to `end`, in a line.
    fn written(&self, start: LineColumn, end: LineColumn) -> String {
        let mut text = String::new();
        for (number, line) in self.lines.iter().enumerate().take(end.line).skip(start.line - 1) {
            let from = if number + 1 == start.line { start.column } else { 0 };
            let to = if number + 1 == end.line { end.column } else { usize::MAX };
            text.extend(line.chars().skip(from).take(to.saturating_sub(from)));
            text.push(' ');
        }
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Whether the line, or a comment right above it, says why.
    fn reasoned(&self, line: usize) -> bool {
        let above = self.lines[..line - 1].iter().rev().take_while(|line| line.trim_start().starts_with("//"));
        above.chain(self.lines.get(line - 1)).any(|line| line.contains(REASON))
    }

    fn check(&mut self, attribute: &Attribute, function: &ItemFn) {
        let mut place = CheckPlace {
            file: format!("checks/{}", self.file),
            points_line: function.sig.ident.span().start().line,
            ..CheckPlace::default()
        };
        let arguments = attribute.parse_args_with(Punctuated::<Expr, Token![,]>::parse_terminated).unwrap_or_default();
        for argument in &arguments {
            let Expr::Assign(pair) = argument else { continue };
            match (&*pair.left, &*pair.right) {
                (Expr::Path(key), value) if key.path.is_ident("points") => {
                    place.points_line = value.span().start().line;
                }
                (Expr::Path(key), Expr::Array(needs)) if key.path.is_ident("needs") => {
                    place.needs_lines.extend(needs.elems.iter().filter_map(text_and_line));
                }
                _ => {}
            }
        }
        self.source.checks.insert(function.sig.ident.to_string(), place);
    }
}

fn text_and_line(expression: &Expr) -> Option<(String, usize)> {
    match expression {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => Some((text.value(), text.span().start().line)),
            _ => None,
        },
        _ => None,
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Path>().is_ok_and(|condition| condition.is_ident("test"))
    })
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if !is_test(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        if let Some(attribute) = item.attrs.iter().find(|attribute| attribute.path().is_ident("check")) {
            self.check(attribute, item);
        }
        self.function(&item.sig.ident, |reader| visit::visit_item_fn(reader, item));
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        self.function(&item.sig.ident, |reader| visit::visit_impl_item_fn(reader, item));
    }

    fn visit_expr_await(&mut self, expression: &'ast ExprAwait) {
        // A future is polled where it is awaited: that is the place its failures have.
        let end = expression.span();
        match &*expression.base {
            Expr::Call(call) => {
                self.function_call(call, end);
                visit::visit_expr_call(self, call);
            }
            Expr::MethodCall(call) => {
                self.call(&call.method.to_string(), call.method.span(), end);
                visit::visit_expr_method_call(self, call);
            }
            other => self.visit_expr(other),
        }
    }

    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        self.function_call(call, call.span());
        visit::visit_expr_call(self, call);
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        self.call(&call.method.to_string(), call.method.span(), call.span());
        visit::visit_expr_method_call(self, call);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        // `vec![…]`, `tokio::try_join!(…)`: their arguments are expressions more often than not.
        if let Ok(arguments) = call.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated) {
            arguments.iter().for_each(|argument| self.argument(argument));
        }
    }
}

impl Reader<'_> {
    fn function_call(&mut self, call: &ExprCall, end: Span) {
        if let Expr::Path(path) = &*call.func
            && let Some(name) = path.path.segments.last()
        {
            self.call(&name.ident.to_string(), call.func.span(), end);
        }
    }

    /// A macro's argument, which lives no longer than this.
    fn argument(&mut self, argument: &Expr) {
        let mut inner = Reader {
            source: &mut *self.source,
            file: self.file,
            lines: self.lines.clone(),
            functions: self.functions.clone(),
        };
        inner.visit_expr(argument);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUITE: &str = r#"
use lab_kit::prelude::*;

/// Why (source).
#[check(title = "t", task = 1,
        points = 5, needs = [
            "root",
            "echo"], hints = ["h"])]
async fn greets(lab: &Lab) -> CheckResult {
    let answer = app.get("/").await?.expect_status(200)?.expect_body("a")?;
    answer
        .expect_header("x", "y")?;
    // never fails alone: the body says the same
    expect_equal("one", &answer.expect_text()?, &"a")?;
    expect_alive(&app)
        .await?;
    vec![app.get("/").await?.expect_status(200)?];
    Err(Failure::learner("x"))
}

#[cfg(test)]
mod tests {
    fn nothing() { expect_that(true, ""); }
}
"#;

    fn source() -> SuiteCode {
        let mut source = SuiteCode::default();
        source.read(Utf8Path::new("src/main.rs"), SUITE);
        assert!(source.unreadable.is_empty(), "{:?}", source.unreadable);
        source
    }

    #[test]
    fn a_check_is_asked_with_all_that_it_needs() {
        let mut source = source();
        let root = CheckPlace { needs_lines: BTreeMap::from([("ready".to_owned(), 1)]), ..CheckPlace::default() };
        source.checks.insert("root".to_owned(), root);
        let asked = ["greets".to_owned()];
        assert_eq!(source.with_needs(&asked), BTreeSet::from(["greets", "root", "ready", "echo"]));
        assert_eq!(source.with_needs(&["other".to_owned()]), BTreeSet::from(["other"]));
    }

    #[test]
    fn every_call_that_can_fail_the_check_is_an_expectation() {
        let found: Vec<_> = source().expectations.iter().map(|one| (one.line, one.text.clone())).collect();
        let mut sorted = found.clone();
        sorted.sort();
        let text = |line: usize, text: &str| (line, text.to_owned());
        assert_eq!(
            sorted,
            [
                text(10, "expect_body(\"a\")"),
                text(10, "expect_status(200)"),
                text(12, "expect_header(\"x\", \"y\")"),
                text(14, "expect_equal(\"one\", &answer.expect_text()?, &\"a\")"),
                text(14, "expect_text()"),
                text(15, "expect_alive(&app) .await"),
                text(17, "expect_status(200) #2"),
                text(18, "Failure::learner(\"x\")"),
            ]
        );
    }

    #[test]
    fn a_place_belongs_to_the_narrowest_expectation_around_it() {
        let source = source();
        let at = |place: &str| source.at(place).map(|one| one.text.clone());
        assert_eq!(at("src/main.rs:10:58").as_deref(), Some("expect_body(\"a\")"));
        assert_eq!(at("src/main.rs:10:38").as_deref(), Some("expect_status(200)"));
        assert_eq!(at("src/main.rs:14:34").as_deref(), Some("expect_text()"));
        assert_eq!(at("src/main.rs:16:10").as_deref(), Some("expect_alive(&app) .await"));
        assert_eq!(at("src/main.rs:9:1"), None);
    }

    #[test]
    fn a_reason_stands_in_a_comment_beside() {
        let reasoned: Vec<_> =
            source().expectations.into_iter().filter(|one| one.reasoned).map(|one| one.line).collect();
        assert_eq!(reasoned, [14, 14]);
    }

    #[test]
    fn a_checks_needs_and_points_have_their_lines() {
        let place = source().checks["greets"].clone();
        assert_eq!((place.file.as_str(), place.points_line), ("checks/src/main.rs", 6));
        assert_eq!(place.needs_lines, BTreeMap::from([("root".into(), 7), ("echo".into(), 8)]));
    }
}
