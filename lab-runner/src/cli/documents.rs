//! Completions for shells and the man page, made from the declarations of the command line.

use std::io;

use camino::Utf8Path;
use clap::builder::PossibleValuesParser;
use clap::{Arg, Args as ClapArgs, Command, CommandFactory as _, ValueEnum};

use super::args::Args;

/// The program's own name; cargo finds it by that.
const PROGRAM: &str = "cargo-lab";
/// The same for bash's function: clap_complete (4.6) loses the options of commands below a name with a hyphen.
const BASH_NAME: &str = "cargo_lab";

/// `cargo lab completions`
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples, each where its shell reads it:
  bash   cargo lab completions bash >~/.cargo-lab.bash
         and at the end of ~/.bashrc: source ~/.cargo-lab.bash
  zsh    cargo lab completions zsh >DIR/_cargo-lab
         where DIR is a folder in fpath; cargo's own completions call it
  fish   cargo lab completions fish >~/.config/fish/conf.d/cargo-lab.fish

They complete commands, options and the labs of this course behind `cargo lab`.")]
pub struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum)]
    pub shell: Shell,
}

/// The shells that completions can be made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// GNU Bash.
    Bash,
    /// The Z shell.
    Zsh,
    /// The friendly interactive shell.
    Fish,
}

/// `cargo lab man`
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  cargo lab man | man -l -                       read it
  cargo lab man --dir ~/.local/share/man/man1    install it, a page for each command")]
pub struct ManArgs {
    /// Write the pages of all commands to this folder, in place of printing the first.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<camino::Utf8PathBuf>,
}

/// The completions of `shell`, which know `labs` by their names.
pub(crate) fn completions(shell: Shell, labs: &[String]) -> String {
    let mut script = Vec::new();
    match shell {
        Shell::Bash => {
            let mut command = Args::command().name(BASH_NAME).bin_name(BASH_NAME);
            clap_complete::generate(clap_complete::Shell::Bash, &mut command, BASH_NAME, &mut script);
            let hook = BASH_HOOK.replace("{commands}", &commands_with_labs().join(" "));
            script.extend_from_slice(hook.replace("{labs}", &labs.join(" ")).as_bytes());
        }
        // Cargo's own completions call a function of this name for a command that they do not know.
        Shell::Zsh => {
            let mut command = with_labs(Args::command().name(PROGRAM).bin_name(PROGRAM), labs);
            clap_complete::generate(clap_complete::Shell::Zsh, &mut command, PROGRAM, &mut script);
        }
        // What fish knows of cargo is added to.
        Shell::Fish => {
            let lab = Args::command().name("lab").bin_name("cargo lab");
            let mut cargo = Command::new("cargo").disable_help_flag(true).disable_help_subcommand(true).subcommand(lab);
            clap_complete::generate(clap_complete::Shell::Fish, &mut cargo, "cargo", &mut script);
            let commands = commands_with_labs().join(" ");
            let behind = format!("__fish_seen_subcommand_from lab; and __fish_seen_subcommand_from {commands}");
            let line = format!("complete -c cargo -n \"{behind}\" -f -a \"{}\"\n", labs.join(" "));
            script.extend_from_slice(line.as_bytes());
        }
    }
    String::from_utf8_lossy(&script).into_owned()
}

/// Bash has one function for all of cargo: ours takes the words behind `cargo lab`, and leaves everything else to the one
/// that was there.
const BASH_HOOK: &str = r#"
if [[ -z ${_cargo_lab_before+set} ]]; then
    _cargo_lab_before=$(complete -p cargo 2>/dev/null | sed -n 's/.*-F \([^ ]*\).*/\1/p')
fi

_cargo_lab_hook() {
    if [[ $COMP_CWORD -ge 2 && ${COMP_WORDS[1]} == lab ]]; then
        local COMP_WORDS=(cargo_lab "${COMP_WORDS[@]:2}") COMP_CWORD=$((COMP_CWORD - 1))
        local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} reply replies
        _cargo_lab cargo_lab "$word" "$before"
        replies=("${COMPREPLY[@]}")
        COMPREPLY=()
        for reply in "${replies[@]}"; do
            # What only stands for a name, such as [LAB], is none.
            [[ $reply == [\[\<]* ]] || COMPREPLY+=("$reply")
        done
        if [[ " {commands} " == *" ${COMP_WORDS[1]} "* && $word != -* && $before != --* ]]; then
            COMPREPLY+=($(compgen -W "{labs}" -- "$word"))
        fi
    elif [[ -n $_cargo_lab_before ]]; then
        "$_cargo_lab_before" "$@"
    elif [[ $COMP_CWORD -eq 1 ]]; then
        COMPREPLY=($(compgen -W lab -- "${COMP_WORDS[1]}"))
    fi
}

complete -F _cargo_lab_hook -o nosort -o bashdefault -o default cargo
"#;

/// The commands that take a lab's name.
fn commands_with_labs() -> Vec<String> {
    let command = Args::command();
    let taking = command.get_subcommands().filter(|command| command.get_positionals().any(is_a_lab));
    taking.map(|command| command.get_name().to_owned()).collect()
}

fn is_a_lab(arg: &Arg) -> bool {
    arg.is_positional() && ["lab", "labs", "names"].contains(&arg.get_id().as_str())
}

/// `command` with the names of `labs` as what its positional arguments may be.
fn with_labs(command: Command, labs: &[String]) -> Command {
    // clap keeps names for as long as the program runs, and this one ends when they are printed.
    let labs: Vec<&'static str> = labs.iter().map(|lab| &*lab.clone().leak()).collect();
    command.mut_subcommands(move |command| {
        let labs = labs.clone();
        let known = move |arg: Arg| match is_a_lab(&arg) {
            true => arg.value_parser(PossibleValuesParser::new(labs.clone())),
            false => arg,
        };
        command.mut_args(known)
    })
}

/// The man page of `cargo lab`.
///
/// # Errors
/// Never in practice: it is written to memory.
pub(crate) fn man_page() -> io::Result<String> {
    let mut page = Vec::new();
    let mut command = Args::command().name(PROGRAM);
    command.build();
    clap_mangen::Man::new(command).render(&mut page)?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

/// Writes the man pages of `cargo lab` and of each of its commands to `folder`.
///
/// # Errors
/// They cannot be written.
pub(crate) fn write_man_pages(folder: &Utf8Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    clap_mangen::generate_to(Args::command().name(PROGRAM), folder)
}
