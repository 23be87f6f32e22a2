//! Just enough of SQL's lexical rules to tell statements apart and to know which of them ask for data
//! (PostgreSQL manual, "Lexical Structure").

/// A piece of SQL that means something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    /// A keyword, an unquoted name or a number.
    Word(&'a str),
    /// A quoted name, without its quotes.
    Name(&'a str),
    /// A string.
    Text,
    /// Anything else.
    Symbol(char),
}

/// Walks the tokens of a text; comments and white space are left out.
struct Tokens<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Iterator for Tokens<'a> {
    type Item = (usize, Token<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        self.skip_blanks();
        let start = self.at;
        let rest = &self.text[start..];
        let first = rest.chars().next()?;
        let token = match first {
            '\'' => self.string(1, false),
            'e' | 'E' if rest[1..].starts_with('\'') => self.string(2, true),
            'b' | 'B' | 'x' | 'X' | 'n' | 'N' if rest[1..].starts_with('\'') => self.string(2, false),
            '"' => self.quoted_name(),
            '$' => self.dollar(),
            c if is_word(c) => {
                let length = rest.find(|c: char| !is_word(c) && c != '$').unwrap_or(rest.len());
                self.at += length;
                Token::Word(&rest[..length])
            }
            c => {
                self.at += c.len_utf8();
                Token::Symbol(c)
            }
        };
        Some((start, token))
    }
}

impl<'a> Tokens<'a> {
    fn of(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn skip_blanks(&mut self) {
        loop {
            let rest = &self.text[self.at..];
            let trimmed = rest.trim_start();
            self.at += rest.len() - trimmed.len();
            if trimmed.starts_with("--") {
                self.at += trimmed.find('\n').unwrap_or(trimmed.len());
            } else if trimmed.starts_with("/*") {
                self.at += comment(trimmed);
            } else {
                return;
            }
        }
    }

    /// A string whose opening takes `open` bytes; doubled quotes stay inside, and so does what a backslash escapes.
    fn string(&mut self, open: usize, escapes: bool) -> Token<'a> {
        let bytes = self.text.as_bytes();
        let mut at = self.at + open;
        while at < bytes.len() {
            match bytes[at] {
                b'\\' if escapes => at += 2,
                b'\'' if bytes.get(at + 1) == Some(&b'\'') => at += 2,
                b'\'' => break,
                _ => at += 1,
            }
        }
        self.jump(at + 1);
        Token::Text
    }

    fn quoted_name(&mut self) -> Token<'a> {
        let start = self.at + 1;
        let end = self.text[start..].find('"').map_or(self.text.len(), |length| start + length);
        self.jump(end + 1);
        Token::Name(&self.text[start..end])
    }

    /// `$1` is a parameter, `$$…$$` and `$tag$…$tag$` are strings.
    fn dollar(&mut self) -> Token<'a> {
        let rest = &self.text[self.at..];
        let length = rest[1..].find(|c: char| !is_word(c)).map_or(rest.len(), |length| length + 1);
        let numbered = rest[1..].starts_with(|c: char| c.is_ascii_digit());
        if numbered || !rest[length..].starts_with('$') {
            self.at += length;
            return Token::Word(&rest[..length]);
        }
        let tag = &rest[..=length];
        let end = rest[tag.len()..].find(tag).map_or(rest.len(), |inner| inner + 2 * tag.len());
        self.at += end;
        Token::Text
    }

    /// Goes on at `at`, or at the end if a text that was cut off ends before.
    fn jump(&mut self, at: usize) {
        self.at = at.min(self.text.len());
        while !self.text.is_char_boundary(self.at) {
            self.at += 1;
        }
    }
}

