//! Which lab is meant: by id, number, slug or unique prefix, or by where one stands.

use camino::{Utf8Path, Utf8PathBuf};

use super::{Lab, Workspace};
use crate::error::ExpectedError;
use crate::exit::ExitCode;
use crate::manifest::ManifestError;
use crate::suggest;

/// Why no lab could be chosen.
#[derive(Debug, thiserror::Error)]
pub enum SelectError {
    /// None is called so.
    #[error("unknown lab `{name}`")]
    Unknown {
        /// What was asked for.
        name: String,
        /// The lab that was probably meant.
        suggestion: Option<String>,
        /// The ids of all labs.
        labs: Vec<String>,
    },
    /// More than one is called so.
    #[error("`{name}` is ambiguous: {}", .labs.join(" or "))]
    Ambiguous {
        /// What was asked for.
        name: String,
        /// The ids of the labs it fits.
        labs: Vec<String>,
    },
    /// None was named, and none is meant by the current folder or the last run.
    #[error("no lab was named, and the current folder does not belong to one")]
    Unnamed {
        /// The ids of all labs.
        labs: Vec<String>,
    },
    /// The one that is meant has a broken manifest.
    #[error(transparent)]
    Broken(Box<ManifestError>),
}

impl ExpectedError for SelectError {
    fn exit_code(&self) -> ExitCode {
        ExitCode::Usage
    }

    fn hints(&self) -> Vec<String> {
        let all = |labs: &[String]| format!("the labs here are {}", labs.join(", "));
        match self {
            Self::Unknown { suggestion, labs, .. } => suggestion.iter().cloned().chain([all(labs)]).collect(),
            Self::Ambiguous { .. } => vec!["give the full id".to_owned()],
            Self::Unnamed { labs } => {
                let example = labs.first().map_or("LAB", String::as_str);
                vec![format!("name one: `cargo lab check {example}`"), all(labs)]
            }
            Self::Broken(error) => error.hints(),
        }
    }
}

impl Workspace {
    /// The lab called `name`: its id, package, number (`2`, `02`), slug, or the unique beginning of one of them.
    ///
    /// # Errors
    /// No lab, a broken one, or more than one is called so.
    pub fn select(&self, name: &str) -> Result<&Lab, SelectError> {
        if let Some(lab) = self.labs.iter().find(|lab| is_called(lab, name)) {
            return Ok(lab);
        }
        let names = |lab: &Lab| [lab.id().to_owned(), lab.manifest.slug.clone(), lab.package()];
        let fitting: Vec<_> =
            self.labs.iter().filter(|lab| names(lab).iter().any(|known| known.starts_with(name))).collect();
        match fitting.as_slice() {
            [lab] => return Ok(lab),
            [] => {}
            several => {
                let labs = several.iter().map(|lab| lab.id().to_owned()).collect();
                return Err(SelectError::Ambiguous { name: name.to_owned(), labs });
            }
        }
        if let Some(error) = self.broken_lab(name) {
            return Err(error);
        }
        let known: Vec<_> = self.labs.iter().flat_map(names).collect();
        let suggestion = suggest::did_you_mean(name, known.iter().map(String::as_str));
        Err(SelectError::Unknown { name: name.to_owned(), suggestion, labs: self.ids() })
    }

    /// The lab that is meant where none is named: the current folder's, else `last`, else the only one.
    ///
    /// # Errors
    /// None is meant.
    pub fn select_unnamed(&self, last: Option<&str>) -> Result<&Lab, SelectError> {
        let current = std::env::current_dir().ok().and_then(|path| Utf8PathBuf::try_from(path).ok());
        if let Some(lab) = current.as_deref().and_then(|folder| self.lab_around(folder)) {
            return Ok(lab);
        }
        if let Some(lab) = last.and_then(|id| self.labs.iter().find(|lab| lab.id() == id)) {
            return Ok(lab);
        }
        match self.labs.as_slice() {
            [lab] => Ok(lab),
            _ => Err(SelectError::Unnamed { labs: self.ids() }),
        }
    }

    /// The lab that `folder` is or lies in.
    pub fn lab_around(&self, folder: &Utf8Path) -> Option<&Lab> {
        self.labs.iter().find(|lab| folder.starts_with(&lab.folder))
    }

