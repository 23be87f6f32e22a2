//! Task 9: the learner's own test cases.

use std::collections::BTreeSet;

use lab_kit::prelude::*;
use serde::Deserialize;

use crate::model::{self, Command, Mistake, Outcome};

/// How many cases there may be.
const MOST_CASES: usize = 100;
/// How long they may be together, in bytes.
const MOST_BYTES: usize = 1_000_000;

/// A test case.
#[derive(Debug, Deserialize)]
struct Case {
    name: String,
    args: Vec<String>,
    input: String,
    output: String,
    bad: Vec<usize>,
    exit: i32,
}

impl Case {
    fn command(&self) -> Option<Command> {
        match self.args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["import"] => Some(Command::Import),
            ["report"] => Some(Command::Report),
            _ => None,
        }
    }

    /// What it comes to for a program with `mistake`, or for the right one.
    fn outcome(&self, mistake: Option<Mistake>) -> Option<Outcome> {
        Some(model::run(self.command()?, self.input.as_bytes(), mistake))
    }

    /// Whether a run that came to `outcome` has passed. Of a run that could not do its work it does not matter which bad lines
    /// it has told of.
    fn passes(&self, outcome: &Outcome) -> bool {
        let told = self.exit == 2 || self.bad == outcome.bad;
        self.output.as_bytes() == outcome.output && told && self.exit == outcome.code
    }
}

/// The cases that the program writes.
async fn cases(lab: &Lab) -> CheckResult<(Finished, Vec<Case>)> {
    let done = lab.program().arg("cases").run().await?;
    done.expect_code(0)?;
    if done.output().len() > MOST_BYTES {
        let found = format!("{} bytes", done.output().len());
        return Err(done.failure("the cases are too long").expected("at most 1 MB together").actual(found));
    }
    let values = done.expect_json_lines()?;
    if !(1..=MOST_CASES).contains(&values.len()) {
        return Err(done
            .failure("the number of cases")
            .expected("from 1 to 100 cases")
            .actual(format!("{} cases", values.len())));
    }
    let read = |(index, value): (usize, Value)| {
        let case = Case::deserialize(&value).map_err(|error| error.to_string());
        let case = case.and_then(|case| match case.command() {
            Some(_) if (0..=2).contains(&case.exit) => Ok(case),
            Some(_) => Err(format!("`exit` is {}", case.exit)),
            None => Err(format!("`args` is {:?}", case.args)),
        });
        case.map_err(|wrong| {
            done.failure(format!("case {} is not one of the form that the README gives: {wrong}", index + 1))
                .expected("name, args with one command, input, output, bad and exit")
                .actual(value.to_string())
        })
    };
    let cases = values.into_iter().enumerate().map(read).collect::<CheckResult<Vec<_>>>()?;
    let mut names = BTreeSet::new();
    match cases.iter().find(|case| !names.insert(&case.name)) {
        Some(twice) => {
            Err(done.failure(format!("two cases are called \"{}\"", twice.name)).expected("another name for each case"))
        }
        None => Ok((done, cases)),
    }
}

/// A test that a right program fails says something wrong about what is right (README, task 9).
#[check(title = "your cases pass the right program", task = 9, points = 3,
        hints = ["Take the case in the report, and work out by hand from the README what has to come.",
                 "Which of output, bad lines and exit code did you take from what your own program does?"])]
async fn cases_right(lab: &Lab) -> CheckResult {
    let (done, cases) = cases(lab).await?;
    for case in cases {
        let Some(outcome) = case.outcome(None) else { continue };
        if !case.passes(&outcome) {
            let output = lab_kit::transcript::show_bytes(&outcome.output);
            return Err(done
                .failure(format!("the right program fails your case \"{}\"", case.name))
                .expected(format!("exit code {}, bad lines {:?}, output\n{output}", outcome.code, outcome.bad))
                .actual(format!("the case has exit {}, bad {:?}, output\n{}", case.exit, case.bad, case.output))
                .sent(format!(
                    "$ {}\n{}",
                    case.args.join(" "),
                    lab_kit::transcript::show_bytes(case.input.as_bytes())
                )));
        }
    }
    Ok(())
}

/// A test is worth what it catches: one that no wrong program fails asserts nothing (R. DeMillo, R. Lipton, F. Sayward: Hints on
/// Test Data Selection, 1978).
#[check(title = "your cases catch wrong programs", task = 9, points = 5, needs = ["cases_right"],
        hints = ["Which sentences of tasks 2 to 5 has no case of yours ever read?",
                 "For each sentence: what would somebody write who has not understood it, and which input tells the two apart?",
                 "Look at the edges: the last day of February, a cent that no f64 holds, a name that is written in two ways."])]
async fn cases_wrong(lab: &Lab) -> CheckResult {
    let (done, cases) = cases(lab).await?;
    let gets_through = |mistake: Mistake| {
        cases.iter().all(|case| case.outcome(Some(mistake)).is_some_and(|outcome| case.passes(&outcome)))
    };
    let through: Vec<u32> =
        Mistake::ALL.into_iter().filter(|(mistake, _)| gets_through(*mistake)).map(|(_, task)| task).collect();
    if through.is_empty() {
        return Ok(());
    }
    let count = |task: u32| through.iter().filter(|of| **of == task).count();
    let tasks: Vec<_> =
        (2..=5).filter(|task| count(*task) > 0).map(|task| format!("{} about task {task}", count(task))).collect();
    let all = Mistake::ALL.len();
    Err(done
        .failure(format!("{} of {all} wrong programs pass all of your {} cases", through.len(), cases.len()))
        .expected("each of them fails at least one case")
        .actual(format!("{} get through: {}", through.len(), tasks.join(", "))))
}
