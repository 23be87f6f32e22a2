//! The course that the labs make up, as `labs/course.toml` has it: its title, the order of its labs, the steps of its
//! roadmap, and the languages of submissions.

use camino::Utf8Path;
use serde::{Deserialize, Serialize};

/// The file's name, in the folder of the labs.
pub const FILE_NAME: &str = "course.toml";

/// A course.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Course {
    /// What it is called.
    pub title: String,
    /// The ids of labs in the order in which they are shown. The others follow, in the order of their folders.
    #[serde(default)]
    pub order: Vec<String>,
    /// The steps of its roadmap, in order.
    #[serde(default)]
    pub roadmap: Vec<RoadmapStep>,
    /// The programming languages that submissions may be written in, by name. Empty for any.
    #[serde(default)]
    pub languages: Vec<String>,
}

/// One step of a roadmap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoadmapStep {
    /// Its number, as the `roadmap` of a lab.toml has it.
    pub number: u32,
    /// Its title, short enough for a map.
    pub title: String,
}

impl Default for Course {
    fn default() -> Self {
        Self { title: "Backend Labs".into(), order: Vec::new(), roadmap: Vec::new(), languages: Vec::new() }
    }
}

impl Course {
    /// The course whose labs are in the folder `labs`. Without a file it has a title and no roadmap.
    ///
    /// # Errors
    /// The file cannot be read, in words for a warning.
    pub fn load(labs: &Utf8Path) -> Result<Self, String> {
        match std::fs::read_to_string(labs.join(FILE_NAME)) {
            Ok(text) => toml::from_str(&text).map_err(|error| error.message().to_owned()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Whether submissions may be programs that their authors build themselves, as those in other languages than Rust are.
    pub fn takes_programs(&self) -> bool {
        self.languages.is_empty() || self.languages.iter().any(|name| !name.eq_ignore_ascii_case("rust"))
    }

    /// The place of the lab `id` among the labs.
    pub fn place(&self, id: &str) -> usize {
        self.order.iter().position(|named| named == id).unwrap_or(self.order.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labs_without_a_course_have_a_title_and_no_roadmap() {
        let empty = tempfile::tempdir().unwrap();
        let course = Course::load(Utf8Path::from_path(empty.path()).unwrap()).unwrap();
        assert!(!course.title.is_empty() && course.roadmap.is_empty());
    }

    #[test]
    fn labs_that_no_order_names_come_last() {
        let course = Course { order: vec!["b-2".into(), "a-1".into()], ..Course::default() };
        assert_eq!(["a-1", "b-2", "c-3"].map(|id| course.place(id)), [1, 0, 2]);
    }

    #[test]
    fn programs_are_taken_where_another_language_than_rust_is() {
        let takes = |languages: &[&str]| {
            let languages = languages.iter().map(ToString::to_string).collect();
            Course { languages, ..Course::default() }.takes_programs()
        };
        assert!(takes(&[]) && takes(&["Rust", "Go"]) && takes(&["Python"]));
        assert!(!takes(&["Rust"]) && !takes(&["rust"]));
    }

    #[test]
    fn a_step_without_a_title_is_told() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE_NAME), "title = 'A'\n[[roadmap]]\nnumber = 1\n").unwrap();
        let error = Course::load(Utf8Path::from_path(folder.path()).unwrap()).unwrap_err();
        assert!(error.contains("title"), "{error}");
    }
}
