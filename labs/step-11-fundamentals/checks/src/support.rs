//! What several checks share: orders as text, runs of the program, and what is expected of these.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use lab_kit::ProgramBuilder;
use lab_kit::prelude::*;

use crate::model::Outcome;

/// The commands that read orders.
pub const COMMANDS: [&str; 2] = ["import", "report"];
/// A time for orders of which it does not matter.
pub const AT: &str = "2026-03-01T19:00:00Z";

/// An order whose members are JSON texts in the canonical form.
#[derive(Debug, Clone)]
pub struct Order {
    pub id: String,
    pub event: String,
    pub seats: String,
    pub price: String,
    pub at: String,
    pub note: Option<String>,
}

impl Order {
    /// An order like any other.
    pub fn new(lab: &Lab) -> Self {
        Self::with_id(&lab.word())
    }

    /// The same with an id that is known.
    pub fn with_id(id: &str) -> Self {
        Self {
            id: quoted(id),
            event: quoted("Jazz Night"),
            seats: "2".into(),
            price: quoted("12.50"),
            at: quoted(AT),
            note: None,
        }
    }

    pub fn event(self, name: &str) -> Self {
        Self { event: quoted(name), ..self }
    }

    pub fn seats(self, seats: impl ToString) -> Self {
        Self { seats: seats.to_string(), ..self }
    }

    pub fn price(self, price: &str) -> Self {
        Self { price: quoted(price), ..self }
    }

    pub fn at(self, at: &str) -> Self {
        Self { at: quoted(at), ..self }
    }

    /// `note` is a JSON text.
    pub fn note(self, note: &str) -> Self {
        Self { note: Some(note.into()), ..self }
    }

    /// It in an order of members that is not the canonical one.
    pub fn text(&self) -> String {
        let note = self.note.as_ref().map(|note| format!(",\"note\":{note}")).unwrap_or_default();
        let Self { id, event, seats, price, at, .. } = self;
        format!("{{\"id\":{id},\"event\":{event},\"seats\":{seats},\"price\":{price},\"at\":{at}{note}}}")
    }

    /// It as a line.
    pub fn line(&self) -> String {
        self.text() + "\n"
    }

    /// The line that `import` writes.
    pub fn canonical(&self) -> String {
        let note = self.note.as_ref().map(|note| format!("\"note\":{note},")).unwrap_or_default();
        let Self { id, event, seats, price, at, .. } = self;
        format!("{{\"at\":{at},\"event\":{event},\"id\":{id},{note}\"price\":{price},\"seats\":{seats}}}\n")
    }
}

/// `text` as a JSON string, where it needs no escapes.
pub fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

/// Expects what `program`, run with `input`, has to write, tell and end with, if all goes well but for lines `bad`.
pub async fn expect(
    program: ProgramBuilder<'_>,
    input: impl Into<Vec<u8>>,
    output: &str,
    bad: &[usize],
) -> CheckResult {
    let done = program.input(input).run().await?;
    expect_outcome(&done, output.as_bytes(), bad)
}

/// The same of a run that has ended.
pub fn expect_outcome(done: &Finished, output: &[u8], bad: &[usize]) -> CheckResult {
    expect_bad_lines(done, bad)?;
    expect_text(done, output)?;
    done.expect_code(i32::from(!bad.is_empty())).map(drop)
}

/// Expects of a run what the model came to.
pub fn expect_as_model(done: &Finished, model: &Outcome) -> CheckResult {
    if model.code == 2 {
        // never fails alone: `report_overflow` asks the same of sums that are too much
        return expect_unable(done);
    }
    expect_outcome(done, &model.output, &model.bad)
}

/// Expects that the run could not do its work, and says so as it has to.
pub fn expect_unable(done: &Finished) -> CheckResult {
    done.expect_code(2)?;
    if done.errors().trim().is_empty() {
        return Err(done
            .failure("the program ended with exit code 2 and has not said why")
            .expected("a message on standard error")
            .actual("nothing on standard error"));
    }
    expect_text(done, b"")
}

