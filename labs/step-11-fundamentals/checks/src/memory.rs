//! Task 6: much input, and how much memory it takes.

use lab_kit::prelude::*;
use lab_kit::{ProgramBuilder, Running, machine};
use tokio::time::{Instant, sleep};

use crate::support::{AT, COMMANDS, Order, expect_bad_lines, expect_outcome, quoted};

/// What a command may hold above what it holds with ten orders, in bytes.
const ABOVE: u64 = 32 << 20;
/// How much input there is, in bytes.
const MUCH: usize = 200_000_000;
/// How long a program may take for it.
const TWO_MINUTES: Duration = Duration::from_secs(120);
/// How much input a program may take while nobody reads its output, in bytes, with what lies in its pipe.
const TAKEN: usize = (16 << 20) + (1 << 20);
/// After how long a program that takes nothing is taken to wait.
const WAITS: Duration = Duration::from_secs(3);
/// For how long the memory of a program must not have grown until it counts as all that it needs.
const STEADY: Duration = Duration::from_millis(300);

/// Orders that are known by their numbers, so that nobody has to hold them.
pub struct Padded {
    /// What stands in a member that nobody knows.
    more: String,
    /// What stands in the note.
    note: String,
}

impl Padded {
    /// About how much is sent at once, in bytes.
    pub const BLOCK: usize = 1 << 20;
    /// How many events there are.
    const EVENTS: usize = 100;

    /// Orders with a note of `note` bytes and `more` bytes that `import` leaves out.
    pub fn new(lab: &Lab, note: usize, more: usize) -> Self {
        let words = |length: usize| {
            let text: String = (0..length / 15 + 1).map(|_| lab.word() + " ").collect();
            text[..length].to_owned()
        };
        Self { more: words(more), note: words(note) }
    }

    fn order(&self, number: usize) -> Order {
        let order = Order::with_id(&format!("o-{number}")).event(&format!("Event {:02}", number % Self::EVENTS));
        order.seats(1 + number % 9).price(&format!("{}.{:02}", number % 100, number % 90)).note(&quoted(&self.note))
    }

    fn line(&self, number: usize) -> String {
        format!("{{\"more\":\"{}\",{}\n", self.more, &self.order(number).text()[1..])
    }

    /// The orders from `number` on that make a block, and how many these are.
    pub fn block(&self, number: usize) -> (Vec<u8>, usize) {
        let mut block = String::with_capacity(Self::BLOCK + (1 << 13));
        let mut count = 0;
        while block.len() < Self::BLOCK {
            block += &self.line(number + count);
            count += 1;
        }
        (block.into_bytes(), count)
    }

    /// Expects that `import` has written the first `count` orders, and that all of them were good.
    fn expect_imported(&self, done: &Finished, count: usize) -> CheckResult {
        let mut rest = done.output();
        for number in 0..count {
            let wanted = self.order(number).canonical();
            let Some(behind) = rest.strip_prefix(wanted.as_bytes()) else {
                let got = &rest[..rest.len().min(wanted.len())];
                return Err(done
                    .failure(format!("line {} of the {count} that were to come is not what was expected", number + 1))
                    .expected(wanted)
                    .actual(lab_kit::transcript::show_bytes(got)));
            };
            rest = behind;
        }
        if !rest.is_empty() {
            let what = format!("the standard output goes on behind the {count} orders that were sent");
            return Err(done.failure(what).expected("nothing more").actual(lab_kit::transcript::show_bytes(rest)));
        }
        expect_bad_lines(done, &[])?;
        // never fails alone: `bad_line` asks the same, and both who call this need it
        done.expect_code(0).map(drop)
    }

    /// The report of the first `count` orders.
    fn report(count: usize) -> String {
        let event = |event: usize| {
            let (mut orders, mut cents, mut seats) = (0, 0, 0);
            for number in (event..count).step_by(Self::EVENTS) {
                orders += 1;
                seats += 1 + number % 9;
                cents += (1 + number % 9) * (number % 100 * 100 + number % 90);
            }
            let sums =
                format!("\"orders\":{orders},\"revenue\":\"{}.{:02}\",\"seats\":{seats}", cents / 100, cents % 100);
            format!("{{\"event\":\"Event {event:02}\",\"first\":\"{AT}\",\"last\":\"{AT}\",{sums}}}\n")
        };
        (0..Self::EVENTS.min(count)).map(event).collect()
    }
}

