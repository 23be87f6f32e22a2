//! `cargo lab new`: writes a lab that builds and passes its audit.

use std::collections::BTreeSet;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use lab_services::ServiceId;

use super::{choose, mutant};
use crate::cli::NewArgs;
use crate::context::RunContext;
use crate::error::Error;
use crate::events::{CreatedLab, EventKind};
use crate::exit::ExitCode;
use crate::formatting;
use crate::interrupt::Interrupt;
use crate::manifest::{self, Manifest};
use crate::reporter::{Reporter, Style};
use crate::scaffold::{Names, NewLab};
use crate::submission::Tree;
use crate::suggest;
use crate::workspace::{Lab, Workspace};

/// The manifest's JSON schema, as seen from the workspace's root.
const SCHEMA: &str = "lab-runner/schema/lab.schema.json";

/// Writes the lab that `args` describe.
pub(super) fn run(args: NewArgs, interrupt: Interrupt) -> Result<ExitCode, Error> {
    let reporter = Arc::new(Reporter::new(Style::default()));
    let run = RunContext::new(reporter.clone(), &interrupt);
    let workspace = choose::open(&run)?;
    let names = Names::choose(&workspace, &args.id, &args.slug, args.title.as_deref())?;
    let lab = NewLab {
        names,
        services: services(&args.services)?,
        schema: workspace.root.join(SCHEMA).is_file().then(|| format!("../../{SCHEMA}")),
    };
    let folder = workspace.root.join("labs").join(lab.names.package());
    if folder.symlink_metadata().is_ok() {
        return Err(Error::usage(format!("{} is there already", workspace.relative(&folder))));
    }
    let files = lab.files().map_err(|error| Error::Fault(error.to_string()))?;
    write(&workspace, &files, &folder)?;
    let created = CreatedLab {
        id: lab.names.id,
        folder: workspace.relative(&folder).to_owned(),
        files: files.0.len(),
        services: lab.services.iter().map(|service| service.name().to_owned()).collect(),
    };
    run.emit(EventKind::LabCreated { lab: Box::new(created) });
    reporter.finish()?;
    Ok(ExitCode::Passed)
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
