//! Task 1: the command line.

use lab_kit::prelude::*;

use crate::support::{COMMANDS, Order, expect, expect_unable, write_file};

/// A script that calls a program sees its exit code, and reads its standard output: a mistake must not look like a result
/// (POSIX.1-2024, Utility Conventions, 12.2; README, task 1).
#[check(title = "wrong arguments end with exit code 2 and a message", task = 1, points = 2,
        hints = ["Which arguments does your program take as they come, without asking what they are?",
                 "Look at all arguments first, and open the files; read input only after that.",
                 "Which numbers may follow --jobs, and what does your language's number parser accept beyond these?"])]
async fn usage(lab: &Lab) -> CheckResult {
    let order = Order::new(lab).line();
    let word = lab.word();
    let mut wrong = vec![vec![], vec![word.as_str()], vec!["--jobs", "2"], vec!["Import"]];
    for command in COMMANDS {
        wrong.extend([
            vec![command, "--nonsense"],
            vec![command, "one.ndjson", "one.ndjson"],
            vec![command, "--jobs"],
            vec![command, "--output"],
            vec![command, &word],
        ]);
        wrong.extend(
            ["0", "65", "-1", "two", "", "1.5", "18446744073709551617"].map(|jobs| vec![command, "--jobs", jobs]),
        );
    }
    for arguments in wrong {
        let folder = lab.folder()?;
        if arguments.contains(&"one.ndjson") {
            write_file(&folder.join("one.ndjson"), order.as_bytes())?;
        }
        let done = lab.program().folder(&folder).args(arguments).input(order.as_str()).run().await?;
        expect_unable(&done)?;
    }
    let canonical = Order::new(lab);
    for arguments in [&["--jobs", "1"][..], &["--jobs", "64"]] {
        expect(lab.program().arg("import").args(arguments.to_vec()), canonical.line(), &canonical.canonical(), &[])
            .await?;
    }
    let folder = lab.folder()?;
    write_file(&folder.join("one.ndjson"), canonical.line().as_bytes())?;
    for arguments in [&["one.ndjson"][..], &["--jobs", "2", "one.ndjson"], &["one.ndjson", "--jobs", "2"]] {
        let program = lab.program().folder(&folder).arg("import").args(arguments.to_vec());
        expect(program, "", &canonical.canonical(), &[]).await?;
    }
    Ok(())
}

/// Nothing is an input like any other, and so is a line that somebody has left empty (README, task 1).
#[check(title = "an empty input has an empty result", task = 1, points = 1,
        hints = ["What does your program write about no orders at all?",
                 "Is a line without content an order, a mistake, or neither?"])]
async fn empty_input(lab: &Lab) -> CheckResult {
    for command in COMMANDS {
        for input in ["", "\n", "\n\n\n", " ", " \t \n\t\n \n"] {
            expect(lab.program().arg(command), input, "", &[]).await?;
        }
    }
    Ok(())
}
