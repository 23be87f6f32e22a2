//! `cargo lab new`: writes a lab that builds and passes its audit.

use std::collections::BTreeSet;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use lab_protocol::{NewLab, NewLabService};
use lab_runner::cli::NewArgs;
use lab_runner::commands::choose;
use lab_runner::context::RunContext;
use lab_runner::error::Error;
use lab_runner::events::{CreatedLab, EventKind};
use lab_runner::exit::ExitCode;
use lab_runner::helper;
use lab_runner::interrupt::Interrupt;
use lab_runner::manifest::{self, Manifest};
use lab_runner::reporter::{Reporter, Style};
use lab_runner::scratch::Scratch;
use lab_runner::submission::Tree;
use lab_runner::suggest;
use lab_runner::workspace::{Lab, Workspace};
use lab_services::ServiceId;

use super::mutant;
use crate::names::Names;
use crate::template;
use crate::{course, formatting};

/// The manifest's JSON schema, in the workspace that has the grader.
const SCHEMA: &str = "lab-runner/schema/lab.schema.json";

/// Writes the lab that `args` describe.
pub(super) async fn run(args: NewArgs, interrupt: Interrupt) -> Result<ExitCode, Error> {
    let reporter = Arc::new(Reporter::new(Style::default()));
    let run = RunContext::new(reporter.clone(), &interrupt);
    let workspace = choose::open(&run)?;
    let names = Names::choose(&workspace, &args.id, &args.slug, args.title.as_deref())?;
    let services = services(&args.services)?;
    let folder = workspace.root.join("labs").join(names.package());
    if folder.symlink_metadata().is_ok() {
        return Err(Error::usage(format!("{} is there already", workspace.relative(&folder))));
    }
    let files = tokio::select! {
        files = render(&workspace, &names, args.program, &services, &run) => files?,
        () = interrupt.wait() => return Err(Error::Interrupted),
    };
    write(&workspace, &files, &folder)?;
    if let Some(sources) = helper::sources().filter(|sources| *sources != workspace.root) {
        course::complete_lock(&workspace.root, &sources)?;
    }
    let created = CreatedLab {
        id: names.id,
        folder: workspace.relative(&folder).to_owned(),
        files: files.0.len(),
        services: services.iter().map(|service| service.name().to_owned()).collect(),
    };
    run.emit(EventKind::LabCreated { lab: Box::new(created) });
    reporter.finish()?;
    Ok(ExitCode::Passed)
}

async fn render(
    workspace: &Workspace,
    names: &Names,
    program: bool,
    services: &[ServiceId],
    run: &RunContext,
) -> Result<Tree, Error> {
    let of_template = |service: &ServiceId| NewLabService {
        id: service.id().to_owned(),
        name: service.name().to_owned(),
        variable: service.definition().description().server_variable.to_owned(),
    };
    let lab = NewLab {
        id: names.id.clone(),
        slug: names.slug.clone(),
        title: names.title.clone(),
        heading: names.heading(),
        package: names.package(),
        schema: schema(&workspace.root.join("labs").join(names.package())),
        program,
        services: services.iter().map(of_template).collect(),
    };
    let scratch = workspace.lab_folder().join("scratch");
    let held = Scratch::create(&scratch).map_err(|source| Error::io("write to", &scratch, source))?;
    template::render(&lab, held.path().to_owned(), run).await.map_err(Error::Fault)
}

/// Where the manifest's schema is, as seen from the lab's `folder`.
fn schema(folder: &Utf8Path) -> Option<String> {
    let schema = helper::sources()?.join(SCHEMA);
    schema.is_file().then(|| course::path_from(folder, &schema).into_string())
}

/// The services called `names`, in the order in which they are known.
fn services(names: &[String]) -> Result<Vec<ServiceId>, Error> {
    let all = ServiceId::all();
    let mut chosen = BTreeSet::new();
    for name in names {
        let known = || all.iter().map(|service| service.id());
        let service = ServiceId::find(name).ok_or_else(|| Error::Usage {
            message: format!("`{name}` is not a service; there are {}", known().collect::<Vec<_>>().join(", ")),
            hints: suggest::did_you_mean(name, known()).into_iter().collect(),
        })?;
        chosen.insert(service);
    }
    Ok(chosen.into_iter().collect())
}

/// Writes `files` beside the labs, formats them and sets their patches right, and only then makes a lab of them: half of
/// one would end every cargo command.
fn write(workspace: &Workspace, files: &Tree, folder: &Utf8Path) -> Result<(), Error> {
    let labs = workspace.root.join("labs");
    // No hyphen and no digit behind one, by which a lab's folder is known.
    let hidden = tempfile::Builder::new().prefix(".new").tempdir_in(&labs);
    let hidden = hidden.map_err(|source| Error::io("write to", &labs, source))?;
    let top = Utf8Path::from_path(hidden.path()).unwrap_or(&labs).join(folder.file_name().unwrap_or_default());
    for (path, content) in &files.0 {
        write_file(&top.join(path), content)?;
    }
    let edition = formatting::edition(&workspace.root, &top);
    formatting::rustfmt(&formatting::sources(&top), &edition, true)?;
    let lab = Lab { manifest: Manifest::load(&top.join(manifest::FILE_NAME))?, folder: top.clone() };
    let patches = mutant::refresh_lab(workspace, &lab, &[], true)?;
    if let Some(why) = patches.into_iter().find_map(|mutant| mutant.cannot) {
        return Err(Error::Fault(format!("a mutant of the template does not fit: {why}")));
    }
    std::fs::rename(&top, folder).map_err(|source| Error::io("write", folder, source))
}

fn write_file(path: &Utf8PathBuf, content: &[u8]) -> Result<(), Error> {
    let written = path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(path, content));
    written.map_err(|source| Error::io("write", path, source))
}
