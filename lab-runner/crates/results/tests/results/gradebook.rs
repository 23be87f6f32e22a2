//! Gradebooks: from report folders, a roster and a policy to the tables that people and platforms read.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use lab_results::gradebook::{self, Book, Cell, Sources};
use serde_json::{Value, json};

/// A course that was graded: a folder with all that a gradebook is made of.
struct Course {
    _keep: tempfile::TempDir,
    root: Utf8PathBuf,
    sources: Sources,
}

/// One submission in a report folder.
struct Submission<'a> {
    name: &'a str,
    files: &'a str,
    /// None: grading failed for a reason of ours.
    score: Option<u32>,
    failed: &'a [&'a str],
}

fn submission<'a>(name: &'a str, files: &'a str, score: u32) -> Submission<'a> {
    Submission { name, files, score: Some(score), failed: &[] }
}

impl Course {
    fn new() -> Self {
        let keep = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::try_from(keep.path().canonicalize().unwrap()).unwrap();
        Self { _keep: keep, root, sources: Sources::default() }
    }

    /// Adds a report folder for `lab`, graded on `day` of November by `suite`.
    fn report(&mut self, folder: &str, lab: &str, day: u32, suite: &str, submissions: &[Submission<'_>]) -> &mut Self {
        let place = self.root.join(folder);
        for one in submissions {
            let to = place.join("submissions").join(one.name);
            fs::create_dir_all(&to).unwrap();
            fs::write(to.join("result.json"), result(lab, day, suite, one).to_string()).unwrap();
        }
        fs::write(place.join("grades.json"), grades(lab, suite, submissions).to_string()).unwrap();
        self.sources.reports.push(place);
        self
    }

    fn write(&self, name: &str, text: &str) -> Utf8PathBuf {
        let path = self.root.join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn roster(&mut self, text: &str) -> &mut Self {
        self.sources.roster = Some(self.write("roster.csv", text));
        self
    }

    fn policy(&mut self, text: &str) -> &mut Self {
        self.sources.policy = Some(self.write("policy.toml", text));
        self
    }

    fn submitted(&mut self, text: &str) -> &mut Self {
        self.sources.submitted = Some(self.write("submitted.csv", text));
        self
    }

    fn book(&self) -> Book {
        gradebook::make(&self.sources).unwrap()
    }

    fn refusal(&self) -> String {
        gradebook::make(&self.sources).unwrap_err().to_string()
    }

    /// Writes the gradebook and gives one of its files.
    fn file(&self, name: &str) -> String {
        let to = self.root.join("book");
        gradebook::write(&self.book(), &to).unwrap();
        read(&to, name)
    }
}

fn read(folder: &Utf8Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap()
}

fn result(lab: &str, day: u32, suite: &str, of: &Submission<'_>) -> Value {
    let check = |id: &&str| {
        json!({
            "id": id, "title": format!("it {id}"), "task": 1, "verdict": "failed", "points": 0, "max_points": 10,
            "skip_reason": null, "started_us": 1, "duration_ms": 1, "message": format!("expected `{}`, got 500", of.name),
            "sent": null, "received": null, "expected": null, "actual": null, "diff": [], "why": "", "source": "",
            "hint": null, "hints": [], "reproduce": null, "server_log": [], "held_out": false, "counted": true,
            "transcript": [],
        })
    };
    json!({
        "schema": "backend-labs/result/v1", "run_id": "r", "runner_version": "0.1.0", "lab": lab, "title": "Greeter",
        "submission": {"kind": "folder", "path": of.name, "sha256": of.files, "left_out": []}, "suite": {"sha256": suite},
        "seed": 7, "services": {}, "isolation": "bubblewrap",
        "outcome": if of.score.is_some() { "graded" } else { "infrastructure_error" },
        "score": of.score.unwrap_or_default(), "max_score": 100, "partial": false,
        "started_at": format!("2026-11-{day:02}T12:00:00Z"), "duration_ms": 3, "timings": {}, "diagnostics": null,
        "notes": [], "manifest_sha256": "22", "environment": {}, "expected": [], "checks": of.failed.iter().map(check).collect::<Vec<_>>(),
    })
}

fn grades(lab: &str, suite: &str, submissions: &[Submission<'_>]) -> Value {
    let graded = |one: &Submission<'_>| {
        json!({"name": one.name, "folder": one.name, "outcome": if one.score.is_some() { "graded" } else { "infrastructure_error" },
            "score": one.score, "max_score": one.score.map(|_| 100),
            "message": if one.score.is_some() { Value::Null } else { json!("the database did not start") },
            "sha256": one.files, "standing": {"how": "graded"}, "duration_ms": 5, "failed": []})
    };
    json!({
        "schema": "backend-labs/grades/v1", "lab": lab, "title": format!("Title of {lab}"), "runner_version": "0.1.0",
        "suite_sha256": suite, "seed": 7, "isolation": "bubblewrap", "duration_ms": 10, "checks": [],
        "submissions": submissions.iter().map(graded).collect::<Vec<_>>(),
    })
}

fn cell<'a>(book: &'a Book, learner: &str, place: usize) -> &'a Cell {
    &book.learners.iter().find(|row| row.learner == learner).unwrap().cells[place]
}

