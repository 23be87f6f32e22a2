//! `cargo lab mutant new`, `edit`, `save` and `show`: a mistake is made in a copy of the solution and becomes a patch.

use std::io::IsTerminal as _;
use std::process::Command;
use std::sync::Arc;

use lab_protocol::{Verdict, in_full};
use lab_runner::cli::{DraftArgs, EditMutantArgs, NewMutantArgs, SaveMutantArgs, ShowMutantArgs};
use lab_runner::commands::choose;
use lab_runner::context::RunContext;
use lab_runner::engine::{Engine, Request};
use lab_runner::error::Error;
use lab_runner::events::{EventKind, MutantProof};
use lab_runner::exit::ExitCode;
use lab_runner::held_out::Disclosure;
use lab_runner::interrupt::Interrupt;
use lab_runner::limits;
use lab_runner::report::{Outcome, Report};
use lab_runner::reporter::{Reporter, Style};
use lab_runner::submission::mutant::MutantError;
use lab_runner::submission::{self, Mutant, Source, SubmissionError};
use lab_runner::suggest;
use lab_runner::workspace::{Lab, Workspace};

use crate::mutants::{Draft, is_name, path_of};

/// What all of these commands work with.
struct Bench {
    reporter: Arc<Reporter>,
    run: RunContext,
    workspace: Workspace,
    lab: Lab,
    draft: Draft,
    name: String,
}

impl Bench {
    fn open(lab: &str, name: &str, interrupt: &Interrupt) -> Result<Self, Error> {
        if !is_name(name) {
            let message = format!("`{name}` cannot be a mutant's name: lower-case letters, digits and hyphens can");
            return Err(Error::usage(message));
        }
        let reporter = Arc::new(Reporter::new(Style { narrate: true, ..Style::default() }));
        let run = RunContext::new(reporter.clone(), interrupt);
        let workspace = choose::open(&run)?;
        let lab = choose::lab(&workspace, Some(lab))?;
        let draft = Draft::of(&workspace, &lab, name);
        Ok(Self { reporter, run, workspace, lab, draft, name: name.to_owned() })
    }

    fn mutant(&self) -> Result<Mutant, Error> {
        let path = path_of(&self.lab.folder, &self.name);
        if !path.is_file() {
            return Err(super::unknown(&self.name, std::slice::from_ref(&self.lab)));
        }
        Ok(Mutant::load(&path).map_err(SubmissionError::from)?)
    }

    /// What is not saved yet is not lost by beginning once more.
    fn may_begin(&self, restart: bool) -> Result<(), Error> {
        if restart || !self.draft.is_begun() {
            return Ok(());
        }
        let folder = self.workspace.relative(&self.draft.folder);
        Err(Error::Usage {
            message: format!("`{}` is being worked on: {folder}", self.name),
            hints: vec![
                format!("`cargo lab mutant save {} {}` makes its patch", self.lab.id(), self.name),
                "`--restart` throws the changes away and begins anew".into(),
            ],
        })
    }

    /// Tells where the copy is, or has the user's editor open it and saves what came of it.
    async fn hand_over(self) -> Result<ExitCode, Error> {
        let editor = editor().filter(|_| std::io::stdin().is_terminal());
        self.run.emit(EventKind::MutantOpened {
            lab: self.lab.id().to_owned(),
            name: self.name.clone(),
            folder: self.workspace.relative(&self.draft.folder).to_owned(),
            editable: self.lab.manifest.editable.clone(),
            editor: editor.clone(),
        });
        self.reporter.finish()?;
        let Some(editor) = editor else { return Ok(ExitCode::Passed) };
        // As git does it: the variable may hold arguments.
        let script = format!("{editor} \"$@\"");
        let status = Command::new("sh")
            .args(["-c", &script, &editor])
            .arg(&self.draft.folder)
            .current_dir(&self.draft.folder)
            .status()
            .map_err(|source| Error::io("start the editor in", &self.draft.folder, source))?;
        let changed = self.draft.patch(&submission::solution(&self.lab)?)?.is_some();
        // An editor with a window of its own returns at once.
        if !status.success() || !changed {
            return Ok(ExitCode::Passed);
        }
        self.save(&DraftArgs::default(), false).await
    }

    /// Proves what stands in the draft, and writes its patch if it is caught, or `anyway`.
    async fn save(self, args: &DraftArgs, anyway: bool) -> Result<ExitCode, Error> {
        let solution = submission::solution(&self.lab)?;
        let (old_breaks, old_fails) = self.draft.description()?;
        let breaks = args.breaks.clone().unwrap_or(old_breaks);
        let fails = if args.fails.is_empty() { old_fails } else { args.fails.clone() };
        if breaks.trim().is_empty() || breaks.chars().any(char::is_control) {
            return Err(Error::Usage {
                message: "a mutant says in one line what it breaks".into(),
                hints: vec![format!("cargo lab mutant save {} {} --breaks 'what is wrong'", self.lab.id(), self.name)],
            });
        }
        self.draft.describe(breaks.trim(), &fails)?;
        let Some(patch) = self.draft.patch(&solution)? else {
            let folder = self.workspace.relative(&self.draft.folder);
            return Err(Error::usage(format!("nothing is changed yet in {folder}")));
        };
        let path = path_of(&self.lab.folder, &self.name);
        let mutant = Mutant::parse(&path, patch.clone()).map_err(SubmissionError::from)?;
        mutant.apply(solution, &self.lab.manifest.editable).map_err(SubmissionError::from)?;
        let proof = self.prove(&mutant, args).await?;
        let written = proof.is_caught() || anyway;
        if written {
            let folder = path.parent().unwrap_or(&self.lab.folder);
            std::fs::create_dir_all(folder)
                .and_then(|()| std::fs::write(&path, &patch))
                .map_err(|source| Error::io("write", &path, source))?;
            self.draft.remove().map_err(|source| Error::io("remove", &self.draft.folder, source))?;
        }
        let code = if proof.is_caught() { ExitCode::Passed } else { ExitCode::NotPassed };
        self.run.emit(EventKind::MutantProven { proof: Box::new(MutantProof { written, ..proof }) });
        self.reporter.finish()?;
        Ok(code)
    }

