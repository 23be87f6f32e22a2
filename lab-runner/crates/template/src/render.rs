//! The template of a lab, and what a new lab's files are made of.
//!
//! Its README says how it is laid out. Nothing here knows a service: each has a folder of its name in the template.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use include_dir::{Dir, DirEntry, include_dir};
use lab_protocol::{NewLab, NewLabService};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, context};
use serde::{Deserialize, Serialize};

static TEMPLATE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../../fixtures/lab-template");

/// The folder that makes every lab whose submission is a server.
const BASE: &str = "base";
/// The folder that makes those whose submission is a program that is run and ends.
const PROGRAM: &str = "program";
/// The folder for services that have none of their own.
const OTHER: &str = "services/other";
/// What a layer's checks are worth, and its editable paths.
const LAYER_FILE: &str = "layer.toml";
/// What all checks of a lab are worth together, and those of the base that are worth the same in every lab.
const POINTS: u32 = 100;
const POINTS_OF_BASE: u32 = 40;
/// How many tasks the base has.
const TASKS_OF_BASE: u32 = 2;
/// The folders of a layer: where their files go in the lab, and whether they are the solution's.
const PLACES: [(&str, &str, bool); 5] = [
    ("lab", "", false),
    ("given", "", false),
    ("given", "solution", true),
    ("starter", "", false),
    ("solution", "solution", true),
];

/// What is wrong with the template: a fault of ours.
#[derive(Debug, thiserror::Error)]
#[error("the template of a lab, {path}: {message}")]
pub(crate) struct TemplateError {
    /// The file.
    path: String,
    /// What is wrong with it.
    message: String,
}

/// What a service adds to a lab.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LayerManifest {
    points: u32,
    #[serde(default)]
    editable: Vec<String>,
}

/// A service, as templates see it.
#[derive(Debug, Clone, Serialize)]
struct Layer {
    #[serde(flatten)]
    service: NewLabService,
    /// The folder of its files.
    folder: String,
    /// The folder of its parts, with a slash.
    parts: String,
    /// The number of its task, if it has one.
    task: u32,
    #[serde(skip)]
    points: u32,
    #[serde(skip)]
    editable: Vec<String>,
}

/// The files of `lab`, relative to its folder, as the template has them: not formatted, and with patches whose line numbers
/// are still to be set.
///
/// # Errors
/// The template is broken.
pub(crate) fn render(lab: &NewLab) -> Result<BTreeMap<Utf8PathBuf, String>, TemplateError> {
    let layers = layers(&lab.services)?;
    let environment = environment()?;
    let editable: Vec<&String> = layers.iter().flat_map(|layer| &layer.editable).collect();
    let points: u32 = layers.iter().map(|layer| layer.points).sum();
    let common = context! {
        id => lab.id.as_str(),
        slug => lab.slug.as_str(),
        title => lab.title.as_str(),
        heading => lab.heading.as_str(),
        package => lab.package.as_str(),
        crate => lab.package.replace('-', "_"),
        schema => lab.schema.as_deref(),
        services => Serde(&layers),
        rest => (POINTS - POINTS_OF_BASE).saturating_sub(points),
        editable => Serde(&editable),
    };
    let base = [(if lab.program { PROGRAM } else { BASE }, None)];
    let services = layers.iter().map(|layer| (layer.folder.as_str(), Some(layer)));
    let mut tree = BTreeMap::new();
    for (folder, service) in base.into_iter().chain(services) {
        for (part, place, solution) in PLACES {
            let top = Utf8Path::new(folder).join(part);
            for path in files(&top) {
                let values = context! { service => Serde(&service), solution, ..common.clone() };
                let text = environment.get_template(path.as_str()).and_then(|template| template.render(values));
                let text = text.map_err(|error| broken(&path, &error))?;
                let inside = path.strip_prefix(&top).unwrap_or(&path);
                tree.insert(
                    Utf8Path::new(place).join(without_in(inside)),
                    format!("{}\n", text.trim_end_matches('\n')),
                );
            }
        }
    }
    Ok(tree)
}

fn layers(services: &[NewLabService]) -> Result<Vec<Layer>, TemplateError> {
    let mut tasks = TASKS_OF_BASE;
    let mut layers = Vec::new();
    for service in services {
        let own = format!("services/{}", service.id);
        let folder = if TEMPLATE.get_dir(&own).is_some() { own } else { OTHER.to_owned() };
        let path = format!("{folder}/{LAYER_FILE}");
        let text = TEMPLATE.get_file(&path).and_then(|file| file.contents_utf8()).unwrap_or_default();
        let manifest: LayerManifest = toml::from_str(text).map_err(|error| broken(Utf8Path::new(&path), &error))?;
        tasks += u32::from(manifest.points > 0);
        layers.push(Layer {
            service: service.clone(),
            parts: format!("{folder}/parts/"),
            folder,
            task: tasks,
            points: manifest.points,
            editable: manifest.editable,
        });
    }
    Ok(layers)
}

fn environment() -> Result<Environment<'static>, TemplateError> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build();
    environment.set_syntax(syntax.map_err(|error| broken(Utf8Path::new(BASE), &error))?);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.add_filter("toml", |text: String| toml::Value::String(text).to_string());
    for path in files(Utf8Path::new("")) {
        let text = TEMPLATE.get_file(&path).and_then(|file| file.contents_utf8()).unwrap_or_default();
        environment.add_template_owned(path.to_string(), text).map_err(|error| broken(&path, &error))?;
    }
    Ok(environment)
}

/// The files below `folder`, by their paths in the template.
fn files(folder: &Utf8Path) -> Vec<Utf8PathBuf> {
    let top = if folder.as_str().is_empty() { Some(&TEMPLATE) } else { TEMPLATE.get_dir(folder) };
    let mut found = Vec::new();
    let mut open: Vec<&Dir<'_>> = top.into_iter().collect();
    while let Some(next) = open.pop() {
        for entry in next.entries() {
            match entry {
                DirEntry::Dir(inner) => open.push(inner),
                DirEntry::File(file) => found.extend(Utf8Path::from_path(file.path()).map(Utf8Path::to_owned)),
            }
        }
    }
    found.sort();
    found
}

/// A `Cargo.toml` in the template would be taken for a package.
fn without_in(path: &Utf8Path) -> &Utf8Path {
    path.as_str().strip_suffix(".in").map_or(path, Utf8Path::new)
}

fn broken(path: &Utf8Path, error: &dyn std::error::Error) -> TemplateError {
    TemplateError { path: path.to_string(), message: error.to_string() }
}
