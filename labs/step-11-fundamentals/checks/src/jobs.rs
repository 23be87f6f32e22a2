//! Task 7: several workers.

use std::num::NonZero;
use std::path::Path;
use std::time::Instant;

use lab_kit::ProgramBuilder;
use lab_kit::prelude::*;
use lab_kit::rand::RngExt as _;

use crate::model::{self, Command};
use crate::random::{Style, random_order};
use crate::support::{Order, expect_as_model, expect_outcome, write_file};

/// How many lines are worked on by several.
const LINES: usize = 3_000;
/// The file that they share, which a failure names too.
const FILE: &str = "orders.ndjson";
/// How many bytes of orders two workers share at first, and at most.
const FIRST_SIZE: usize = 4_000_000;
const LARGEST: usize = 32_000_000;
/// A run that is shorter says little.
const LONG_ENOUGH: Duration = Duration::from_millis(700);
/// Of how many runs each the shortest times are taken, at least and at most.
const FEWEST_ROUNDS: usize = 3;
const ROUNDS: usize = 8;
/// How far apart two looks at a run's threads are.
const GLANCE: Duration = Duration::from_millis(5);
/// Of how many looks an average says something.
const FEWEST_LOOKS: u32 = 20;
/// How much processor time a run takes that is looked at, at least. On a busy machine a fast program is done with a small
/// file after a few turns of the scheduler, and what is seen in those is chance.
const ENOUGH_WORK: Duration = Duration::from_millis(400);
/// How many times as many threads work with two workers as with one, at least; it would be two if nothing else had to be
/// done. Two that take turns come to 1.3 where the machine is busy: one was interrupted before it could wait for the other.
/// Two that hand on pieces come to 1.6 there: woken for the next piece, one waits for a processor and is not seen at work.
const MORE_THREADS: f64 = 1.45;
/// How long one thread and two are compared.
const COMPARING: Duration = Duration::from_millis(200);
/// How long two may take, in percent of what one takes.
const PERCENT: u32 = 80;
/// How long one run may take.
const WITHIN: Duration = Duration::from_secs(30);

/// What a program writes must not depend on which of its workers was first (README, task 7).
#[check(title = "any number of workers writes the same bytes", task = 7, points = 3,
        needs = ["bad_line", "report_sums", "report_times", "round_trips"], limit = 200,
        hints = ["Which worker writes first: the one that was given its lines first, or the one that is done first?",
                 "The messages on standard error have an order, too.",
                 "Number what you hand out, and put it in order again before it is written."])]
async fn jobs_bytes(lab: &Lab) -> CheckResult {
    let mut input = Vec::new();
    for number in 0..LINES {
        // Now and then a line that somebody works on for long, so that those behind it are done first.
        let length = if number % 500 == 0 { 100_000 } else { lab.random(|random| random.random_range(0..4)) };
        match lab.random(|random| random.random_range(0..8)) {
            0 => input.extend(format!("{}\n", lab.word()).into_bytes()),
            1 => input.push(b'\n'),
            2 => input.extend(b"{\"id\":\"\xff\"}\n"),
            _ if length > 4 => input.extend(
                Order::new(lab).note(&format!("[{}0]", "{\"b\":1,\"a\":[]},".repeat(length / 15))).line().into_bytes(),
            ),
            _ => input.extend((random_order(lab, Style::FewEvents).written + "\n").into_bytes()),
        }
    }
    for (name, command) in [("import", Command::Import), ("report", Command::Report)] {
        let model = model::right(command, &input);
        let mut told: Option<String> = None;
        for jobs in ["1", "2", "7"] {
            let done = lab.program().args([name, "--jobs", jobs]).within(WITHIN).input(input.clone()).run().await?;
            expect_as_model(&done, &model).because(&format!("--jobs {jobs} changes nothing about what is written"))?;
            let errors = done.errors();
            if let Some(told) = told.filter(|told| *told != errors) {
                let differs = told.lines().zip(errors.lines()).find(|(one, other)| one != other);
                let (one, other) = differs.unwrap_or((&told, &errors));
                return Err(done
                    .failure(format!("at --jobs {jobs} standard error is not what it is at --jobs 1"))
                    .expected(one)
                    .actual(other));
            }
            told = Some(errors);
        }
    }
    Ok(())
}