/// Expects `output` on standard output; the first line that differs is named.
fn expect_text(done: &Finished, output: &[u8]) -> CheckResult {
    if done.output() == output {
        return Ok(());
    }
    let lines = |bytes: &[u8]| bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>();
    let (wanted, got) = (lines(output), lines(done.output()));
    let differs = wanted.iter().zip(&got).position(|(a, b)| a != b).unwrap_or(wanted.len().min(got.len()));
    let shown = |lines: &[Vec<u8>]| match lines.get(differs) {
        Some(line) => lab_kit::transcript::show_bytes(line),
        None => format!("nothing: there are {} lines", lines.len()),
    };
    Err(done
        .failure(format!("line {} of the standard output is not what was expected", differs + 1))
        .expected(shown(&wanted))
        .actual(shown(&got)))
}

/// Expects that the lines `bad`, and no others, are told on standard error.
pub fn expect_bad_lines(done: &Finished, bad: &[usize]) -> CheckResult {
    let told = told_lines(done)?;
    if told == bad {
        return Ok(());
    }
    Err(done
        .failure("the bad lines that were told on standard error are not those of the input")
        .expected(listed(bad))
        .actual(format!("{}\n{}", listed(&told), first_lines(&done.errors()))))
}

/// The numbers of the lines that were told on standard error, which holds nothing else.
pub fn told_lines(done: &Finished) -> CheckResult<Vec<usize>> {
    let errors = done.errors();
    let number = |line: &str| {
        let (number, reason) = line.strip_prefix("line ")?.split_once(": ")?;
        let number = number.parse().ok()?;
        (!reason.trim().is_empty()).then_some(number)
    };
    let read = |line: &str| {
        number(line).ok_or_else(|| {
            done.failure("a line on standard error does not tell of a bad line")
                .expected("line N: and a reason")
                .actual(lab_kit::transcript::show_bytes(line.as_bytes()))
        })
    };
    errors.lines().map(read).collect()
}

fn listed(lines: &[usize]) -> String {
    const MOST: usize = 20;
    match lines {
        [] => "no bad line".into(),
        [one] => format!("line {one}"),
        lines => {
            let numbers: Vec<String> = lines.iter().take(MOST).map(ToString::to_string).collect();
            let more = if lines.len() > MOST { format!(" and {} more", lines.len() - MOST) } else { String::new() };
            format!("lines {}{more}", numbers.join(", "))
        }
    }
}

fn first_lines(text: &str) -> String {
    text.lines().take(10).collect::<Vec<_>>().join("\n")
}

/// What the verdict on a line has to be.
pub enum Judged {
    /// A good line, which `import` writes like this.
    Good(String),
    /// A bad line.
    Bad,
}

/// Has `import` judge lines, which come without their ends. What is judged otherwise is asked again alone, so that the
/// report shows that line.
pub async fn expect_judged(lab: &Lab, lines: &[(Vec<u8>, Judged)]) -> CheckResult {
    let Err(failure) = judge(lab, lines).await else { return Ok(()) };
    for line in lines {
        judge(lab, std::slice::from_ref(line)).await?;
    }
    Err(failure)
}

async fn judge(lab: &Lab, lines: &[(Vec<u8>, Judged)]) -> CheckResult {
    let input: Vec<u8> = lines.iter().flat_map(|(line, _)| [line, &b"\n"[..]].concat()).collect();
    let bad: Vec<usize> =
        lines.iter().enumerate().filter(|(_, (_, judged))| matches!(judged, Judged::Bad)).map(|(i, _)| i + 1).collect();
    let good = lines.iter().filter_map(|(_, judged)| match judged {
        Judged::Good(line) => Some(line.as_str()),
        Judged::Bad => None,
    });
    expect(lab.program().arg("import"), input, &good.collect::<String>(), &bad).await
}

/// The line of an order, and that it is a good one.
pub fn good(order: &Order) -> (Vec<u8>, Judged) {
    (order.text().into_bytes(), Judged::Good(order.canonical()))
}

/// A line that is a bad one.
pub fn bad(line: impl Into<Vec<u8>>) -> (Vec<u8>, Judged) {
    (line.into(), Judged::Bad)
}

/// Writes a file that the program may replace, whoever it runs as.
pub fn write_file(path: &Path, content: &[u8]) -> CheckResult {
    fs::write(path, content).ours("writing a file")?;
    fs::set_permissions(path, Permissions::from_mode(0o666)).ours("giving the program access to a file")
}

/// The names in a folder, sorted.
pub fn names_in(folder: &Path) -> CheckResult<Vec<String>> {
    let entries = fs::read_dir(folder).ours("listing a folder")?;
    let mut names: Vec<_> = entries.flatten().map(|entry| entry.file_name().display().to_string()).collect();
    names.sort();
    Ok(names)
}
