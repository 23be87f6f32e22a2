//! What submissions and runs have left on a cluster outside of what goes with a database, for whoever reads the result.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What was found, and removed.
#[derive(Debug, Default)]
pub(super) struct Left(Mutex<Found>);

#[derive(Debug, Default)]
struct Found {
    templates: usize,
    prepared: usize,
    elsewhere: BTreeSet<String>,
    databases: usize,
    roles: usize,
}

impl Left {
    /// A submission's database was declared to be a template.
    pub fn template(&self) {
        self.lock().templates += 1;
    }

    /// Transactions were left prepared in a submission's database.
    pub fn prepared(&self, count: usize) {
        self.lock().prepared += count;
    }

    /// A submission's role owned something in the database `place`, which is no submission's.
    pub fn elsewhere(&self, place: &str) {
        self.lock().elsewhere.insert(place.to_owned());
    }

    /// Runs that no longer live had left so many databases and roles.
    pub fn of_dead_runs(&self, databases: usize, roles: usize) {
        let mut found = self.lock();
        found.databases += databases;
        found.roles += roles;
    }

    /// What was found, a sentence for each kind.
    pub fn told(&self) -> Vec<String> {
        let found = self.lock();
        let mut told = Vec::new();
        if found.templates > 0 {
            told.push("a database that the submission had made a template of was removed from Postgres".to_owned());
        }
        if found.prepared > 0 {
            told.push(format!(
                "{} that the submission had left open in Postgres were rolled back",
                count(found.prepared, "prepared transaction")
            ));
        }
        for place in &found.elsewhere {
            told.push(format!("what the submission had left in the database `{place}` of Postgres was removed"));
        }
        if found.databases + found.roles > 0 {
            let (databases, roles) = (count(found.databases, "database"), count(found.roles, "role"));
            told.push(format!("what earlier runs had left on Postgres was removed: {databases}, {roles}"));
        }
        told
    }

    fn lock(&self) -> MutexGuard<'_, Found> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