/// `program`, with its memory looked at where the system tells of it.
pub fn measured(program: ProgramBuilder<'_>) -> ProgramBuilder<'_> {
    if machine::tells_of_memory() { program.measured() } else { program }
}

/// What the program holds with ten orders, in bytes, once it has read them.
pub async fn baseline(lab: &Lab, arguments: &[&str]) -> CheckResult<u64> {
    if !machine::tells_of_memory() {
        return Ok(0);
    }
    let orders: String = (0..10).map(|_| Order::new(lab).line()).collect();
    let mut running = lab.program().args(arguments.iter().copied()).measured().start().await?;
    running.send(orders.as_bytes()).await?;
    running.has_read_all().await?;
    let (mut peak, mut since) = (0, Instant::now());
    while since.elapsed() < STEADY && running.is_running() {
        let now = running.peak_memory().unwrap_or_default();
        if now > peak {
            (peak, since) = (now, Instant::now());
        }
        sleep(Duration::from_millis(10)).await;
    }
    running.end_input();
    let done = running.finish().await?;
    // never fails alone: `bad_line` asks the same, and whatever measures memory needs it
    done.expect_code(0)?;
    let peak = done.peak_memory().unwrap_or(peak);
    lab.note(format!("with ten orders it holds {}", mebibytes(peak)));
    Ok(peak)
}

/// Expects that a program holds no more than it may above `base`.
pub fn expect_within(running: &Running, base: u64, what: &str) -> CheckResult {
    let Some(peak) = running.peak_memory() else { return Ok(()) };
    if peak <= base + ABOVE {
        return Ok(());
    }
    let (peak, base, most) = (mebibytes(peak), mebibytes(base), mebibytes(base + ABOVE));
    Err(running
        .failure(format!("{what} takes more memory than it may"))
        .expected(format!("at most {most}: {base}, which ten orders take, and 32 MiB"))
        .actual(format!("{peak} so far")))
}

fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}

/// What grows with the input ends with the machine's memory: at night, with the largest file of the year (CWE-400; README, task 6).
#[check(title = "200 MB need no more memory than ten orders and 32 MiB", task = 6, points = 4, needs = ["bad_line", "report_sums"],
        limit = 300,
        hints = ["What does your program still hold of an order that it has handled?",
                 "Is there a call that reads all of the input, or a list of all lines?",
                 "Read a piece, handle its lines, write, and use the same memory for the next piece."])]
async fn memory(lab: &Lab) -> CheckResult {
    if !machine::tells_of_memory() {
        return Err(Failure::not_applicable("this system does not tell how much memory a program holds"));
    }
    let orders = Padded::new(lab, 500, 2_000);
    for command in COMMANDS {
        let base = baseline(lab, &[command]).await?;
        let mut running = lab.program().arg(command).measured().within(TWO_MINUTES).start().await?;
        let (mut sent, mut count) = (0, 0);
        while sent < MUCH {
            let (block, lines) = orders.block(count);
            running.send(&block).await?;
            (sent, count) = (sent + block.len(), count + lines);
            expect_within(&running, base, &format!("`{command}`, with {} MB of its input sent,", sent / 1_000_000))?;
        }
        running.end_input();
        let done = running.finish().await?;
        expect_within(&running, base, &format!("`{command}` of {} MB", sent / 1_000_000))?;
        if command == "import" {
            orders.expect_imported(&done, count)?;
        } else {
            expect_outcome(&done, Padded::report(count).as_bytes(), &[])?;
        }
    }
    Ok(())
}

/// A writer that is faster than its reader has to wait, or what is in between piles up (pipe(7); Reactive Streams, back pressure).
#[check(title = "who reads slowly is waited for", task = 6, points = 3, needs = ["bad_line"], limit = 120,
        hints = ["Where in your program is what is read and not yet written, and how much of it can there be?",
                 "Does a write wait for the reader, and who waits for the write?",
                 "A channel needs a bound; and so does everything else that holds lines."])]
async fn slow_reader(lab: &Lab) -> CheckResult {
    let orders = Padded::new(lab, 2_000, 0);
    let mut block = Vec::new();
    let mut count = 0;
    while block.len() < TAKEN + Padded::BLOCK {
        let (more, lines) = orders.block(count);
        block.extend(more);
        count += lines;
    }
    for jobs in ["1", "4"] {
        let base = baseline(lab, &["import", "--jobs", jobs]).await?;
        let program = measured(lab.program().args(["import", "--jobs", jobs])).without_reading();
        let mut running = program.within(Duration::from_secs(40)).start().await?;
        let taken = running.send_up_to(&block, WAITS).await?;
        if taken > TAKEN {
            let what = format!("at --jobs {jobs}, the program goes on reading while nobody reads its output");
            return Err(running
                .failure(what)
                .expected("it takes at most 16 MiB of input, and then waits")
                .actual(format!("it has taken {taken} bytes, and not all were offered")));
        }
        expect_within(&running, base, "what was read and cannot be written yet")?;
        running.read_output();
        let end = block[taken..].iter().position(|byte| *byte == b'\n').map_or(block.len(), |place| taken + place + 1);
        running.send(&block[taken..end]).await?;
        running.end_input();
        let done = running.finish().await?;
        let lines = block[..end].iter().filter(|byte| **byte == b'\n').count();
        // never fails alone: who loses what waits to be written takes more input meanwhile, or has ended
        orders.expect_imported(&done, lines)?;
    }
    Ok(())
}