/// Workers that wait for each other are one worker (Amdahl, 1967; README, task 7).
#[check(title = "two workers are faster than one", task = 7, points = 4, needs = ["jobs_bytes"], alone, limit = 300,
        hints = ["Which part of the work does each worker do alone, and for which does it have to wait?",
                 "What is under your lock: the handing out of lines, or the parsing of them?",
                 "Hand out many lines at a time: a lock and a wake-up for each line cost more than the line.",
                 "Only the reading of bytes and the writing have to be done by one."])]
async fn jobs_faster(lab: &Lab) -> CheckResult {
    if std::thread::available_parallelism().is_ok_and(|count| count == NonZero::<usize>::MIN) {
        return Err(Failure::not_applicable("this machine has one processor"));
    }
    let folder = lab.folder()?;
    let file = folder.join(FILE);
    let mut size = FIRST_SIZE;
    let output = loop {
        let (input, output) = work(lab, size);
        write_file(&file, input.as_bytes())?;
        let took = timed(lab, &folder, "1", &output).await?;
        if took >= LONG_ENOUGH || size >= LARGEST {
            break output;
        }
        size *= 2;
    };
    let (mut one, mut two) = (Duration::MAX, Duration::MAX);
    let mut rounds = 0;
    while rounds < ROUNDS && (rounds < FEWEST_ROUNDS || two > one * PERCENT / 100) {
        // What was measured before others came counts no more: it may be the one run that had luck.
        if !two_processors_are_free().await? {
            return work_at_once(lab, &folder, size, output).await;
        }
        one = one.min(timed(lab, &folder, "1", &output).await?);
        two = two.min(timed(lab, &folder, "2", &output).await?);
        rounds += 1;
    }
    if !two_processors_are_free().await? {
        return work_at_once(lab, &folder, size, output).await;
    }
    if two <= one * PERCENT / 100 {
        return Ok(());
    }
    let (most, one, two) = ((one * PERCENT / 100).as_millis(), one.as_millis(), two.as_millis());
    Err(not_faster(&format!("two workers are hardly faster than one: a file of {size} bytes"))
        .expected(format!("at most {most} ms with --jobs 2: 0.8 of what --jobs 1 took"))
        .actual(format!("{two} ms with --jobs 2, {one} ms with --jobs 1: the shortest of {rounds} runs each")))
}

fn not_faster(message: &str) -> Failure {
    Failure::learner(message).sent("$ import --jobs 2 orders.ndjson").by_time()
}

/// On a machine that others keep busy, two workers are no faster than one, and times tell nothing. What is left to see is
/// whether both work at once, and whether what they do is the work: who waits for a lock does not work, and who asks for it
/// again and again uses a processor for nothing.
async fn work_at_once(lab: &Lab, folder: &Path, mut size: usize, mut output: String) -> CheckResult {
    loop {
        let mut alone = Looks::default();
        look(lab, folder, "1", &output, &mut alone).await?;
        // Where the system does not tell, more of it tells no more.
        if alone.looks == 0 || alone.processor >= ENOUGH_WORK || size >= LARGEST {
            break;
        }
        size *= 2;
        let (input, expected) = work(lab, size);
        write_file(&folder.join(FILE), input.as_bytes())?;
        output = expected;
    }
    let (mut one, mut two) = (Looks::default(), Looks::default());
    for _ in 0..FEWEST_ROUNDS {
        look(lab, folder, "1", &output, &mut one).await?;
        look(lab, folder, "2", &output, &mut two).await?;
    }
    let (Some(alone), Some(together)) = (one.average(), two.average()) else {
        return Err(Failure::not_applicable("this machine is too busy to tell"));
    };
    if together < alone * MORE_THREADS {
        return Err(not_faster("two workers hardly ever work at the same time")
            .expected(format!("{MORE_THREADS} times as many threads at work on average as with --jobs 1"))
            .actual(format!("{together:.2} threads with --jobs 2, {alone:.2} with --jobs 1")));
    }
    // What each would take on processors of its own.
    let (one_takes, two_take) = (one.processor.div_f64(alone), two.processor.div_f64(together));
    if two_take <= one_takes * PERCENT / 100 {
        return Ok(());
    }
    Err(not_faster("two workers use much more processor time than one for the same work")
        .expected("so little more that they are done in 0.8 of the time, each on a processor of its own")
        .actual(format!(
            "{} ms of processor time with --jobs 2, {} ms with --jobs 1: {FEWEST_ROUNDS} runs each",
            two.processor.as_millis(),
            one.processor.as_millis()
        )))
}

