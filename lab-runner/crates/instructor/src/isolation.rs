//! What a batch's submissions are isolated by: what was asked for, tried before anything is graded.

use camino::Utf8PathBuf;
use lab_runner::building;
use lab_runner::cli::IsolationChoice;
use lab_runner::context::RunContext;
use lab_runner::error::Error;
use lab_runner::events::EventKind;
use lab_runner::helper::Helper;
use lab_runner::scratch::Scratch;
use lab_runner::workspace::Workspace;
use lab_sandbox::{Choice, Sandbox, Unavailable};

/// What is left where nothing isolates.
const IN_THE_OPEN: &str = "--isolation none runs each submission with your own rights: use a container or virtual machine \
                           that you throw away afterwards";

/// What isolates.
pub(crate) struct Isolation {
    pub sandbox: Sandbox,
    /// What is told of containers while they run: to be held as long as anything is graded.
    pub places: Option<Scratch>,
}

/// Nobody runs what nobody has read without having said so.
pub(crate) async fn choose(
    choice: IsolationChoice,
    workspace: &Workspace,
    run: &RunContext,
) -> Result<Isolation, Error> {
    let of_kernel = |choice: Choice| choice.sandbox().map(|sandbox| Isolation { sandbox, places: None });
    let made = match choice {
        IsolationChoice::None => of_kernel(Choice::None).map_err(refusal),
        IsolationChoice::Bubblewrap => of_kernel(Choice::Bubblewrap).map_err(refusal),
        IsolationChoice::Containers => containers(&engine()?, workspace, run).await,
        IsolationChoice::Auto => match (of_kernel(Choice::Auto), engine()) {
            (Ok(isolation), _) => Ok(isolation),
            (Err(_), Ok(engine)) => containers(&engine, workspace, run).await,
            (Err(error), Err(_)) => Err(refusal(error)),
        },
    };
    made.map_err(with_what_is_left)
}

fn engine() -> Result<String, Error> {
    lab_services::container_engine().map_err(|error| infrastructure(error.to_string(), error.hints().to_vec()))
}

/// Containers of the engine at `engine`.
async fn containers(engine: &str, workspace: &Workspace, run: &RunContext) -> Result<Isolation, Error> {
    let scratch = workspace.lab_folder().join("scratch");
    let new_folder = || Scratch::create(&scratch).map_err(|source| Error::io("write to", &scratch, source));
    let places = new_folder()?;
    let program = program(&new_folder()?, run).await.map_err(|message| infrastructure(message, Vec::new()))?;
    // Whoever builds it again meanwhile does not change what a batch is graded with.
    let program = building::hold(&program, places.path());
    let program = program.map_err(|source| Error::io("write to", places.path(), source))?;
    let (engine, folder) = (engine.to_owned(), places.path().to_owned());
    let trying = tokio::task::spawn_blocking(move || {
        Sandbox::of_containers(program.as_std_path(), &engine, folder.as_std_path())
    });
    let tried = trying.await.map_err(|error| Error::Fault(error.to_string()))?;
    Ok(Isolation { sandbox: tried.map_err(refusal)?, places: Some(places) })
}

/// The program that enters them, built if it has to be, and held in `held` meanwhile.
async fn program(held: &Scratch, run: &RunContext) -> Result<Utf8PathBuf, String> {
    let helper = Helper::find("lab-inside", "inside", "what enters containers");
    let helper = helper.ok_or("where this program is cannot be told")?;
    if let Some(program) = helper.fresh() {
        return Ok(program);
    }
    run.emit(EventKind::Step { text: "compiling what enters containers, once".to_owned() });
    helper.build(held.path().to_owned(), run).await
}

fn refusal(error: Unavailable) -> Error {
    let mut hints = error.hints();
    if !matches!(error, Unavailable::NoContainers { .. }) {
        hints.push("a container engine on this machine isolates, too: --isolation containers".to_owned());
    }
    infrastructure(error.to_string(), hints)
}

fn with_what_is_left(error: Error) -> Error {
    match error {
        Error::Infrastructure { message, mut hints } => {
            hints.push(IN_THE_OPEN.to_owned());
            infrastructure(message, hints)
        }
        error => error,
    }
}

fn infrastructure(message: String, hints: Vec<String>) -> Error {
    Error::Infrastructure { message, hints }
}