const DUE: &str = "[labs.tiny-1]\ndue = 2026-11-10T23:59:00Z\n";

#[test]
fn the_best_attempt_counts_and_the_last_one_where_the_policy_says_so() {
    let mut course = Course::new();
    course
        .report("one", "tiny-1", 1, "s", &[submission("ada", "a1", 80), submission("bob", "b1", 10)])
        .report("two", "tiny-1", 2, "s", &[submission("ada", "a2", 60)])
        .report("three", "tiny-2", 3, "s", &[submission("bob", "b2", 100)]);
    let book = course.book();
    assert_eq!((cell(&book, "ada", 0).points, cell(&book, "ada", 0).attempts), (Some(80.0), 2));
    assert_eq!((cell(&book, "ada", 1).points, cell(&book, "bob", 1).points), (None, Some(100.0)));
    course.policy("attempt = \"last\"");
    assert_eq!(cell(&course.book(), "ada", 0).points, Some(60.0));
    // Where it is known when something was handed in, the order of the folders says nothing.
    course.submitted(
        "submission,submitted_at,report\nada,2026-11-03T00:00:00Z,REPORT/one\nada,2026-11-02T00:00:00Z,REPORT/two\n"
            .replace("REPORT", course.root.as_str())
            .as_str(),
    );
    assert_eq!(cell(&course.book(), "ada", 0).points, Some(80.0));
}

#[test]
fn a_fault_of_ours_is_no_grade_and_takes_none_away() {
    let mut course = Course::new();
    let broken = |name, files| Submission { name, files, score: None, failed: &[] };
    course.report("one", "tiny-1", 1, "s", &[submission("ada", "a1", 70), broken("bob", "b1")]).report(
        "two",
        "tiny-1",
        2,
        "s",
        &[broken("ada", "a1")],
    );
    course.policy("attempt = \"last\"").roster("learner,name\nada,Ada L.\nbob,Bob\ncyd,Cyd\n");
    let book = course.book();
    assert_eq!(cell(&book, "ada", 0).points, Some(70.0));
    assert_eq!((cell(&book, "bob", 0).points, cell(&book, "cyd", 0).points), (None, None));
    assert_eq!(cell(&book, "bob", 0).notes, ["an attempt has no grade: the database did not start"]);
    assert_eq!(book.notes, ["tiny-1: handed in, and without a grade: bob"]);
    assert_eq!(
        course.file("gradebook.csv"),
        "learner,name,tiny-1,tiny-1 notes,total\nada,Ada L.,70,,70\n\
         bob,Bob,,an attempt has no grade: the database did not start,0\ncyd,Cyd,,,0\n"
    );
}

#[test]
fn the_same_files_graded_again_are_a_regrading_and_the_reason_is_told() {
    let mut course = Course::new();
    // The earlier grading may be named last: what counts is when it was graded.
    course.report("after", "tiny-1", 9, "new", &[submission("ada", "a1", 71)]).report(
        "before",
        "tiny-1",
        2,
        "old",
        &[submission("ada", "a1", 90)],
    );
    let book = course.book();
    let ada = cell(&book, "ada", 0);
    assert_eq!((ada.points, ada.attempts), (Some(71.0), 1));
    assert_eq!(ada.notes, ["regraded from 90/100 to 71/100: the suite has changed"]);
}

