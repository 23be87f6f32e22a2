//! Task 5: many merges at once.

use std::path::PathBuf;

use lab_kit::prelude::*;

use crate::queue::{TEST, files, parents, with_branches};
use crate::support::{History, Setup, lines, plain_text};

/// How long a check waits for what the host has to do by itself.
const SOON: Duration = Duration::from_secs(15);

/// Each of two branches is right alone, and together they are wrong: only who tests the second on top of the first sees it
/// (Bors, "Not rocket science").
#[check(title = "two branches that break together", task = 5, points = 3, needs = ["merge_tests"],
        hints = ["On which main was the second branch tested?",
                 "What has become of main while the test ran?",
                 "One merge at a time: the next one begins where the last one has left main."])]
async fn merge_together(lab: &Lab) -> CheckResult {
    let setup = Setup::new(lab)?.tested_by(TEST);
    // Slow enough that two that do not wait for each other run side by side.
    let script = "sleep 0.7\ntest -e one.txt && test -e two.txt && exit 1\nexit 0\n";
    let (host, tip) = with_branches(lab, setup, script, &["one", "two"]).await?;
    let answers = lab.burst(["one", "two"].map(|name| host.merge("demo", name))).await?;
    let mut statuses: Vec<u16> = answers.iter().map(Response::status).collect();
    statuses.sort_unstable();
    if statuses != [201, 422] {
        let failure = answers[0].failure("two branches that break together, asked for at once, are answered otherwise");
        return Err(failure.expected("201 for one and 422 for the other").actual(format!("{statuses:?}")));
    }
    let local = host.mirror("demo").await?;
    let main = host.main_of("demo").await?;
    expect_equal("main's first parent", &parents(&local, &main).await?.first(), &Some(&tip))?;
    let landed: Vec<_> = files(&local, &main)
        .await?
        .into_iter()
        .filter(|file| ["one.txt", "two.txt"].contains(&file.as_str()))
        .collect();
    let told = if answers[0].status() == 201 { "one.txt" } else { "two.txt" };
    expect_equal(
        "which of the two branches is in main, and which was answered with 201",
        &landed,
        &vec![told.to_owned()],
    )
}

/// Who waits in a queue is served in the end, and nobody's work is lost by the others' (README, task 5).
#[check(title = "a queue of five", task = 5, points = 2, needs = ["merge"],
        hints = ["What does the second request do while the first is tested: fail, wait, or overtake?",
                 "Each merge begins where the last one has left main."])]
async fn merge_queue(lab: &Lab) -> CheckResult {
    let setup = Setup::new(lab)?.tested_by(TEST);
    let names = ["b1", "b2", "b3", "b4", "b5"];
    let (host, tip) = with_branches(lab, setup, "sleep 0.1\n", &names).await?;
    let answers = lab.burst(names.map(|name| host.merge("demo", name))).await?;
    for answer in answers {
        answer.expect_status(201)?;
    }
    let local = host.mirror("demo").await?;
    let main = host.main_of("demo").await?;
    let list = files(&local, &main).await?;
    for name in names {
        let file = format!("{name}.txt");
        expect_that(list.contains(&file), format!("{name} was answered with 201, and {file} is not in main"))?;
    }
    let range = format!("{tip}..{main}");
    let count = local.own().args(["rev-list", "--count", "--first-parent", &range]).our_text().await?;
    expect_equal("main's merges after five of them at once", &count, &"5".to_owned())?;
    // never fails alone: git sets no ref to what is not whole
    host.expect_sound("demo").await
}

/// A test that waits until it is told to go on.
struct Gate(PathBuf);

impl Gate {
    fn new(lab: &Lab) -> CheckResult<Self> {
        Ok(Self(lab.folder()?))
    }

    /// What a test begins with.
    fn command(&self) -> String {
        let folder = self.0.display();
        format!(
            "echo x >> {folder}/begun; tries=0; while [ ! -e {folder}/go ] && [ $tries -lt 600 ]; do sleep 0.05; \
             tries=$((tries + 1)); done; {TEST}"
        )
    }

    /// How often the test was begun.
    fn begun(&self) -> usize {
        plain_text(&self.0, "begun").map_or(0, |text| text.lines().count())
    }

    async fn until_begun(&self, lab: &Lab) -> CheckResult {
        lab.eventually("the test of the merge is begun", SOON, || async {
            // never fails alone: `merge_tests` asks for what the test writes
            expect_that(self.begun() > 0, "TEST_COMMAND was not run")
        })
        .await
    }

