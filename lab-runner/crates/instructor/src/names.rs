//! What a new lab may be called.

use lab_runner::error::Error;
use lab_runner::manifest::FILE_NAME;
use lab_runner::workspace::{Lab, Workspace};

/// The longest slug: with the id it names folders, packages and programs.
const LONGEST_SLUG: usize = 40;
/// The longest title, in characters: it has a line of its own everywhere.
const LONGEST_TITLE: usize = 60;

/// A new lab's names, which are free.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// Its id: a word, a hyphen and a number.
    pub id: String,
    /// The rest of its folder's name.
    pub slug: String,
    /// What people read.
    pub title: String,
}

/// Why a lab cannot be called so.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NameError {
    /// The id is not of the course's form.
    #[error("`{id}` cannot be the id of a lab here: {form}")]
    Id {
        /// The id.
        id: String,
        /// What is allowed.
        form: String,
        /// An id that is free.
        free: String,
    },
    /// The slug is not of the form that packages need.
    #[error(
        "`{0}` cannot be a slug: it is one to four words of lower-case letters and digits, joined by hyphens, of at most \
         {LONGEST_SLUG} characters, and begins with a letter, such as `message-queues`"
    )]
    Slug(String),
    /// The title does not fit a line.
    #[error("a title is one line of at most {LONGEST_TITLE} characters")]
    Title,
    /// Another lab is called so.
    #[error("there is a lab with the {what} `{name}` already: {place}")]
    Taken {
        /// What is taken: id or slug.
        what: &'static str,
        /// The name.
        name: String,
        /// The folder of that lab.
        place: String,
        /// An id that is free.
        free: String,
    },
}

impl From<NameError> for Error {
    fn from(error: NameError) -> Self {
        let hints = match &error {
            NameError::Id { free, .. } | NameError::Taken { what: "id", free, .. } => vec![format!("`{free}` is free")],
            _ => Vec::new(),
        };
        Self::Usage { message: error.to_string(), hints }
    }
}

impl Names {
    /// The names of a new lab of `workspace`. Without a `title` it is made of the slug.
    ///
    /// # Errors
    /// One of them is not of the right form, or is another lab's.
    pub fn choose(workspace: &Workspace, id: &str, slug: &str, title: Option<&str>) -> Result<Self, NameError> {
        let series = Series::of(&workspace.labs);
        if !series.admits(id) {
            let free = series.next(&workspace.labs);
            return Err(NameError::Id { id: id.to_owned(), form: series.form(), free });
        }
        if !is_slug(slug) {
            return Err(NameError::Slug(slug.to_owned()));
        }
        let title = title.map_or_else(|| sentence(slug), |title| title.trim().to_owned());
        if title.is_empty() || title.chars().count() > LONGEST_TITLE || title.chars().any(char::is_control) {
            return Err(NameError::Title);
        }
        let names = Self { id: id.to_owned(), slug: slug.to_owned(), title };
        names.are_free(workspace, &series)?;
        Ok(names)
    }

    /// The lab's package and folder.
    pub fn package(&self) -> String {
        format!("{}-{}", self.id, self.slug)
    }

    /// How a heading names the lab: `Lab 07` for the id `lab-07`.
    pub(crate) fn heading(&self) -> String {
        sentence(&self.id)
    }

    fn are_free(&self, workspace: &Workspace, series: &Series) -> Result<(), NameError> {
        let place = |lab: &Lab| workspace.relative(&lab.folder).to_string();
        let taken = |what, name: &str, place| NameError::Taken {
            what,
            name: name.to_owned(),
            place,
            free: series.next(&workspace.labs),
        };
        for lab in &workspace.labs {
            if lab.id() == self.id {
                return Err(taken("id", &self.id, place(lab)));
            }
            if lab.manifest.slug == self.slug {
                return Err(taken("slug", &self.slug, place(lab)));
            }
        }
        // A lab whose manifest cannot be read has its names all the same.
        let mine = format!("{}-", self.id);
        let broken = workspace.broken.iter().map(|broken| workspace.relative(&broken.folder));
        for folder in broken {
            if folder.file_name().is_some_and(|name| format!("{name}-").starts_with(&mine)) {
                return Err(taken("id", &self.id, format!("{folder}/{FILE_NAME}, which cannot be read")));
            }
        }
        Ok(())
    }
}

/// How the ids of a course are made: one word, and numbers of so many digits.
#[derive(Debug, PartialEq, Eq)]
struct Series {
    /// The word, if there are labs and all have the same.
    word: Option<String>,
    /// How many digits a number has at least.
    digits: usize,
}

impl Series {
    fn of(labs: &[Lab]) -> Self {
        let parts: Vec<(&str, &str)> = labs.iter().filter_map(|lab| lab.id().rsplit_once('-')).collect();
        let Some((first, _)) = parts.first() else { return Self { word: None, digits: 2 } };
        let word = parts.iter().all(|(word, _)| word == first).then(|| (*first).to_owned());
        let digits = parts.iter().map(|(_, number)| number.len()).min().unwrap_or(2);
        Self { word, digits }
    }

