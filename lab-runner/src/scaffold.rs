//! A new lab, made of the template in fixtures/lab-template, which is compiled in.

mod names;
mod template;

use lab_services::ServiceId;

use crate::submission::Tree;

pub use names::{NameError, Names};
pub use template::TemplateError;

/// A lab that is to be made.
#[derive(Debug, Clone)]
pub struct NewLab {
    /// Its id, slug and title.
    pub names: Names,
    /// The services that its server needs, each once.
    pub services: Vec<ServiceId>,
    /// Where editors find the JSON schema of `lab.toml`, as seen from the lab's folder.
    pub schema: Option<String>,
}

impl NewLab {
    /// The files of the lab, relative to its folder, as the template has them: not formatted, and with patches whose
    /// line numbers are still to be set.
    ///
    /// # Errors
    /// The template is broken, which is a fault of ours.
    pub fn files(&self) -> Result<Tree, TemplateError> {
        template::render(self)
    }
}
