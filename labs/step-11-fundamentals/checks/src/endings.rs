//! Task 8: how a run ends.

use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use lab_kit::Running;
use lab_kit::prelude::*;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until};

use crate::support::{COMMANDS, Order, expect_bad_lines, expect_outcome, expect_unable, names_in, write_file};

/// How long a program may go on when nobody reads its output.
const GONE: Duration = Duration::from_secs(5);
/// How long a program may run that is killed in the middle.
const WITHIN: Duration = Duration::from_secs(20);
/// How many orders a file has that takes a while to write.
const MANY: usize = 6_000;
/// How often a program is killed.
const KILLS: u32 = 10;
/// What was in the output's place before.
const OLD: &str = "what was there before\n";

/// In `boxoffice import | head -1` nothing has gone wrong (pipe(7), EPIPE; README, task 8).
#[check(title = "who has no reader any more ends, and says nothing", task = 8, points = 3, needs = ["bad_line"],
        hints = ["What does a write come to when nobody is left who could read it, and what does your program do about it?",
                 "Which of your language's print functions crash where a write fails?",
                 "That error is an end like any other: no message, and no more reading."])]
async fn closed_output(lab: &Lab) -> CheckResult {
    for jobs in ["1", "2"] {
        let program = lab.program().args(["import", "--jobs", jobs]).without_reading();
        let mut running = program.within(WITHIN).start().await?;
        let orders: Vec<u8> = (0..200).flat_map(|_| Order::new(lab).line().into_bytes()).collect();
        running.send(&orders[..orders.len() / 2]).await?;
        running.close_output();
        let deadline = Instant::now() + GONE;
        while running.is_running() && Instant::now() < deadline {
            running.send_up_to(&orders, Duration::from_millis(100)).await?;
        }
        if running.is_running() {
            return Err(running
                .failure("the program goes on reading its input though nobody reads its output any more")
                .expected("it ends within 5 seconds")
                .actual("it still runs")
                .by_time());
        }
        expect_quiet_end(&running.finish().await?)?;
    }
    for command in COMMANDS {
        let mut running = lab.program().arg(command).without_reading().start().await?;
        running.close_output();
        // One that watches its output has noticed already, and reads no more.
        running.send_up_to(Order::new(lab).line().as_bytes(), GONE).await?;
        running.end_input();
        expect_quiet_end(&running.finish().await?)?;
    }
    Ok(())
}

fn expect_quiet_end(done: &Finished) -> CheckResult {
    done.expect_quiet().because("that nobody reads the output any more is no error").map(drop)
}

/// Ctrl-C is a wish to stop, and not to lose what has been done (signal(7), SIGINT; README, task 8).
#[check(title = "SIGINT ends the reading, and what was read is handled", task = 8, points = 4,
        needs = ["bad_line", "report_sums"],
        hints = ["What does your program do on SIGINT if it asks for nothing else, and what is lost?",
                 "While your program waits in a read, who tells it of the signal?",
                 "Wait for input and for the signal at once; then go the way that the end of the input goes."])]
async fn interrupt(lab: &Lab) -> CheckResult {
    for (command, jobs) in [("report", "1"), ("import", "1"), ("report", "2"), ("import", "2")] {
        let orders: Vec<_> = (0..800).map(|_| Order::new(lab)).collect();
        let lines: String = orders.iter().map(Order::line).collect();
        let canonical: String = orders.iter().map(Order::canonical).collect();
        let sums = "\"orders\":800,\"revenue\":\"20000.00\",\"seats\":1600";
        let (first, last) = ("\"first\":\"2026-03-01T19:00:00Z\"", "\"last\":\"2026-03-01T19:00:00Z\"");
        let report = format!("{{\"event\":\"Jazz Night\",{first},{last},{sums}}}\n");
        let output = if command == "import" { canonical } else { report };
        let half = Order::new(lab).text();
        // With a line behind it that has begun; with a bad line, which everything before it has been read when it is told of;
        // and with nothing.
        let inputs = [
            (format!("{lines}{half}"), &*output, None),
            (format!("{lines}x\n"), &*output, Some(801)),
            ("\n".into(), "", None),
        ];
        for (input, output, bad) in inputs {
            let mut running = lab.program().args([command, "--jobs", jobs]).start().await?;
            running.send(input.as_bytes()).await?;
            running.has_read_all().await?;
            if bad.is_some() {
                until_told(lab, &running).await?;
            }
            running.interrupt()?;
            let done = running.finish().await.hint("What is your program waiting for, once the signal has come?")?;
            done.expect_code(130)?;
            expect_bad_lines(&done, bad.as_slice())?;
            done.expect_output(output)?;
        }
    }
    Ok(())
}

async fn until_told(lab: &Lab, running: &Running) -> CheckResult {
    lab.eventually("a bad line is told of while the input is open", Duration::from_secs(10), || async {
        if running.errors().ends_with('\n') {
            return Ok(());
        }
        Err(running.failure("nothing is on standard error").expected("line 801: and a reason").actual(running.errors()))
    })
    .await
}

