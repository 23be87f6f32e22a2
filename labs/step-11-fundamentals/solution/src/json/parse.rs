//! Reads JSON as RFC 8259 has it: one function for each kind of value, which looks at the next byte.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use super::Value;

/// How deep arrays and objects may be nested. Each level is a call, and a thread's stack is small.
const DEEPEST: usize = 128;

/// Why a text is no JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// Where, in bytes from 0.
    at: usize,
    what: &'static str,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.what, self.at + 1)
    }
}

/// Reads `text`, which has to be one value and nothing else.
///
/// # Errors
/// It is no JSON, or nested too deeply.
pub fn parse(text: &str) -> Result<Value<'_>, Error> {
    let mut parser = Parser { text, at: 0, depth: 0 };
    let value = parser.value()?;
    parser.skip_space();
    if parser.at < text.len() {
        return Err(parser.error("something behind the value"));
    }
    Ok(value)
}

struct Parser<'a> {
    text: &'a str,
    /// The next byte. It is always at the beginning of a character when text is sliced there: behind ASCII.
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    /// A value, with the space before it.
    fn value(&mut self) -> Result<Value<'a>, Error> {
        self.skip_space();
        match self.peek() {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.literal("true", Value::Bool(true)),
            Some(b'f') => self.literal("false", Value::Bool(false)),
            Some(b'n') => self.literal("null", Value::Null),
            Some(_) => Err(self.error("no value")),
            None => Err(self.error("the end in place of a value")),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Value<'a>, Error>) -> Result<Value<'a>, Error> {
        if self.depth == DEEPEST {
            return Err(self.error("nested too deeply"));
        }
        self.depth += 1;
        self.at += 1;
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn object(&mut self) -> Result<Value<'a>, Error> {
        let mut members = BTreeMap::new();
        self.skip_space();
        if self.take(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            self.skip_space();
            if self.peek() != Some(b'"') {
                return Err(self.error("no name of a member"));
            }
            let name = self.string()?;
            self.skip_space();
            if !self.take(b':') {
                return Err(self.error("no colon behind a name"));
            }
            // The last of several members with the same name counts.
            members.insert(name, self.value()?);
            self.skip_space();
            if self.take(b'}') {
                return Ok(Value::Object(members));
            }
            if !self.take(b',') {
                return Err(self.error("neither a comma nor a brace behind a member"));
            }
        }
    }

    fn array(&mut self) -> Result<Value<'a>, Error> {
        let mut elements = Vec::new();
        self.skip_space();
        if self.take(b']') {
            return Ok(Value::Array(elements));
        }
        loop {
            elements.push(self.value()?);
            self.skip_space();
            if self.take(b']') {
                return Ok(Value::Array(elements));
            }
            if !self.take(b',') {
                return Err(self.error("neither a comma nor a bracket behind an element"));
            }
        }
    }

    fn string(&mut self) -> Result<Cow<'a, str>, Error> {
        self.at += 1;
        let mut decoded = String::new();
        loop {
            let plain = self.plain()?;
            if self.take(b'"') {
                // Without an escape, the text is the string.
                return Ok(if decoded.is_empty() { Cow::Borrowed(plain) } else { Cow::Owned(decoded + plain) });
            }
            self.at += 1;
            decoded.push_str(plain);
            decoded.push(self.escape()?);
        }
    }

    /// Characters of a string that stand for themselves, up to a quote or a backslash.
    fn plain(&mut self) -> Result<&'a str, Error> {
        let rest = &self.text[self.at..];
        let length = rest.bytes().position(|byte| matches!(byte, b'"' | b'\\' | ..b' '));
        let Some(length) = length else { return Err(self.error("a string without an end")) };
        self.at += length;
        if self.peek().is_some_and(|byte| byte < b' ') {
            return Err(self.error("a control character in a string"));
        }
        Ok(&rest[..length])
    }

    /// What follows a backslash.
    fn escape(&mut self) -> Result<char, Error> {
        let escape = self.peek();
        let character = match escape {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return Err(self.error("an unknown escape")),
        };
        self.at += 1;
        Ok(character)
    }

    /// `uXXXX`, or two of them where UTF-16 needs two.
    fn unicode(&mut self) -> Result<char, Error> {
        let first = self.code_unit()?;
        let mut units = vec![first];
        if (0xd800..0xdc00).contains(&first) && self.take(b'\\') && self.peek() == Some(b'u') {
            units.push(self.code_unit()?);
        }
        // One unit or two make one character, unless they are halves that do not belong together.
        match char::decode_utf16(units).next() {
            Some(Ok(character)) => Ok(character),
            _ => Err(self.error("half a surrogate pair")),
        }
    }

    fn code_unit(&mut self) -> Result<u16, Error> {
        let digits = self.text.as_bytes().get(self.at + 1..self.at + 5).unwrap_or_default();
        let unit = digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?));
        match unit.and_then(|unit| u16::try_from(unit).ok()) {
            Some(unit) if digits.len() == 4 => {
                self.at += 5;
                Ok(unit)
            }
            _ => Err(self.error("no four hexadecimal digits")),
        }
    }

    fn number(&mut self) -> Result<Value<'a>, Error> {
        let start = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _sign = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Ok(Value::Number(Cow::Borrowed(&self.text[start..self.at])))
    }

    /// One digit or more.
    fn digits(&mut self) -> Result<(), Error> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start { Err(self.error("no digit")) } else { Ok(()) }
    }

    fn literal(&mut self, word: &str, value: Value<'a>) -> Result<Value<'a>, Error> {
        if !self.text[self.at..].starts_with(word) {
            return Err(self.error("no value"));
        }
        self.at += word.len();
        Ok(value)
    }

    /// Space is these four characters, and no others that Unicode calls so.
    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn error(&self, what: &'static str) -> Error {
        Error { at: self.at, what }
    }
}
