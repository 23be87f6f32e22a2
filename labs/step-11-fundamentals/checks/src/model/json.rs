//! The model's JSON (RFC 8259).

use std::collections::BTreeMap;

use super::Mistake;

/// A nesting beyond this is refused. The README leaves open what is between 100 and 100,000.
const DEEPEST: usize = 200;

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `null`, `true` or `false`.
    Literal(&'static str),
    /// A number as it is written in the end.
    Number(String),
    /// A string, decoded.
    Text(String),
    /// An array.
    Array(Vec<Self>),
    /// An object: its members as they are written in the end.
    Object(Vec<(String, Self)>),
}

impl Value {
    /// The value that `text` is, if it is one.
    pub fn read(text: &[u8], mistake: Option<Mistake>) -> Option<Self> {
        let mut reader = Reader { text: std::str::from_utf8(text).ok()?, at: 0, depth: 0, mistake };
        let value = reader.value()?;
        (reader.at == text.len()).then_some(value)
    }

    /// Writes it in the canonical form.
    pub fn write(&self, out: &mut String) {
        match self {
            Self::Literal(word) => out.push_str(word),
            Self::Number(digits) => out.push_str(digits),
            Self::Text(text) => write_text(text, out),
            Self::Array(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Self::Object(members) => write_members(members.iter().map(|(name, value)| (name.as_str(), value)), out),
        }
    }
}

/// Writes an object in the canonical form, with its members in the given order.
pub fn write_members<'a>(members: impl Iterator<Item = (&'a str, &'a Value)>, out: &mut String) {
    out.push('{');
    for (index, (name, value)) in members.enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_text(name, out);
        out.push(':');
        value.write(out);
    }
    out.push('}');
}

/// Writes a string in the canonical form.
pub fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '\0'..='\u{1f}' => out.push_str(&format!("\\u{:04x}", u32::from(character))),
            _ => out.push(character),
        }
    }
    out.push('"');
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    mistake: Option<Mistake>,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Whether `byte` comes next; then it is behind us.
    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn space(&mut self) {
        while self.peek().is_some_and(|byte| b" \t\r\n".contains(&byte)) {
            self.at += 1;
        }
    }

    /// A value with the white space around it.
    fn value(&mut self) -> Option<Value> {
        self.space();
        let value = match self.peek()? {
            b'{' => self.nested(Self::object),
            b'[' => self.nested(Self::array),
            b'"' => self.string().map(Value::Text),
            b'-' | b'0'..=b'9' => self.number(),
            _ => self.literal(),
        }?;
        self.space();
        Some(value)
    }

    fn nested(&mut self, read: fn(&mut Self) -> Option<Value>) -> Option<Value> {
        self.at += 1;
        self.depth += 1;
        let value = if self.depth > DEEPEST { None } else { read(self) };
        self.depth -= 1;
        value
    }

    fn object(&mut self) -> Option<Value> {
        let mut members = Vec::new();
        self.space();
        while !self.eat(b'}') {
            if !members.is_empty() && !self.eat(b',') {
                return None;
            }
            self.space();
            let name = self.string()?;
            self.space();
            if !self.eat(b':') {
                return None;
            }
            members.push((name, self.value()?));
        }
        Some(Value::Object(self.arranged(members)))
    }

    /// Each name once, sorted.
    fn arranged(&self, members: Vec<(String, Value)>) -> Vec<(String, Value)> {
        let order: Vec<String> = members.iter().map(|(name, _)| name.clone()).collect();
        let mut sorted = BTreeMap::new();
        for (name, value) in members {
            if self.mistake == Some(Mistake::FirstMemberCounts) {
                sorted.entry(name).or_insert(value);
            } else {
                sorted.insert(name, value);
            }
        }
        if self.depth > 1 && self.mistake == Some(Mistake::SortsTheOutermost) {
            return order.iter().filter_map(|name| sorted.remove_entry(name)).collect();
        }
        sorted.into_iter().collect()
    }

    fn array(&mut self) -> Option<Value> {
        let mut items = Vec::new();
        self.space();
        while !self.eat(b']') {
            if !items.is_empty() && !self.eat(b',') {
                return None;
            }
            items.push(self.value()?);
        }
        Some(Value::Array(items))
    }

    fn literal(&mut self) -> Option<Value> {
        let rest = &self.text[self.at..];
        let word = ["null", "true", "false"].into_iter().find(|word| rest.starts_with(word))?;
        self.at += word.len();
        Some(Value::Literal(word))
    }

    fn number(&mut self) -> Option<Value> {
        let start = self.at;
        self.eat(b'-');
        if !self.eat(b'0') {
            self.digits()?;
        }
        if self.eat(b'.') {
            self.digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            if !self.eat(b'+') {
                self.eat(b'-');
            }
            self.digits()?;
        }
        let written = &self.text[start..self.at];
        if self.mistake == Some(Mistake::RewritesNumbers) {
            return Some(Value::Number(written.parse::<f64>().ok()?.to_string()));
        }
        Some(Value::Number(written.to_owned()))
    }

    /// At least one digit.
    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    fn string(&mut self) -> Option<String> {
        if !self.eat(b'"') {
            return None;
        }
        let mut text = String::new();
        loop {
            let character = self.text[self.at..].chars().next()?;
            self.at += character.len_utf8();
            match character {
                '"' => return Some(text),
                '\\' => text.push_str(&self.escape()?),
                '\0'..='\u{1f}' => return None,
                _ => text.push(character),
            }
        }
    }

    fn escape(&mut self) -> Option<String> {
        let kind = self.peek()?;
        self.at += 1;
        let character = match kind {
            b'"' | b'\\' | b'/' => char::from(kind),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let start = self.at - 2;
                let character = self.unicode()?;
                if self.mistake == Some(Mistake::KeepsUnicodeEscapes) {
                    return Some(self.text[start..self.at].to_owned());
                }
                character
            }
            _ => return None,
        };
        Some(character.to_string())
    }

    /// What follows `\u`, with the second half of a surrogate pair.
    fn unicode(&mut self) -> Option<char> {
        let high = self.unit()?;
        if !(0xD800..0xDC00).contains(&high) {
            return char::from_u32(high);
        }
        if !(self.eat(b'\\') && self.eat(b'u')) {
            return None;
        }
        let low = self.unit()?;
        if !(0xDC00..0xE000).contains(&low) {
            return None;
        }
        char::from_u32(0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00))
    }

    fn unit(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }
}