/// Who writes files has to leave them right: with what was there before, or with all that is new (rename(2); README, task 8).
#[check(title = "--output writes what standard output would have held", task = 8, points = 2, needs = ["bad_line", "report_overflow"],
        hints = ["When is the file opened, and what if it is the input as well?",
                 "Which runs of your program must not touch the file at all?",
                 "What is left in the folder besides the file?"])]
async fn output_file(lab: &Lab) -> CheckResult {
    let (one, two) = (Order::new(lab), Order::new(lab));
    let good = one.line() + &two.line();
    let with_bad = format!("x\n{good}");
    let canonical = one.canonical() + &two.canonical();
    let sums = "\"orders\":2,\"revenue\":\"50.00\",\"seats\":4";
    let times = "\"first\":\"2026-03-01T19:00:00Z\",\"last\":\"2026-03-01T19:00:00Z\"";
    let report = format!("{{\"event\":\"Jazz Night\",{times},{sums}}}\n");
    let long = format!("{OLD}{}", "x".repeat(100_000));
    for (command, output) in [("import", canonical.as_str()), ("report", &report)] {
        for (input, output, bad) in [(good.as_str(), output, &[][..]), (&with_bad, output, &[1]), ("", "", &[])] {
            for old in [None, Some(&*long), Some("")] {
                let site = Site::new(lab, old)?;
                let program = lab.program().folder(&site.folder).args([command, "--output", Site::NAME]);
                let done = program.input(input).run().await?;
                expect_outcome(&done, b"", bad)?;
                site.expect(&done, Some(output))?;
            }
            let site = Site::new(lab, Some(input))?;
            let program = lab.program().folder(&site.folder).args([command, Site::NAME, "--output", Site::NAME]);
            let done = program.run().await?;
            expect_outcome(&done, b"", bad).because("the output may take the place of the input")?;
            site.expect(&done, Some(output))?;
        }
    }
    unable(lab, &good).await
}

/// Runs that cannot do their work, or are told to stop.
async fn unable(lab: &Lab, good: &str) -> CheckResult {
    let large = Order::new(lab).seats(1).price("92233720368547758.07").line();
    let too_much = format!("{large}{good}");
    for old in [None, Some(OLD)] {
        let inputs = [
            (&["report", "--output", Site::NAME][..], too_much.as_str()),
            (&["import", "--output", Site::NAME, "no-such-file"], ""),
            (&["import", "--output", Site::NAME, "--nonsense"], good),
        ];
        for (arguments, input) in inputs {
            let site = Site::new(lab, old)?;
            let done = lab.program().folder(&site.folder).args(arguments.to_vec()).input(input).run().await?;
            expect_unable(&done)?;
            site.expect(&done, old)?;
        }
        for command in COMMANDS {
            let site = Site::new(lab, old)?;
            let program = lab.program().folder(&site.folder).args([command, "--output", Site::NAME]);
            let mut running = program.start().await?;
            running.send(good.as_bytes()).await?;
            running.has_read_all().await?;
            running.interrupt()?;
            let done = running.finish().await?;
            done.expect_code(130)?.expect_output("")?;
            site.expect(&done, old).because("a run that was interrupted has no result that is whole")?;
        }
    }
    for command in COMMANDS {
        let done = lab.program().args([command, "--output", "no-such-folder/out.ndjson"]).input(good).run().await?;
        expect_unable(&done)?;
    }
    Ok(())
}

/// A folder with the file that `--output` names.
struct Site {
    folder: PathBuf,
    file: PathBuf,
}

impl Site {
    const NAME: &str = "out.ndjson";

    fn new(lab: &Lab, old: Option<&str>) -> CheckResult<Self> {
        let folder = lab.folder()?;
        let file = folder.join(Self::NAME);
        if let Some(old) = old {
            write_file(&file, old.as_bytes())?;
        }
        Ok(Self { folder, file })
    }

    /// What the file holds, if it is there.
    fn content(&self) -> CheckResult<Option<Vec<u8>>> {
        match fs::read(&self.file) {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failure::ours("reading the output file", &error)),
        }
    }

    /// Expects that the file holds that, or is not there, and that nothing else is.
    fn expect(&self, done: &Finished, wanted: Option<&str>) -> CheckResult {
        let found = self.content()?;
        let shown = |content: Option<&[u8]>| content.map_or("no such file".into(), lab_kit::transcript::show_bytes);
        if found.as_deref() != wanted.map(str::as_bytes) {
            return Err(done
                .failure("the file that --output names does not hold what it should")
                .expected(shown(wanted.map(str::as_bytes)))
                .actual(shown(found.as_deref())));
        }
        let names = names_in(&self.folder)?;
        let others: Vec<_> = names.into_iter().filter(|name| name != Self::NAME).collect();
        if others.is_empty() {
            return Ok(());
        }
        Err(done
            .failure("a file stays behind beside the one that --output names")
            .expected("no other file")
            .actual(others.join(", ")))
    }
}