    fn ids(&self) -> Vec<String> {
        self.labs.iter().map(|lab| lab.id().to_owned()).collect()
    }

    /// A broken manifest cannot say its id: its folder's name has to do.
    fn broken_lab(&self, name: &str) -> Option<SelectError> {
        let at = self.broken.iter().position(|lab| {
            let folder = lab.folder.file_name().unwrap_or_default();
            !name.is_empty() && (folder.starts_with(name) || folder.ends_with(&format!("-{name}")))
        })?;
        // The error is not `Clone`, and loading it again gives the same one.
        let folder = &self.broken[at].folder;
        let error = crate::manifest::Manifest::load(&folder.join(crate::manifest::FILE_NAME)).err()?;
        Some(SelectError::Broken(Box::new(error)))
    }
}

fn is_called(lab: &Lab, name: &str) -> bool {
    lab.id() == name || lab.manifest.slug == name || lab.package() == name || is_number(lab.id(), name)
}

/// Whether `name` is the number at the end of `id`: `2` and `02` of `…-02`.
fn is_number(id: &str, name: &str) -> bool {
    let digits = id.rsplit('-').next().unwrap_or_default();
    matches!((digits.parse::<u32>(), name.parse::<u32>()), (Ok(one), Ok(other)) if one == other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Manifest;
    use crate::state::place::Place;

    fn workspace(names: &[(&str, &str)]) -> Workspace {
        let lab = |(id, slug): &(&str, &str)| {
            let text = format!(
                "format_version = 1\nid = '{id}'\nslug = '{slug}'\ntitle = ''\nsummary = ''\nroadmap = []\n\
                 editable = ['src']\n[server]\nreadiness = {{ path = '/' }}"
            );
            let folder = Utf8PathBuf::from(format!("/w/labs/{id}-{slug}"));
            Lab { manifest: Manifest::parse(&text, &folder).unwrap(), folder }
        };
        let labs = names.iter().map(lab).collect();
        let state = Place { folder: "/w/target/lab/state".into(), note: None };
        Workspace { root: "/w".into(), target: "/w/target".into(), state, labs, broken: Vec::new() }
    }

    fn four() -> Workspace {
        workspace(&[("lab-01", "http"), ("lab-02", "database"), ("lab-10", "deploy"), ("lab-11", "debug")])
    }

    #[test]
    fn a_lab_is_found_by_id_number_slug_package_and_unique_prefix() {
        let workspace = four();
        for name in ["lab-02", "2", "02", "database", "data", "lab-02-database", "lab-02-d"] {
            assert_eq!(workspace.select(name).unwrap().id(), "lab-02", "{name}");
        }
    }

    #[test]
    fn an_exact_name_wins_over_a_longer_one_with_the_same_beginning() {
        let workspace = workspace(&[("lab-01", "http-basics"), ("lab-02", "http")]);
        assert_eq!(workspace.select("http").unwrap().id(), "lab-02");
    }

    #[test]
    fn a_prefix_of_two_labs_is_no_choice() {
        let error = four().select("de").unwrap_err();
        assert_eq!(error.to_string(), "`de` is ambiguous: lab-10 or lab-11");
    }

    #[test]
    fn for_an_unknown_lab_the_nearest_is_suggested() {
        let error = four().select("databse").unwrap_err();
        assert_eq!(error.hints()[0], "did you mean `database`?");
    }

    #[test]
    fn a_folder_belongs_to_the_lab_around_it() {
        let workspace = four();
        let around = |folder: &str| workspace.lab_around(Utf8Path::new(folder)).map(Lab::id);
        assert_eq!(around("/w/labs/lab-02-database/src/store"), Some("lab-02"));
        assert_eq!(around("/w/labs"), None);
        assert_eq!(around("/w/labs/lab-02-database-old"), None);
    }

    #[test]
    fn without_a_name_the_last_lab_is_meant() {
        assert_eq!(four().select_unnamed(Some("lab-10")).unwrap().id(), "lab-10");
        assert!(matches!(four().select_unnamed(None), Err(SelectError::Unnamed { .. })));
    }
}