    fn open(&self) -> CheckResult {
        match std::fs::File::create_new(self.0.join("go")) {
            // Nothing is written through what a submission has put there.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                // never fails alone: by mistake nobody makes a file of that name there
                Err(Failure::learner("the file that a test waits for is there already, and not by the grader"))
            }
            made => made.map(drop).ours("letting a test go on"),
        }
    }
}

/// Whoever pushes does not wait for anybody's tests, and a merge that was tested on another main was not tested (git-update-ref(1):
/// the old value is compared before the new one is set).
#[check(title = "main moves while a merge is tested", task = 5, points = 3, needs = ["merge_tests"],
        hints = ["Was what you set main to ever tested?",
                 "Is main still what it was when the test began? If not, begin again."])]
async fn merge_moved_main(lab: &Lab) -> CheckResult {
    for red in [false, true] {
        let gate = Gate::new(lab)?;
        let setup = Setup::new(lab)?.tested_by(&gate.command()).env("TEST_TIMEOUT_MS", "60000");
        let script = "test -e one.txt && test -e pushed.txt && test -e red.txt && exit 1\nexit 0\n";
        let (host, tip) = with_branches(lab, setup, script, &["one"]).await?;
        let local = host.mirror("demo").await?;
        let mut history = History::new(lab);
        let commit = history.from(&tip, "main").file("pushed.txt", lines(lab, 1));
        history.add(if red { commit.file("red.txt", lines(lab, 1)) } else { commit });
        let pushed = local.write(&history).await?.remove(0);
        let merging = async { host.merge("demo", "one").await };
        let moving = async {
            gate.until_begun(lab).await?;
            // A push that waited for the test would wait for ever.
            local.push(&["main"]).await?.expect_taken("a push to main while a merge is tested")?;
            gate.open()
        };
        let (answer, moved) = futures::join!(merging, moving);
        moved?;
        let main = host.main_of("demo").await?;
        if red {
            answer?.expect_status(422).because("with what was pushed meanwhile, the tests fail")?;
            expect_equal("main, where somebody has pushed to it while a merge was tested", &main, &pushed)?;
            continue;
        }
        answer?.expect_status(201)?;
        let local = host.mirror("demo").await?;
        let topic = host.refs("demo").await?["refs/heads/one"].clone();
        expect_equal(
            "the parents of a merge that was tested again",
            &parents(&local, &main).await?,
            &vec![pushed, topic],
        )?;
        expect_that(gate.begun() > 1, "main has moved while the test ran, and the new merge was not tested")?;
    }
    Ok(())
}

/// A setup with a repository called `other`, which has a branch `topic`.
async fn with_two(lab: &Lab) -> CheckResult<Setup<'_>> {
    let setup = Setup::new(lab)?;
    let mut history = History::new(lab);
    let commit = history.on("main").file("other.txt", lines(lab, 2));
    let first = history.add(commit);
    let topic = history.from(first, "topic").file("topic.txt", lines(lab, 2));
    history.add(topic);
    setup.repository("other", &history).await?;
    Ok(setup)
}

/// A queue for each repository: who has nothing to do with the others does not wait for them (README, task 5).
#[check(title = "another repository does not wait", task = 5, points = 1, needs = ["merge"],
        hints = ["What does your lock protect: one repository, or all of them?"])]
async fn merge_side_by_side(lab: &Lab) -> CheckResult {
    let gate = Gate::new(lab)?;
    let setup = with_two(lab).await?;
    let command = format!("if [ -e other.txt ]; then exit 0; fi; {}", gate.command());
    let setup = setup.tested_by(&command).env("TEST_TIMEOUT_MS", "60000");
    let (host, _) = with_branches(lab, setup, "exit 0\n", &["one"]).await?;
    let slow = async { host.merge("demo", "one").await };
    let quick = async {
        gate.until_begun(lab).await?;
        let answer = host.merge("other", "topic").within(Duration::from_secs(15)).await;
        gate.open()?;
        // never fails alone: who waits for the other test has no answer in fifteen seconds
        answer?.expect_status(201).because("another repository's merge is being tested")
    };
    let (slow, quick) = futures::join!(slow, quick);
    quick?;
    // never fails alone: `merge` asks the same
    slow?.expect_status(201)?;
    Ok(())
}