/// What was seen of runs at work.
#[derive(Debug, Default)]
struct Looks {
    looks: u32,
    threads: u32,
    /// What they have used together.
    processor: Duration,
}

impl Looks {
    /// How many threads worked at a time.
    fn average(&self) -> Option<f64> {
        (self.looks >= FEWEST_LOOKS).then(|| f64::from(self.threads) / f64::from(self.looks))
    }
}

/// Looks at a run again and again.
async fn look(lab: &Lab, folder: &Path, jobs: &str, output: &str, looks: &mut Looks) -> CheckResult {
    let mut running = import(lab, folder, jobs).start().await?;
    running.end_input();
    let mut processor = Duration::ZERO;
    while running.is_running() {
        // What is not there any more, or not yet, has no threads.
        if let Some(threads @ 1..) = running.working_threads() {
            looks.looks += 1;
            looks.threads += u32::try_from(threads).unwrap_or(u32::MAX);
        }
        processor = processor.max(running.processor_time().unwrap_or_default());
        tokio::time::sleep(GLANCE).await;
    }
    looks.processor += processor;
    // never fails alone: `jobs_bytes` asks the same of orders that are harder to get right
    expect_imported(&running.finish().await?, output)
}

/// Whether two threads of ours get more done than one, as they have to on a machine that nobody else keeps busy.
async fn two_processors_are_free() -> CheckResult<bool> {
    let compare = || {
        let alone = turns();
        let both: u64 = std::thread::scope(|scope| {
            let threads = [scope.spawn(turns), scope.spawn(turns)];
            threads.into_iter().filter_map(|thread| thread.join().ok()).sum()
        });
        both * 10 >= alone * 17
    };
    tokio::task::spawn_blocking(compare).await.ours("comparing one thread with two")
}

/// How often a loop of ours goes round in a while.
fn turns() -> u64 {
    let begun = Instant::now();
    let (mut turns, mut value) = (0, 1_u64);
    while begun.elapsed() < COMPARING {
        for _ in 0..1_000 {
            value = std::hint::black_box(value.wrapping_mul(6_364_136_223_846_793_005).rotate_left(17) ^ turns);
        }
        turns += 1;
    }
    turns
}

/// Orders of about `size` bytes that take work to read and not much to write, and what they come out as.
fn work(lab: &Lab, size: usize) -> (String, String) {
    let more = "{\"b\":[1,2.5,-3e7,true],\"a\":\"caf\\u00e9\",\"c\":{\"d\":null}},".repeat(30);
    let (mut input, mut output) = (String::with_capacity(size + (1 << 13)), String::new());
    while input.len() < size {
        let order = Order::new(lab);
        input += &format!("{{\"more\":[{more}0],{}\n", &order.text()[1..]);
        output += &order.canonical();
    }
    (input, output)
}

/// How long a run takes.
async fn timed(lab: &Lab, folder: &Path, jobs: &str, output: &str) -> CheckResult<Duration> {
    let done = import(lab, folder, jobs).run().await?;
    // never fails alone: `jobs_bytes` asks the same of orders that are harder to get right
    expect_imported(&done, output)?;
    Ok(done.took())
}

fn expect_imported(done: &Finished, output: &str) -> CheckResult {
    // never fails alone: `jobs_bytes` asks the same of orders that are harder to get right
    expect_outcome(done, output.as_bytes(), &[])
}

fn import<'a>(lab: &'a Lab, folder: &Path, jobs: &str) -> ProgramBuilder<'a> {
    lab.program().folder(folder).args(["import", "--jobs", jobs, FILE]).within(WITHIN)
}