#[test]
fn late_days_cost_what_the_policy_says_and_free_ones_are_spent_first_on_what_is_due_first() {
    let mut course = Course::new();
    course
        .report(
            "one",
            "tiny-1",
            20,
            "s",
            &[submission("ada", "a", 80), submission("bob", "b", 80), submission("cyd", "c", 80)],
        )
        .report("two", "tiny-2", 20, "s", &[submission("ada", "d", 50)]);
    course.submitted(
        "submission,lab,submitted_at\nada,tiny-1,2026-11-12T23:00:00Z\nbob,tiny-1,2026-11-10T23:59:30Z\n\
         cyd,tiny-1,2026-11-14 12:00:00+00:00\nada,tiny-2,2026-11-06T12:00:00Z\n",
    );
    let terms = "[late]\npercent_per_day = 10\nlast_day = 3\nfree_days = 1\ngrace_minutes = 5\n";
    course.policy(&format!("{terms}{DUE}[labs.tiny-2]\ndue = \"2026-11-05T23:59:00Z\"\npoints = 20\n"));
    let book = course.book();
    let (first, second) = (cell(&book, "ada", 0), cell(&book, "ada", 1));
    assert_eq!((second.points, second.late_days, second.free_days), (Some(10.0), 1, 1));
    assert_eq!((first.points, first.late_days, first.free_days), (Some(60.0), 2, 0));
    assert_eq!(second.notes, ["1 day late, free of cost"]);
    assert_eq!(first.notes, ["2 days late: minus 20 % of the lab's points"]);
    assert_eq!((cell(&book, "bob", 0).points, cell(&book, "bob", 0).late_days), (Some(80.0), 0));
    assert_eq!((cell(&book, "cyd", 0).points, cell(&book, "cyd", 0).late_days), (Some(0.0), 4));
    assert_eq!(cell(&book, "cyd", 0).notes, ["4 days late: too late for points"]);
}

#[test]
fn an_earlier_attempt_in_time_beats_a_better_one_that_is_late() {
    let mut course = Course::new();
    course.report("one", "tiny-1", 9, "s", &[submission("ada", "a1", 75)]).report(
        "two",
        "tiny-1",
        12,
        "s",
        &[submission("ada", "a2", 90)],
    );
    let times =
        "submission,report,submitted_at\nada,REPORT/one,2026-11-09T00:00:00Z\nada,REPORT/two,2026-11-12T00:00:00Z\n";
    course.submitted(&times.replace("REPORT", course.root.as_str()));
    course.policy(&format!("[late]\npercent_per_day = 10\n{DUE}"));
    assert_eq!(cell(&course.book(), "ada", 0).points, Some(75.0));
    // With more time the later one counts.
    course.policy(&format!(
        "[late]\npercent_per_day = 10\n{DUE}[[extension]]\nlearner = \"ada\"\nlab = \"tiny-1\"\ndue = 2026-11-15T00:00:00Z\n"
    ));
    assert_eq!(cell(&course.book(), "ada", 0).points, Some(90.0));
}

#[test]
fn an_adjustment_counts_and_says_why() {
    let mut course = Course::new();
    course.report("one", "tiny-1", 1, "s", &[submission("ada", "a1", 40)]);
    course.roster("learner\nada\nbob\n").policy(
        "[[adjustment]]\nlearner = \"ada\"\nlab = \"tiny-1\"\npoints = 55.5\nreason = \"oral exam\"\n\
         [[adjustment]]\nlearner = \"bob\"\nlab = \"tiny-1\"\npoints = 20\nreason = \"handed in on paper\"\n",
    );
    let book = course.book();
    assert_eq!(cell(&book, "ada", 0).notes, ["adjusted from 40 to 55.5: oral exam"]);
    assert_eq!(
        (cell(&book, "bob", 0).points, &cell(&book, "bob", 0).notes[0][..18]),
        (Some(20.0), "adjusted from none")
    );
}

#[test]
fn canvas_gets_its_own_columns_back_with_a_row_of_possible_points() {
    let mut course = Course::new();
    course.report("one", "tiny-1", 1, "s", &[submission("ada7", "a1", 80), submission("mallory", "m", 100)]);
    course.roster(
        "\u{feff}Student,ID,SIS User ID,SIS Login ID,Section,Old (1)\n    Points Possible,,,,,10\n\
         \"Lovelace, Ada\",101,u1,ada7,A,5\n\"Babbage, Charles\",102,u2,cb,A,\n\"Student, Test\",103,,,A,\n",
    );
    course.policy("[labs.tiny-1]\ntitle = \"Greeter\"\ncanvas_id = 55\npoints = 10\n");
    assert_eq!(
        course.file("canvas.csv"),
        "Student,ID,SIS User ID,SIS Login ID,Section,Greeter (55)\n    Points Possible,,,,,10\n\
         \"Lovelace, Ada\",101,u1,ada7,A,8\n\"Babbage, Charles\",102,u2,cb,A,\n"
    );
    let book = course.book();
    assert_eq!(book.unknown, ["mallory"]);
    assert_eq!(book.notes, ["not in the roster, and in no platform's table: mallory"]);
}

