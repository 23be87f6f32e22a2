//! Header fields: names in any case, values as the bytes they came as.

use crate::error::RequestError;

/// The fields of one request, in order.
#[derive(Debug, Default)]
pub struct Headers {
    fields: Vec<Field>,
}

#[derive(Debug)]
struct Field {
    /// In lower case.
    name: String,
    value: Vec<u8>,
}

impl Headers {
    /// Adds a field line (RFC 9112 §5).
    pub fn push_line(&mut self, line: &[u8]) -> Result<(), RequestError> {
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            return Err(RequestError::Malformed("a header field goes on in the next line"));
        }
        let Some(colon) = line.iter().position(|&byte| byte == b':') else {
            return Err(RequestError::Malformed("a header field has no colon"));
        };
        let name = &line[..colon];
        // A space before the colon falls out here, too: it is no character of a token.
        if !is_token(name) {
            return Err(RequestError::Malformed("a header field has a bad name"));
        }
        let value = line[colon + 1..].trim_ascii();
        if value.iter().any(|&byte| byte != b'\t' && byte.is_ascii_control()) {
            return Err(RequestError::Malformed("a header field holds a control character"));
        }
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        self.fields.push(Field { name, value: value.to_vec() });
        Ok(())
    }

    /// The values of every field of that name, which is given in lower case.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.fields.iter().filter(move |field| field.name == name).map(|field| field.value.as_slice())
    }

    /// The value of the first field of that name.
    pub fn first(&self, name: &str) -> Option<&[u8]> {
        self.fields.iter().find(|field| field.name == name).map(|field| field.value.as_slice())
    }

    /// Whether there is a field of that name.
    pub fn has(&self, name: &str) -> bool {
        self.first(name).is_some()
    }

    /// The members of a comma-separated list, which may stand in several fields, in lower case (RFC 9110 §5.6.1).
    pub fn list(&self, name: &str) -> Vec<String> {
        let mut members = Vec::new();
        for value in self.all(name) {
            let text = String::from_utf8_lossy(value).to_ascii_lowercase();
            members.extend(text.split(',').map(str::trim).filter(|member| !member.is_empty()).map(str::to_owned));
        }
        members
    }
}

/// Whether the bytes form a token (RFC 9110 §5.6.2).
pub fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
}