/// The length of the comment that `text` begins with. Comments nest.
fn comment(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0, 0);
    while at < bytes.len() {
        match bytes.get(at..at + 2) {
            Some(b"/*") => (depth, at) = (depth + 1, at + 2),
            Some(b"*/") => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The statements of a text, each without the blanks around it.
pub(super) fn split(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut piece: Option<usize> = None;
    for (at, token) in Tokens::of(text) {
        match (token, piece) {
            (Token::Symbol(';'), Some(start)) => {
                pieces.push(text[start..at].trim_end());
                piece = None;
            }
            (Token::Symbol(';'), None) | (_, Some(_)) => {}
            (_, None) => piece = Some(at),
        }
    }
    pieces.extend(piece.map(|start| text[start..].trim_end()));
    pieces
}

/// The keyword that a statement begins with.
pub(super) fn first_word(statement: &str) -> Option<&str> {
    Tokens::of(statement).find_map(|(_, token)| match token {
        Token::Word(word) => Some(Some(word)),
        Token::Symbol(_) => None,
        Token::Name(_) | Token::Text => Some(None),
    })?
}

/// The name of the prepared statement that a PREPARE or DEALLOCATE is about, as Postgres keeps it; nothing, if it is
/// another statement that did so.
pub(super) fn prepared_name(statement: &str) -> Option<String> {
    let mut tokens = Tokens::of(statement).map(|(_, token)| token).peekable();
    let Some(Token::Word(verb)) = tokens.next() else { return None };
    if verb.eq_ignore_ascii_case("deallocate") {
        tokens.next_if(|token| matches!(token, Token::Word(word) if word.eq_ignore_ascii_case("prepare")));
    } else if !verb.eq_ignore_ascii_case("prepare") {
        return None;
    }
    match tokens.next()? {
        Token::Word(name) => Some(name.to_lowercase()),
        // Another quote would follow at once, if one stood in the name.
        Token::Name(name) if !matches!(tokens.next(), Some(Token::Name(_))) => Some(name.to_owned()),
        _ => None,
    }
}

/// Whether a statement asks for or changes data: not transaction control, a session's settings, a ping, or a driver
/// that looks up types.
pub(super) fn is_query(statement: &str) -> bool {
    let tokens = Tokens::of(statement).map(|(_, token)| token);
    let tokens: Vec<Token<'_>> = tokens.skip_while(|token| *token == Token::Symbol(';')).collect();
    let Some(Token::Word(first)) = tokens.first() else { return !tokens.is_empty() };
    let first = first.to_ascii_lowercase();
    if CONTROL.contains(&first.as_str()) {
        return false;
    }
    if first != "select" && first != "with" {
        return true;
    }
    !is_ping(&tokens) && !asks_only_the_session(&tokens) && !asks_only_the_catalog(&tokens)
}

/// What a statement begins with that neither reads nor writes data.
const CONTROL: [&str; 17] = [
    "begin",
    "start",
    "commit",
    "end",
    "rollback",
    "abort",
    "savepoint",
    "release",
    "set",
    "reset",
    "show",
    "discard",
    "deallocate",
    "prepare",
    "listen",
    "unlisten",
    "close",
];

/// `SELECT 1`, whatever its column is called.
fn is_ping(tokens: &[Token<'_>]) -> bool {
    let value = match tokens.get(1) {
        Some(Token::Word(word)) => word.bytes().all(|byte| byte.is_ascii_digit()),
        Some(Token::Text) => true,
        _ => return tokens.len() == 1,
    };
    let named = match &tokens[2..] {
        [] | [Token::Symbol(';')] | [Token::Word(_) | Token::Name(_)] => true,
        [Token::Word(word), Token::Word(_) | Token::Name(_)] => word.eq_ignore_ascii_case("as"),
        _ => false,
    };
    value && named
}

/// Functions with which a driver asks who and where it is, or makes its session as good as new.
const ABOUT_THE_SESSION: [&str; 9] = [
    "version",
    "current_schema",
    "current_schemas",
    "current_database",
    "current_setting",
    "pg_backend_pid",
    "pg_is_in_recovery",
    "set_config",
    "pg_advisory_unlock_all",
];

/// `SELECT version()` and its like: no table, and no function but those.
fn asks_only_the_session(tokens: &[Token<'_>]) -> bool {
    let mut calls = 0;
    for (token, next) in tokens.iter().zip(tokens.iter().skip(1)) {
        let Token::Word(word) = token else { continue };
        if word.eq_ignore_ascii_case("from") {
            return false;
        }
        if *next == Token::Symbol('(') {
            calls += 1;
            if !ABOUT_THE_SESSION.iter().any(|known| word.eq_ignore_ascii_case(known)) {
                return false;
            }
        }
    }
    calls > 0
}

/// The system catalogs that drivers read to learn of types and tables. Only the true ones: a learner may call a
/// table of theirs `pg_orders`.
const CATALOGS: [&str; 33] = [
    "pg_aggregate",
    "pg_am",
    "pg_attrdef",
    "pg_attribute",
    "pg_auth_members",
    "pg_authid",
    "pg_cast",
    "pg_class",
    "pg_collation",
    "pg_constraint",
    "pg_database",
    "pg_depend",
    "pg_description",
    "pg_enum",
    "pg_extension",
    "pg_index",
    "pg_indexes",
    "pg_inherits",
    "pg_language",
    "pg_namespace",
    "pg_opclass",
    "pg_operator",
    "pg_proc",
    "pg_range",
    "pg_roles",
    "pg_sequences",
    "pg_settings",
    "pg_stat_activity",
    "pg_tables",
    "pg_trigger",
    "pg_type",
    "pg_user",
    "pg_views",
];

/// Whether every table that is read is one of Postgres's own, and there is one.
fn asks_only_the_catalog(tokens: &[Token<'_>]) -> bool {
    let writes = ["insert", "update", "delete", "merge", "into"];
    let is_any = |token: &Token<'_>, words: &[&str]| matches!(token, Token::Word(word) if words.iter().any(|w| word.eq_ignore_ascii_case(w)));
    if tokens.iter().any(|token| is_any(token, &writes)) {
        return false;
    }
    let defined = with_names(tokens);
    let tables = tables(tokens);
    let read: Vec<_> = tables.iter().filter(|(schema, name)| schema.is_some() || !defined.contains(name)).collect();
    !read.is_empty() && read.iter().all(|(schema, name)| is_catalog(schema.as_deref(), name))
}

fn is_catalog(schema: Option<&str>, name: &str) -> bool {
    match schema {
        Some(schema) => schema == "pg_catalog" || schema == "information_schema",
        None => CATALOGS.contains(&name),
    }
}

/// The names that a `WITH` defines: `name AS (` or `name (columns) AS (`.
fn with_names(tokens: &[Token<'_>]) -> Vec<String> {
    let mut names = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let defines = matches!(token, Token::Word(word) if word.eq_ignore_ascii_case("as"))
            && tokens.get(at + 1) == Some(&Token::Symbol('('));
        if !defines || at == 0 {
            continue;
        }
        let mut name = at - 1;
        if tokens[name] == Token::Symbol(')') {
            let open = tokens[..name].iter().rposition(|token| *token == Token::Symbol('('));
            name = open.unwrap_or(0).saturating_sub(1);
        }
        names.extend(name_of(&tokens[name]));
    }
    names
}

/// The tables after `FROM`, `JOIN` and the commas between them, each with its schema if it has one.
fn tables(tokens: &[Token<'_>]) -> Vec<(Option<String>, String)> {
    let mut found = Vec::new();
    let mut lists = vec![false];
    let mut expecting = false;
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        at += 1;
        match token {
            Token::Symbol('(') => lists.push(expecting),
            Token::Symbol(')') => {
                lists.pop();
                expecting = false;
            }
            Token::Symbol(',') => expecting = lists.last().copied().unwrap_or(false),
            Token::Word(word) if is_one_of(word, &["from", "join"]) => {
                expecting = true;
                set_last(&mut lists, true);
            }
            Token::Word(word) if is_one_of(word, &["lateral", "only"]) => {}
            Token::Word(word)
                if is_one_of(word, &["select", "where", "group", "order", "limit", "union", "having"]) =>
            {
                expecting = false;
                set_last(&mut lists, false);
            }
            Token::Word(_) | Token::Name(_) if expecting => {
                expecting = false;
                let mut parts: Vec<String> = name_of(token).into_iter().collect();
                while tokens.get(at) == Some(&Token::Symbol('.')) {
                    parts.extend(tokens.get(at + 1).and_then(name_of));
                    at += 2;
                }
                // A function that gives rows is no table.
                if tokens.get(at) != Some(&Token::Symbol('(')) {
                    let name = parts.pop().unwrap_or_default();
                    found.push((parts.pop(), name));
                }
            }
            _ => {}
        }
    }
    found
}

fn set_last(lists: &mut [bool], value: bool) {
    if let Some(last) = lists.last_mut() {
        *last = value;
    }
}

fn is_one_of(word: &str, words: &[&str]) -> bool {
    words.iter().any(|known| word.eq_ignore_ascii_case(known))
}

fn name_of(token: &Token<'_>) -> Option<String> {
    match token {
        Token::Word(word) => Some(word.to_ascii_lowercase()),
        Token::Name(name) => Some((*name).to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_prepared_statement_is_found() {
        for (statement, name) in [
            ("DEALLOCATE S_1", Some("s_1")),
            ("deallocate /* x */ prepare \"S 1\"", Some("S 1")),
            ("prepare s (int) as select 1", Some("s")),
            ("deallocate \"a\"\"b\"", None),
            ("select f()", None),
        ] {
            assert_eq!(prepared_name(statement).as_deref(), name, "{statement}");
        }
    }

    #[test]
    fn a_text_is_split_at_the_semicolons_that_end_statements() {
        let text = "insert into a values (';', $1, E'\\';', \"b;\") ; -- one; two\n\
                    /* three; /* four; */ five; */ do $x$ begin; $$ end; $x$;; select ';'';' ; ";
        let pieces = split(text);
        assert_eq!(pieces.len(), 3, "{pieces:?}");
        assert!(pieces[0].ends_with(')') && pieces[1].starts_with("do") && pieces[2] == "select ';'';'", "{pieces:?}");
        assert!(split(" ; -- nothing\n").is_empty());
    }

    #[test]
    fn a_text_cut_off_anywhere_is_still_walked_to_its_end() {
        let text = "select 'é', E'\\é', \"ü\", $t$ß$t$ /* ä */ from x -- ö";
        for (cut, _) in text.char_indices() {
            let _ = split(&text[..cut]);
            let _ = is_query(&text[..cut]);
        }
    }

    #[test]
    fn what_asks_for_or_changes_data_is_a_query() {
        for query in [
            "select id from events where id = $1",
            "/* pg_type */ SELECT * FROM events",
            "SELECT 'pg_catalog.pg_type', title FROM events",
            "select e.id from events e, pg_type t",
            "select * from (select * from orders) o join pg_class c on true",
            "with x as (select * from events) select * from x",
            "with pg_type as (select * from events) select * from pg_type",
            "WITH gone AS (DELETE FROM orders RETURNING *) SELECT * FROM gone",
            "select * from pg_orders",
            "select * from public.pg_type",
            "select take_seats($1, $2)",
            "select count(*) from generate_series(1, 3)",
            "select pg_advisory_xact_lock($1)",
            "insert into orders (id) values ($1)",
            "update events set seats = seats - 1",
            "execute find_event(1)",
            "call sell($1)",
            "values (1)",
            "create table x ()",
            "table events",
            "(select 1 from events)",
            "fetch 10 from events_cursor",
        ] {
            assert!(is_query(query), "{query}");
        }
    }

    #[test]
    fn transactions_settings_pings_and_drivers_curiosity_are_no_queries() {
        for other in [
            "",
            "  -- sqlx ping\n",
            ";",
            "BEGIN",
            "begin isolation level serializable",
            "/* from the pool */ COMMIT",
            "START TRANSACTION",
            "rollback to savepoint s1",
            "SET statement_timeout = 5000",
            "show transaction_isolation",
            "DISCARD ALL",
            "DEALLOCATE p1",
            "CLOSE ALL",
            "SELECT pg_advisory_unlock_all()",
            "select 1",
            "SELECT 1;",
            "SELECT 1 AS one",
            "SELECT 'x'",
            "select version()",
            "select pg_catalog.version()",
            "select current_schema(), current_setting('x')",
            "SELECT pg_catalog.set_config('search_path', '', false)",
            "SELECT typname, typlem FROM pg_catalog.pg_type WHERE oid = $1",
            "SELECT t.typname FROM pg_type t INNER JOIN pg_namespace n ON t.typnamespace = n.oid",
            "select t.oid from pg_type t, pg_namespace n where n.oid = t.typnamespace",
            "WITH RECURSIVE tree(oid) AS (SELECT oid FROM pg_type UNION ALL SELECT t.oid FROM pg_type t, tree) SELECT * FROM tree",
            "select * from information_schema.columns where table_name = 'events'",
        ] {
            assert!(!is_query(other), "{other}");
        }
    }
}