    /// Builds the mutant and has the checks it names grade it, as an audit does.
    async fn prove(&self, mutant: &Mutant, args: &DraftArgs) -> Result<MutantProof, Error> {
        limits::raise();
        limits::check()?;
        let engine = Engine::new(self.workspace.place(), args.services)?;
        let graded = self.grade(&engine, mutant).await;
        engine.shutdown().await;
        let report = graded?;
        if report.outcome == Outcome::InfrastructureError {
            let message = report.diagnostics.map(|diagnostics| diagnostics.message).unwrap_or_default();
            return Err(Error::Infrastructure { message, hints: Vec::new() });
        }
        let caught = |id: &String| {
            let verdict = report.checks.iter().find(|check| check.id == *id).map(|check| check.verdict);
            (id.clone(), verdict.is_some_and(|verdict| matches!(verdict, Verdict::Failed | Verdict::TimedOut)))
        };
        Ok(MutantProof {
            lab: self.lab.id().to_owned(),
            name: self.name.clone(),
            path: self.workspace.relative(&mutant.path).to_owned(),
            folder: self.workspace.relative(&self.draft.folder).to_owned(),
            breaks: mutant.breaks.clone(),
            fails: mutant.fails.iter().map(caught).collect(),
            diagnostics: report.diagnostics,
            written: false,
        })
    }

    async fn grade(&self, engine: &Engine, mutant: &Mutant) -> Result<Report, Error> {
        let suite = engine.suite(&self.lab, Some(Disclosure::Full), &self.run).await?;
        let known = || suite.checks.iter().map(|check| check.id.as_str());
        if let Some(id) = mutant.fails.iter().find(|id| !known().any(|known| known == **id)) {
            return Err(Error::Usage {
                message: format!("`{id}` is not a check of {}", self.lab.id()),
                hints: suggest::did_you_mean(id, known()).into_iter().collect(),
            });
        }
        self.run.emit(EventKind::Step { text: format!("the mutant `{}` is built and graded", self.name) });
        let source = Source::Mutant(mutant.clone());
        let held_out = Some(Disclosure::Full);
        let request = Request { record: false, held_out, ..choose::plain_request(source, mutant.fails.clone()) };
        engine.grade(&self.lab, &request, &self.run.silent()).await
    }
}

/// The user's editor, as git looks for it.
fn editor() -> Option<String> {
    ["VISUAL", "EDITOR"].iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.trim().is_empty()))
}

/// Copies the solution for a new mutant.
pub(super) async fn new(args: NewMutantArgs, interrupt: Interrupt) -> Result<ExitCode, Error> {
    let bench = Bench::open(&args.lab, &args.name, &interrupt)?;
    if path_of(&bench.lab.folder, &args.name).exists() {
        return Err(Error::Usage {
            message: format!("{} has a mutant `{}` already", bench.lab.id(), args.name),
            hints: vec![format!("`cargo lab mutant edit {} {}` changes it", bench.lab.id(), args.name)],
        });
    }
    bench.may_begin(args.restart)?;
    let solution = submission::solution(&bench.lab)?;
    bench.draft.begin(&solution, args.breaks.as_deref().unwrap_or_default(), &args.fails)?;
    bench.hand_over().await
}

/// Copies the solution with the mutant's mistake in it.
pub(super) async fn edit(args: EditMutantArgs, interrupt: Interrupt) -> Result<ExitCode, Error> {
    let bench = Bench::open(&args.lab, &args.name, &interrupt)?;
    let mutant = bench.mutant()?;
    bench.may_begin(args.restart)?;
    let solution = submission::solution(&bench.lab)?;
    let mutated = mutant.apply(solution, &bench.lab.manifest.editable).map_err(|error: MutantError| Error::Usage {
        message: in_full(&error),
        hints: vec![format!("`cargo lab mutant refresh {}` carries it over to the solution", bench.lab.id())],
    })?;
    bench.draft.begin(&mutated, &mutant.breaks, &mutant.fails)?;
    bench.hand_over().await
}

/// Makes the patch of what stands in the copy.
pub(super) async fn save(args: SaveMutantArgs, interrupt: Interrupt) -> Result<ExitCode, Error> {
    let bench = Bench::open(&args.lab, &args.name, &interrupt)?;
    if !bench.draft.is_begun() {
        let (lab, name) = (bench.lab.id(), &args.name);
        return Err(Error::Usage {
            message: format!("no work on a mutant `{name}` of {lab} has been begun"),
            hints: vec![format!(
                "begin with `cargo lab mutant new {lab} {name} --fails CHECK` or `… edit {lab} {name}`"
            )],
        });
    }
    bench.save(&args.draft, args.anyway).await
}

/// Shows a mutant.
pub(super) fn show(args: ShowMutantArgs, interrupt: Interrupt) -> Result<ExitCode, Error> {
    let bench = Bench::open(&args.lab, &args.name, &interrupt)?;
    let mutant = bench.mutant()?;
    bench.run.emit(EventKind::MutantShown {
        path: bench.workspace.relative(&mutant.path).to_owned(),
        patch: mutant.text().to_owned(),
    });
    bench.reporter.finish()?;
    Ok(ExitCode::Passed)
}