    /// The id after the last one.
    fn next(&self, labs: &[Lab]) -> String {
        let numbers = labs.iter().filter_map(|lab| lab.id().rsplit_once('-')?.1.parse::<u32>().ok());
        let number = numbers.max().unwrap_or(0).saturating_add(1);
        format!("{}-{number:0width$}", self.word.as_deref().unwrap_or("lab"), width = self.digits)
    }

    /// Whether `id` is the word and a number above 0, written as all numbers are.
    fn admits(&self, id: &str) -> bool {
        let Some((word, number)) = id.rsplit_once('-') else { return false };
        let of_letters = !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase());
        let known = self.word.as_ref().is_none_or(|known| known == word);
        let as_written = |value: &u32| *value > 0 && format!("{value:0width$}", width = self.digits) == number;
        of_letters && known && number.parse().is_ok_and(|value| as_written(&value))
    }

    /// What ids look like, in words.
    fn form(&self) -> String {
        let digits = "N".repeat(self.digits);
        match &self.word {
            Some(word) => format!("the labs of this course are called `{word}-{digits}`"),
            None => format!("it is a word of lower-case letters, a hyphen and a number, such as `lab-{digits}`"),
        }
    }
}

fn is_slug(slug: &str) -> bool {
    let of_word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let words = slug.split('-').count();
    slug.starts_with(|c: char| c.is_ascii_lowercase())
        && slug.len() <= LONGEST_SLUG
        && words <= 4
        && slug.split('-').all(of_word)
}

/// `message-queues` as `Message queues`.
fn sentence(words: &str) -> String {
    let text = words.replace('-', " ");
    let mut letters = text.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use lab_runner::error::ExpectedError as _;
    use lab_runner::manifest::Manifest;

    fn workspace(ids: &[&str]) -> Workspace {
        let lab = |id: &&str| {
            let text = format!(
                "format_version = 1\nid = '{id}'\nslug = 'of-{id}'\ntitle = ''\nsummary = ''\nroadmap = []\n\
                 editable = ['src']\n[server]\nreadiness = {{ path = '/' }}"
            );
            let folder: camino::Utf8PathBuf = format!("/w/labs/{id}-of-{id}").into();
            Lab { manifest: Manifest::parse(&text, &folder).unwrap(), folder }
        };
        let labs = ids.iter().map(lab).collect();
        let state = lab_runner::state::place::Place { folder: "/w/state".into(), note: None };
        Workspace { root: "/w".into(), target: "/w/target".into(), state, labs, broken: Vec::new() }
    }

    fn refused(ids: &[&str], id: &str, slug: &str) -> (String, Vec<String>) {
        let error = Names::choose(&workspace(ids), id, slug, None).unwrap_err();
        (error.to_string(), Error::from(error).hints())
    }

    #[test]
    fn an_id_goes_on_from_those_of_the_course() {
        let labs = ["part-01", "part-02"];
        for id in
            ["part", "part-3", "part-003", "part-00", "lab-03", "Part-03", "part-x", "part-", "-03", "", "../a-03"]
        {
            let (message, hints) = refused(&labs, id, "queues");
            assert!(message.ends_with("the labs of this course are called `part-NN`"), "{id}: {message}");
            assert_eq!(hints, ["`part-03` is free"], "{id}");
        }
        for id in ["part-03", "part-17", "part-100"] {
            assert_eq!(Names::choose(&workspace(&labs), id, "queues", None).unwrap().package(), format!("{id}-queues"));
        }
    }

    #[test]
    fn the_first_lab_of_a_course_chooses_its_word() {
        assert!(Names::choose(&workspace(&[]), "week-01", "queues", None).is_ok());
        assert!(refused(&[], "queues", "queues").0.contains("such as `lab-NN`"));
    }

    #[test]
    fn what_another_lab_is_called_is_taken() {
        let (message, hints) = refused(&["part-01", "part-02"], "part-01", "queues");
        assert_eq!(message, "there is a lab with the id `part-01` already: labs/part-01-of-part-01");
        assert_eq!(hints, ["`part-03` is free"]);
        let (message, _) = refused(&["part-01"], "part-02", "of-part-01");
        assert_eq!(message, "there is a lab with the slug `of-part-01` already: labs/part-01-of-part-01");
    }

    #[test]
    fn a_slug_is_a_few_plain_words() {
        let long = "a".repeat(LONGEST_SLUG + 1);
        for slug in
            ["", "Queues", "7-queues", "message queues", "a--b", "-a", "a-", "../x", "ümlaut", "a-b-c-d-e", &long]
        {
            assert!(refused(&[], "part-01", slug).0.contains("cannot be a slug"), "{slug}");
        }
    }

    #[test]
    fn a_title_is_made_of_the_slug_unless_it_is_given() {
        let title = |title| Names::choose(&workspace(&[]), "part-01", "message-queues", title).map(|names| names.title);
        assert_eq!(title(None).unwrap(), "Message queues");
        assert_eq!(title(Some(" Queues: \"at least once\" ")).unwrap(), "Queues: \"at least once\"");
        for bad in ["", "two\nlines", "\u{1b}[31m"] {
            assert_eq!(title(Some(bad)), Err(NameError::Title));
        }
    }
}
