//! What the program says of itself: help with examples, completions, man pages.

use std::process::{Command, Stdio};

use crate::sandbox::{command, lab};

/// The commands that `--help` lists.
fn commands() -> Vec<String> {
    let help = lab(&["--help"]);
    assert_eq!(help.code, Some(0), "{}", help.golden());
    let listed =
        help.stdout.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // A line that goes on with what the one before says stands further to the right.
    let listed = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names: Vec<String> = listed.filter_map(|line| Some(line.split_whitespace().next()?.to_owned())).collect();
    assert!(names.len() > 10, "{names:?}");
    names.into_iter().filter(|name| name != "help").collect()
}

#[test]
fn every_command_has_help_with_an_example() {
    for name in commands() {
        let help = lab(&[&name, "--help"]);
        assert_eq!(help.code, Some(0), "{}", help.golden());
        let examples = help.stdout.split_once("Example").map_or("", |(_, examples)| examples);
        assert!(examples.contains(&format!("cargo lab {name}")), "{name}: {}", help.stdout);
    }
}

/// What bash offers for the words of `line`, the last of which is being written.
fn offered(script: &str, before: &str, line: &[&str]) -> Vec<String> {
    let words = line.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
    let program = format!(
        "{before}\nsource /dev/stdin\nCOMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); COMPREPLY=()\n\
         $(complete -p cargo | sed 's/.*-F \\([^ ]*\\).*/\\1/') cargo \"${{COMP_WORDS[COMP_CWORD]}}\" \
         \"${{COMP_WORDS[COMP_CWORD - 1]}}\"\nprintf '%s\\n' \"${{COMPREPLY[@]}}\""
    );
    let mut bash = Command::new("bash");
    bash.args(["--norc", "-c", &program]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut bash = bash.spawn().expect("this test needs bash");
    std::io::Write::write_all(&mut bash.stdin.take().unwrap(), script.as_bytes()).unwrap();
    let output = bash.wait_with_output().unwrap();
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(errors.is_empty(), "{line:?}: {errors}");
    said.lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_options_and_labs_behind_cargo_lab() {
    let script = lab(&["completions", "bash"]).stdout;
    assert_eq!(offered(&script, "", &["cargo", "lab", "sol"]), ["solution"]);
    assert_eq!(offered(&script, "", &["cargo", "lab", "check", "ti"]), ["tiny-1"]);
    assert_eq!(offered(&script, "", &["cargo", "lab", "check", "--next"]), ["--next-task"]);
    assert!(offered(&script, "", &["cargo", "lab", "mutant", ""]).contains(&"refresh".to_owned()));
    // Cargo's own completions are still asked for everything else.
    let before = "_of_cargo() { COMPREPLY=(build); }; complete -F _of_cargo cargo";
    assert_eq!(offered(&script, before, &["cargo", "bu"]), ["build"]);
    assert_eq!(offered(&script, before, &["cargo", "lab", "hi"]), ["hint"]);
}

#[test]
fn the_other_shells_get_a_script_that_knows_every_command_and_lab() {
    let zsh = lab(&["completions", "zsh"]).stdout;
    assert!(zsh.starts_with("#compdef cargo-lab") && zsh.contains("_cargo-lab()"), "{zsh}");
    let fish = lab(&["completions", "fish"]).stdout;
    assert!(fish.contains("complete -c cargo "), "{fish}");
    for name in commands().iter().map(String::as_str).chain(["tiny-1"]) {
        assert!(zsh.contains(name), "zsh knows no {name}");
        assert!(fish.contains(name), "fish knows no {name}");
    }
    let unknown = lab(&["completions", "tcsh"]);
    assert_eq!(unknown.code, Some(2), "{}", unknown.golden());
}

#[test]
fn the_man_page_lists_the_commands_and_each_has_its_own() {
    let page = lab(&["man"]);
    assert_eq!(page.code, Some(0), "{}", page.golden());
    assert!(page.stdout.contains(".TH cargo-lab 1"), "{}", page.stdout);
    let keep = tempfile::tempdir().unwrap();
    let folder = keep.path().join("man1");
    let status = command(&["man", "--dir", folder.to_str().unwrap()]).status().unwrap();
    assert!(status.success());
    for name in commands() {
        let path = folder.join(format!("cargo-lab-{name}.1"));
        assert!(path.exists(), "{}", path.display());
    }
}
