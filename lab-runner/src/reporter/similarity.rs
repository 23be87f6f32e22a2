//! What is told of submissions that were laid out for a tool that looks for similar ones.

use std::fmt::Write as _;

use super::style::{bad, dim, good, strong};
use super::{inert, learner, tried};
use crate::similarity::{BASE, ForJplag, SUBMISSIONS};

/// What was written, what is missing, and the line that compares them.
pub(super) fn laid_out(layout: &ForJplag) -> String {
    let ForJplag { folder, lab, submissions, starter, unreadable } = layout;
    let noun = if *submissions == 1 { "submission" } else { "submissions" };
    let mut text = format!("{} {}\n", good("written"), inert::line(folder.as_str()));
    let _ = writeln!(text, "  {SUBMISSIONS:<13}{submissions} {noun} for {lab}, a folder each");
    let _ = writeln!(text, "  {BASE:<13}the starter, {}", learner::known_as(starter));
    for (name, why) in unreadable {
        let _ = writeln!(text, "  {}: {}", bad(inert::line(name)), inert::line(why));
    }
    let _ = writeln!(text, "\n{}", strong("next"));
    let _ = writeln!(text, "  cd {}", inert::line(&tried::quoted(folder.as_str())));
    let _ = writeln!(text, "  java -jar jplag.jar -l rust -bc {BASE} -r similar {SUBMISSIONS}");
    let _ = writeln!(
        text,
        "  {}",
        dim("jplag.jar is at https://github.com/jplag/JPlag/releases; nothing leaves this machine")
    );
    text
}
