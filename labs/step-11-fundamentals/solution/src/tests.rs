//! The cases of task 9, put to this program itself.

use std::collections::{BTreeMap, HashSet};

use crate::CASES;
use crate::cli::Command;
use crate::json::{self, Value};
use crate::processing::process;

/// What the program makes of a case's input: its output, the numbers of the bad lines, and its exit code.
fn outcome(command: Command, input: &str) -> (String, Vec<usize>, u8) {
    let processed = process(command, input.as_bytes());
    let bad: Vec<_> = processed.bad.iter().map(|(number, _)| *number).collect();
    let code = u8::from(!bad.is_empty());
    match (command, processed.report.lines()) {
        (Command::Import, _) => (processed.output, bad, code),
        (Command::Report, Ok(lines)) => (lines, bad, code),
        (Command::Report, Err(_)) => (String::new(), bad, 2),
    }
}

fn cases() -> Vec<BTreeMap<String, Value<'static>>> {
    let case = |line: &'static str| match json::parse(line) {
        Ok(Value::Object(members)) => members.into_iter().map(|(name, value)| (name.into_owned(), value)).collect(),
        other => panic!("no object: {other:?}"),
    };
    CASES.lines().map(case).collect()
}

fn text<'a>(value: &'a Value<'_>) -> &'a str {
    match value {
        Value::String(text) => text,
        other => panic!("no string: {other:?}"),
    }
}

fn elements<'a>(value: &'a Value<'a>) -> &'a [Value<'a>] {
    match value {
        Value::Array(elements) => elements,
        other => panic!("no array: {other:?}"),
    }
}

fn number(value: &Value<'_>) -> usize {
    match value {
        Value::Number(digits) => digits.parse().expect("a small number"),
        other => panic!("no number: {other:?}"),
    }
}

#[test]
fn this_program_passes_its_own_cases() {
    for case in cases() {
        let name = text(&case["name"]);
        let command = match elements(&case["args"]) {
            [argument] if text(argument) == "import" => Command::Import,
            [argument] if text(argument) == "report" => Command::Report,
            other => panic!("{name}: {other:?}"),
        };
        let (output, bad, code) = outcome(command, text(&case["input"]));
        assert_eq!(output, text(&case["output"]), "{name}");
        assert_eq!(bad, elements(&case["bad"]).iter().map(number).collect::<Vec<_>>(), "{name}");
        assert_eq!(usize::from(code), number(&case["exit"]), "{name}");
    }
}

#[test]
fn every_case_has_a_name_of_its_own() {
    let cases = cases();
    let names: HashSet<_> = cases.iter().map(|case| text(&case["name"])).collect();
    assert_eq!(names.len(), cases.len());
}