/// SIGKILL and a power cut ask nobody: what a file holds at that moment is what stays (rename(2), fsync(2); README, task 8).
#[check(title = "a run that is killed leaves the old file or the new", task = 8, points = 4, needs = ["bad_line"], limit = 120,
        hints = ["From which moment on is the old content gone, and from which is all of the new there?",
                 "Who opens the file between these two moments, what do they find?",
                 "Write beside it, and let the file system put the new file in the old one's place in one step."])]
async fn kill(lab: &Lab) -> CheckResult {
    let orders: Vec<_> =
        (0..MANY).map(|number| Order::new(lab).note(&format!("[{number},\"{}\"]", "x".repeat(300)))).collect();
    let input: String = orders.iter().map(Order::line).collect();
    let new: String = orders.iter().map(Order::canonical).collect();
    killed_while_it_reads(lab, &input).await?;
    let took = finished(lab, &input, &new).await?;
    for part in 0..KILLS {
        killed(lab, &input, &new, When::After(took * part / (KILLS - 1))).await?;
        killed(lab, &input, &new, When::Seen).await?;
    }
    Ok(())
}

fn import<'a>(lab: &'a Lab, site: &Site, input: &str) -> CheckResult<lab_kit::ProgramBuilder<'a>> {
    write_file(&site.folder.join("in.ndjson"), input.as_bytes())?;
    let program = lab.program().folder(&site.folder).within(WITHIN);
    Ok(program.args(["import", "--output", Site::NAME, "in.ndjson"]))
}

/// Kills a program that waits for more input.
async fn killed_while_it_reads(lab: &Lab, input: &str) -> CheckResult {
    let site = Site::new(lab, Some(OLD))?;
    let mut running =
        lab.program().folder(&site.folder).args(["import", "--output", Site::NAME]).within(WITHIN).start().await?;
    running.send(input.as_bytes()).await?;
    running.has_read_all().await?;
    running.kill().await?;
    expect_old_or(&running, &site, None)?;
    // What it has left behind is in nobody's way.
    let order = Order::new(lab);
    let done =
        lab.program().folder(&site.folder).args(["import", "--output", Site::NAME]).input(order.line()).run().await?;
    expect_outcome(&done, b"", &[])
        .because("the run before this was killed, and its temporary file may be there still")?;
    expect_old_or(&running, &site, Some(&order.canonical()))
}

/// Has a run come to its end: who has had the old file open all the time still has the old content. Tells how long it took.
async fn finished(lab: &Lab, input: &str, new: &str) -> CheckResult<Duration> {
    let site = Site::new(lab, Some(OLD))?;
    let mut before = File::open(&site.file).ours("opening the old file")?;
    let done = import(lab, &site, input)?.run().await?;
    // never fails alone: `output_file` asks the same of a few orders, and `memory` asks for many
    expect_outcome(&done, b"", &[])?;
    let mut kept = Vec::new();
    before.read_to_end(&mut kept).ours("reading the old file")?;
    if kept != OLD.as_bytes() {
        return Err(done
            .failure("the program writes into the old file: killed meanwhile, it would leave neither the old content nor the new")
            .expected("a new file in the place of the old one, whose own bytes do not change")
            .actual(format!("the old file's bytes have become {} others", kept.len())));
    }
    if site.content()?.as_deref() != Some(new.as_bytes()) {
        return Err(done.failure("the file that --output names does not hold what it should"));
    }
    Ok(done.took())
}

/// When a program is killed.
enum When {
    /// That long after its start.
    After(Duration),
    /// At the moment at which something about the file is another.
    Seen,
}

async fn killed(lab: &Lab, input: &str, new: &str, when: When) -> CheckResult {
    let site = Site::new(lab, Some(OLD))?;
    let before = looks(&site.file)?;
    let mut running = import(lab, &site, input)?.start().await?;
    match when {
        When::After(time) => sleep_until(Instant::now() + time).await,
        When::Seen => {
            let deadline = Instant::now() + WITHIN;
            while looks(&site.file)? == before && running.is_running() && Instant::now() < deadline {
                yield_now().await;
            }
        }
    }
    // Before the kill as well: what is there is what it would have left.
    for is_killed in [false, true] {
        if is_killed {
            running.kill().await?;
        }
        expect_old_or(&running, &site, Some(new))?;
    }
    Ok(())
}

/// What tells one state of a file from another.
fn looks(file: &Path) -> CheckResult<Option<(u64, u64)>> {
    match fs::metadata(file) {
        Ok(metadata) => Ok(Some((metadata.ino(), metadata.len()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::ours("looking at the output file", &error)),
    }
}

/// Expects that the file holds the old content or `new`, if that may be there.
fn expect_old_or(running: &Running, site: &Site, new: Option<&str>) -> CheckResult {
    let found = site.content()?;
    let found = found.as_deref();
    if found == Some(OLD.as_bytes()) || (new.is_some() && found == new.map(str::as_bytes)) {
        return Ok(());
    }
    let new = new.map_or(String::new(), |new| format!(", or {} new ones", new.len()));
    Err(running
        .failure("the file that --output names holds neither the old content nor all of the new")
        .expected(format!("the {} old bytes{new}", OLD.len()))
        .actual(found.map_or("no such file".into(), |found| format!("{} bytes", found.len()))))
}
