//! What the runner asks `lab-template` for, the program that makes the files of a new lab: one JSON document on its standard
//! input. The answer, on its standard output, is an object of paths, relative to the lab's folder, and texts.

use serde::{Deserialize, Serialize};

/// A lab that is to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewLab {
    /// Its id: a word, a hyphen and a number.
    pub id: String,
    /// The rest of its folder's name.
    pub slug: String,
    /// What people read.
    pub title: String,
    /// How a heading names the lab, such as `Lab 07`.
    pub heading: String,
    /// Its package and folder.
    pub package: String,
    /// Where editors find the JSON schema of `lab.toml`, as seen from the lab's folder.
    pub schema: Option<String>,
    /// Whether its submission is a program that is run and ends, in place of a server.
    pub program: bool,
    /// The services that its server needs, each once.
    pub services: Vec<NewLabService>,
}

/// A service, as the template needs to know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewLabService {
    /// Its id, by which the template may have files for it.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The variable in which the lab's server finds its URL.
    pub variable: String,
}
