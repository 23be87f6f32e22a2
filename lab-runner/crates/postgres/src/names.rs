//! The prepared statements and portals of a session, by name.

use std::collections::HashMap;
use std::sync::Arc;

/// A server that prepares without end must not fill our memory.
const MOST_NAMES: usize = 100_000;
/// How much of a name tells it from others: Postgres's NAMEDATALEN, without its end.
const NAME: usize = 63;

/// The text of a statement, as far as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text {
    pub sql: Arc<str>,
    /// Its end is missing.
    pub cut: bool,
}

impl Text {
    /// The text that `bytes` begin with, up to the next NUL. `lost` more bytes came and are not kept.
    pub fn of(bytes: &[u8], lost: usize) -> Self {
        let end = bytes.iter().position(|&byte| byte == 0);
        let text = String::from_utf8_lossy(&bytes[..end.unwrap_or(bytes.len())]);
        match end {
            None if lost > 0 => Self { sql: format!("{text}… ({lost} bytes more)").into(), cut: true },
            _ => Self { sql: text.into(), cut: false },
        }
    }

    /// A text of ours, in place of one that is not known.
    pub fn stand_in(text: &str) -> Self {
        Self { sql: text.into(), cut: false }
    }
}

/// What a message does to the names, if Postgres agrees.
#[derive(Debug, Clone)]
pub(super) enum Change {
    /// Parse.
    Prepare { name: Vec<u8>, text: Text },
    /// Bind.
    Bind { portal: Vec<u8>, statement: Vec<u8> },
    /// Close of a statement.
    CloseStatement(Vec<u8>),
    /// Close of a portal.
    ClosePortal(Vec<u8>),
}

/// What a portal runs.
#[derive(Debug, Clone)]
struct Portal {
    text: Option<Text>,
    /// Its execution has begun and been counted; another goes on with it.
    counted: bool,
}

/// What the names mean.
#[derive(Debug, Default)]
pub(super) struct Names {
    statements: HashMap<Vec<u8>, Text>,
    portals: HashMap<Vec<u8>, Portal>,
}

impl Names {
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Prepare { name, text } => insert(&mut self.statements, name, text.clone()),
            Change::Bind { portal, statement } => {
                let text = self.statement(statement);
                insert(&mut self.portals, portal, Portal { text, counted: false });
            }
            Change::CloseStatement(name) => drop(self.statements.remove(known(name))),
            Change::ClosePortal(name) => drop(self.portals.remove(known(name))),
        }
    }

    /// Takes over what another knows of the name that `change` is about.
    pub fn take_over(&mut self, other: &Self, change: &Change) {
        match change {
            Change::Prepare { name, .. } | Change::CloseStatement(name) => {
                copy(&mut self.statements, &other.statements, known(name));
            }
            Change::Bind { portal: name, .. } | Change::ClosePortal(name) => {
                copy(&mut self.portals, &other.portals, known(name));
            }
        }
    }

    /// The text of a prepared statement.
    pub fn statement(&self, name: &[u8]) -> Option<Text> {
        self.statements.get(known(name)).cloned()
    }

    /// The text that a portal runs.
    pub fn portal(&self, name: &[u8]) -> Option<Text> {
        self.portals.get(known(name)).and_then(|portal| portal.text.clone())
    }

    /// Whether an execution of the portal is to be counted: it is the first. The next is none.
    pub fn counts(&mut self, portal: &[u8]) -> bool {
        match self.portals.get_mut(known(portal)) {
            Some(portal) => !std::mem::replace(&mut portal.counted, true),
            // A cursor that was declared in SQL may be executed by its name.
            None => true,
        }
    }

    /// SQL has made or removed a prepared statement: the one with this name, or any.
    pub fn forget(&mut self, name: Option<&str>) {
        match name {
            Some(name) => drop(self.statements.remove(known(name.as_bytes()))),
            None => self.statements.clear(),
        }
    }
}

fn insert<T>(map: &mut HashMap<Vec<u8>, T>, name: &[u8], value: T) {
    let name = known(name);
    if map.len() < MOST_NAMES || map.contains_key(name) {
        map.insert(name.to_vec(), value);
    }
}

fn copy<T: Clone>(map: &mut HashMap<Vec<u8>, T>, other: &HashMap<Vec<u8>, T>, name: &[u8]) {
    match other.get(name) {
        Some(value) => drop(map.insert(name.to_vec(), value.clone())),
        None => drop(map.remove(name)),
    }
}

/// What Postgres compares of a name.
fn known(name: &[u8]) -> &[u8] {
    &name[..name.len().min(NAME)]
}