#[test]
fn moodle_gets_one_key_column_and_nobody_it_does_not_know() {
    let mut course = Course::new();
    course.report("one", "tiny-1", 1, "s", &[submission("ada7", "a1", 80), submission("cyd", "c", 1)]);
    course
        .roster("Username,Full name,Email address\nada7,Ada,ada@example.org\nbob,Bob,bob@example.org\ncyd,Cyd,\n")
        .policy("moodle_key = \"Email address\"");
    assert_eq!(course.file("moodle.csv"), "Email address,Title of tiny-1\nada@example.org,80\nbob@example.org,-\n");
    course.policy("moodle_key = \"E-mail\"");
    let refused = gradebook::write(&course.book(), &course.root.join("book")).unwrap_err().to_string();
    assert!(refused.contains("no column `E-mail`"), "{refused}");
}

#[test]
fn what_learners_write_is_neither_formula_nor_markup_nor_control_sequence() {
    let mut course = Course::new();
    let name = "=cmd()<script>\u{1b}[2J";
    course.report("one", "tiny-1", 1, "s", &[Submission { failed: &["greets"], ..submission(name, "a1", 80) }]);
    let to = course.root.join("book");
    let files = gradebook::write(&course.book(), &to).unwrap();
    let told = course.book().text(&files);
    for text in [read(&to, "gradebook.csv"), read(&to, "gradebook.html"), told] {
        assert!(!text.contains('\u{1b}') && !text.contains("<script>\u{1b}") && !text.contains("\n=cmd"), "{text}");
    }
    assert!(!read(&to, "gradebook.html").contains("<script"));
}

#[test]
fn the_page_shows_what_stopped_the_cohort() {
    let mut course = Course::new();
    let failing = |name, files| Submission { failed: &["greets", "echoes"], ..submission(name, files, 30) };
    course.report("one", "tiny-1", 1, "s", &[failing("ada", "a"), failing("bob", "b"), submission("cyd", "c", 100)]);
    let page = course.file("gradebook.html");
    assert!(page.contains("3 of 3 have a grade; the median is 30 %"), "{page}");
    assert!(page.contains("<code>greets</code>") && page.contains(" (2 times)"), "{page}");
    assert!(
        course.book().text(&[]).starts_with("tiny-1  3 of 3 have a grade, median 30 %, most often stopped by greets\n")
    );
}

#[test]
fn mistakes_in_the_files_are_refused_with_their_place() {
    let cases: [(&str, &str, &str, &str); 9] = [
        ("learner\nada\nada\n", "", "", "has `ada` twice in its column `learner`"),
        ("who\nada\n", "", "", "no column is known to name submissions; --key says which of `who` does"),
        ("", "atempt = \"last\"", "", "unknown field `atempt`"),
        ("", "[labs.tiny-1]\ndue = 2026-11-10\n", "", "`2026-11-10` is no date and time with an offset"),
        ("", "[late]\npercent_per_day = 110\n", "", "not between 0 and 100"),
        (
            "",
            "[[adjustment]]\nlearner = \"ada\"\nlab = \"tiny-9\"\npoints = 1\nreason = \"x\"\n",
            "",
            "the lab `tiny-9`",
        ),
        ("", "[[adjustment]]\nlearner = \"adda\"\nlab = \"tiny-1\"\npoints = 1\nreason = \"x\"\n", "", "names `adda`"),
        ("", "", "submission,submitted_at\nada,yesterday\n", "submitted.csv:2: `yesterday` is no date and time"),
        ("", "", "name,time\nada,now\n", "needs the columns `submission` and `submitted_at`"),
    ];
    for (roster, policy, submitted, reason) in cases {
        let mut course = Course::new();
        course.report("one", "tiny-1", 1, "s", &[submission("ada", "a1", 80)]);
        if !roster.is_empty() {
            course.roster(roster);
        }
        if !policy.is_empty() {
            course.policy(policy);
        }
        if !submitted.is_empty() {
            course.submitted(submitted);
        }
        let refused = course.refusal();
        assert!(refused.contains(reason), "{refused}");
    }
}
