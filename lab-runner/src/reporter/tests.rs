//! Every line that a reporter can print, for every kind of event.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::DateTime;
use lab_protocol::{
    Asked, CheckInfo, Difference, Exchange, Happening, Held, SkipReason, Stamp, TranscriptEntry, Verdict,
};
use lab_services::{DoctorReport, DownReport, Fact, Finding, LabNeeds, Provider, ServiceId, State};

use super::live::words::Words;
use super::{Human, human, json, to_junit};
use crate::audit::{AuditReport, Expectations, LabAudit, MutantResult, Problem, Unproven};
use crate::bench::{Bench, Edits, OneByOne, Waited};
use crate::course::RoadmapStep;
use crate::engine::OwnTests;
use crate::events::{CreatedCourse, CreatedLab, EventKind, LabOverview, MutantProof, MutantRefresh, RunEvent};
use crate::guide::{LabGuide, Todo};
use crate::learner::compare::{FileDifference, Line, Place, Side};
use crate::learner::logs::{CheckLog, LogLine, RunLog};
use crate::learner::next::{NextStep, NextTask};
use crate::learner::reset::{Change, What};
use crate::learner::starter::Origin;
use crate::learner_kit::{Exported, KitChange, Updated};
use crate::report::{
    Check, Diagnostics, Outcome, Report, SCHEMA, Submission, SubmissionKind, SuiteIdentity, Timings, UsedService,
};
use crate::similarity::ForJplag;
use crate::state::LabProgress;
use crate::submission::mutant::Refreshed;

fn stamp(us: u64) -> Stamp {
    Stamp { wall: DateTime::from_timestamp(1_800_000_000, 0).unwrap(), us }
}

pub(super) fn event(kind: EventKind) -> RunEvent {
    RunEvent { at: stamp(1_500_000), check: None, kind }
}

pub(super) fn of_check(check: &str, kind: EventKind) -> RunEvent {
    RunEvent { check: Some(check.to_owned()), ..event(kind) }
}

pub(super) fn info(id: &str, task: u32) -> CheckInfo {
    CheckInfo {
        id: id.to_owned(),
        title: format!("the title of {id}"),
        task,
        points: 10 * task,
        needs: Vec::new(),
        why: format!("why {id} is asked for"),
        source: "RFC 9110, 15.5.5".into(),
        hints: vec!["a vague hint".into(), "a plain hint".into()],
        held_out: false,
        alone: false,
        limit_seconds: None,
    }
}

pub(super) fn check(id: &str, task: u32, verdict: Verdict) -> Check {
    Check {
        verdict,
        started_us: Some(1_000_000),
        duration_ms: 120,
        message: None,
        points: if verdict == Verdict::Passed { 10 * task } else { 0 },
        ..Check::unreported(&info(id, task))
    }
}

pub(super) fn failed() -> Check {
    Check {
        message: Some("expected status 404, got 200".into()),
        sent: Some("GET /nothing HTTP/1.1\\r\nhost: lab\\r\n\\r\n".into()),
        received: Some("HTTP/1.1 200 OK\\r\ncontent-length: 2\\r\n\\r\nok".into()),
        expected: Some("404".into()),
        actual: Some("200".into()),
        diff: vec![
            Difference { place: "status".into(), expected: "404".into(), actual: "200".into() },
            Difference { place: "/code".into(), expected: "\"gone\"".into(), actual: "nothing".into() },
        ],
        hint: Some("a vague hint".into()),
        hints: vec!["a vague hint".into(), "a plain hint".into()],
        reproduce: Some("curl -i http://127.0.0.1:8080/nothing".into()),
        server_log: vec!["listening on 8080".into(), "GET /nothing".into()],
        ..check("missing", 1, Verdict::Failed)
    }
}

fn skipped(id: &str, reason: SkipReason) -> Check {
    Check { skip_reason: Some(reason), started_us: None, ..check(id, 2, Verdict::Skipped) }
}

fn all_verdicts() -> Vec<Check> {
    vec![
        check("greets", 1, Verdict::Passed),
        failed(),
        Check { message: Some("not finished within 10 s".into()), ..check("slow", 1, Verdict::TimedOut) },
        Check { message: Some("Postgres is gone".into()), ..check("ours", 2, Verdict::Error) },
        skipped("needy", SkipReason::NeedsFailed { check: "missing".into() }),
        skipped("elsewhere", SkipReason::NotApplicable { message: "it restarts the server".into() }),
    ]
}

pub(super) fn report(outcome: Outcome, diagnostics: Option<Diagnostics>, checks: Vec<Check>) -> Report {
    let max_score = checks.iter().map(|check| check.max_points).sum();
    Report {
        schema: SCHEMA.into(),
        run_id: "20270115T080000Z-0".into(),
        runner_version: "0.1.0".into(),
        lab: "tiny-1".into(),
        title: "Greeter".into(),
        lab_version: Some(1),
        submission: Submission {
            kind: SubmissionKind::WorkingTree,
            path: "labs/tiny-1-greeter".into(),
            commit: None,
            sha256: Some("00".into()),
            left_out: vec!["build.rs".into()],
        },
        suite: SuiteIdentity { sha256: Some("11".into()) },
        seed: 7,
        services: BTreeMap::from([(
            "postgres".into(),
            UsedService { provider: "native".into(), version: Some("PostgreSQL 15.12".into()) },
        )]),
        isolation: "none".into(),
        outcome,
        score: checks.iter().map(|check| check.points).sum(),
        max_score,
        partial: false,
        started_at: stamp(0).wall,
        duration_ms: 3_200,
        timings: Timings::default(),
        diagnostics,
        notes: vec!["2 lines were ignored".into()],
        manifest_sha256: None,
        environment: BTreeMap::new(),
        expected: Vec::new(),
        checks,
    }
}

/// The way through a lab of ten tasks, of which the first three were asked.
pub(super) fn guide() -> LabGuide {
    let ids = ["greets", "missing", "slow"];
    let mut checks: Vec<CheckInfo> = ids.iter().map(|id| info(id, 1)).collect();
    checks.extend((2..=10).map(|task| info(&format!("later_{task}"), task)));
    let titles = (1..=10).map(|task| (task, format!("a title of {task} in a few words")));
    LabGuide {
        checks,
        titles: titles.collect(),
        todos: vec![Todo { task: 1, path: "src/routes.rs".into(), line: 12, text: String::new() }],
        learned: Some("a greeter that answers whoever speaks to it, whatever they say and however they say it.".into()),
        next_lab: Some("tiny-2".into()),
        later_not_asked: true,
        ..LabGuide::default()
    }
}

pub(super) fn diagnostics(message: &str) -> Option<Diagnostics> {
    Some(Diagnostics {
        message: message.into(),
        details: vec!["the first detail".into(), "the second detail".into()],
        omitted: 2,
        hints: vec!["what may help".into()],
        coloured: Vec::new(),
    })
}

fn reports() -> Vec<(&'static str, Report)> {
    let passed = vec![check("greets", 1, Verdict::Passed)];
    vec![
        ("every verdict", report(Outcome::InfrastructureError, diagnostics("Postgres is gone"), all_verdicts())),
        ("a failure", report(Outcome::Graded, None, vec![check("greets", 1, Verdict::Passed), failed()])),
        ("all passed", report(Outcome::Graded, None, passed.clone())),
        ("some asked for", Report { partial: true, ..report(Outcome::Graded, None, passed) }),
        ("build failed", report(Outcome::BuildFailed, diagnostics("it does not compile: 4 errors"), Vec::new())),
        ("start failed", report(Outcome::StartFailed, diagnostics("the server exited"), Vec::new())),
        ("no services", report(Outcome::InfrastructureError, diagnostics("there is no Postgres"), Vec::new())),
    ]
}

fn audit() -> AuditReport {
    let mutant = |name: &str, caught, failed: &[&str]| MutantResult {
        name: name.into(),
        breaks: "something".into(),
        expected: vec!["greets".into()],
        failed: failed.iter().map(ToString::to_string).collect(),
        caught,
        build_ms: 500,
        checks_ms: 300,
        duration_ms: 900,
    };
    let unproven = |file: &str, line, function: &str, text: &str| Unproven {
        file: file.into(),
        line,
        function: function.into(),
        text: text.into(),
    };
    let expectations = Expectations {
        total: 5,
        seen: 2,
        reasoned: 1,
        mutants: 3,
        tried: 2,
        unproven: vec![
            unproven("checks/src/a.rs", 12, "greets", "expect_status(200)"),
            unproven("checks/src/a.rs", 40, "echoes", "expect_body(word)"),
            unproven("checks/src/b.rs", 7, "alive", "expect_status(200)"),
        ],
    };
    let lab = LabAudit {
        lab: "tiny-1".into(),
        title: "Greeter".into(),
        slug: "greeter".into(),
        problems: vec![Problem { place: "mutant odd".into(), message: "a\nproblem".into(), infrastructure: false }],
        starter: Some((0, 100)),
        rounds_ms: vec![1200, 1300],
        mutants: vec![mutant("deaf", true, &["greets"]), mutant("late", true, &[]), mutant("odd", false, &[])],
        all_checks: false,
        checks: [("greets".into(), ["deaf".into()].into()), ("echoes".into(), BTreeSet::new())].into(),
        unseen: ["echoes".into()].into(),
        expectations: Some(expectations),
        generated: None,
        lines: None,
        order: vec!["greets".into(), "echoes".into()],
        on_record: 0,
        left: Vec::new(),
        duration_ms: 61_000,
    };
    AuditReport {
        schema: "backend-labs/audit/v1".into(),
        passed: false,
        shard: None,
        planned: 3,
        left: 0,
        duration_ms: 61_000,
        labs: vec![lab],
    }
}

fn bench(one_by_one: Result<OneByOne, String>) -> Bench {
    Bench {
        schema: "backend-labs/bench/v1".into(),
        lab: "tiny-1".into(),
        rounds: 5,
        providers: vec!["postgres (native)".into()],
        check_ms: 1400.4,
        cargo_ms: 290.0,
        longest_ms: 800.0,
        longest: "greets".into(),
        against_bound: 1.28,
        added_ms: 150.0,
        edits: Edits {
            check: "greets".into(),
            named: Waited { total_ms: 1200.0, cargo_ms: 900.0, against_cargo: 1.33 },
            lab: Waited { total_ms: 2700.0, cargo_ms: 900.0, against_cargo: 3.0 },
        },
        one_by_one,
    }
}

fn overview(score: Option<(u32, u32)>, next_check: Option<&str>) -> EventKind {
    let next = next_check.map(|id| (1, format!("the title of {id}")));
    let progress = LabProgress { score, next_check: next_check.map(str::to_owned), next, ..LabProgress::default() };
    let lab = |id: &str, progress: LabProgress| LabOverview {
        id: id.into(),
        package: format!("{id}-greeter"),
        title: "Greeter".into(),
        summary: "says hello".into(),
        roadmap: vec![1, 3],
        progress,
    };
    let done = LabProgress { score: Some((100, 100)), ..LabProgress::default() };
    let step = |number, title: &str| RoadmapStep { number, title: title.into() };
    EventKind::Overview {
        title: "Backend Labs".into(),
        roadmap: vec![step(1, "The web"), step(2, "Fundamentals"), step(3, "Frameworks")],
        languages: vec!["Rust".into(), "Go".into()],
        labs: vec![lab("tiny-0", done), lab("tiny-1", progress)],
        here: Some("tiny-1".into()),
    }
}

/// One event of each kind, more of those with many faces.
fn events() -> Vec<RunEvent> {
    let entry = TranscriptEntry { at_us: 1_200_000, what: Happening::Note { text: "a note".into(), mark: None } };
    let one = OneByOne { checks: 3, total_ms: 9000.0, containers_ms: 6000.0, against_check: 6.4 };
    let down = DownReport {
        done: vec!["the container lab-postgres".into()],
        in_use: vec!["1 folder".into()],
        ..DownReport::default()
    };
    vec![
        event(EventKind::RunStarted {
            run_id: "20270115T080000Z-0".into(),
            runner_version: "0.1.0".into(),
            lab: "tiny-1".into(),
            title: "Greeter".into(),
            submission: None,
        }),
        event(EventKind::Warning { message: "a lab is left out".into(), hints: vec!["what may help".into()] }),
        event(EventKind::Step { text: "fetching Postgres".into() }),
        event(EventKind::BuildProgress { what: "tiny-1-greeter".into(), done: 3, total: 120, now: "sqlx".into() }),
        event(EventKind::BuildFinished { what: "tiny-1-greeter".into(), took_ms: 900 }),
        event(EventKind::BuildFinished { what: "tiny-1-greeter".into(), took_ms: 12_340 }),
        event(EventKind::ServicesRequested { names: vec!["postgres".into()] }),
        event(EventKind::ServiceReady { name: "postgres".into(), provider: "native".into(), version: None }),
        event(EventKind::ServiceVersion { name: "postgres".into(), version: "PostgreSQL 15.12".into() }),
        event(EventKind::LabGuided { guide: Box::new(guide()) }),
        event(EventKind::Hints {
            lab: "tiny-1".into(),
            id: "missing".into(),
            title: "the title of missing".into(),
            hints: vec!["a vague hint".into()],
            total: 2,
        }),
        event(EventKind::ChecksPlanned { checks: vec![info("greets", 1), info("missing", 1)] }),
        of_check("greets", EventKind::CheckStarted),
        of_check("greets", EventKind::Transcript { entry }),
        of_check("greets", EventKind::CheckFinished { result: Box::new(check("greets", 1, Verdict::Passed)) }),
        event(EventKind::Serving {
            urls: BTreeMap::from([("server".into(), "http://127.0.0.1:8080".into())]),
            taken: None,
        }),
        event(EventKind::Serving {
            urls: BTreeMap::from([("server".into(), "http://127.0.0.1:40123".into())]),
            taken: Some(8080),
        }),
        event(EventKind::SiteServed { url: "http://127.0.0.1:40124/5ec7e7/".into() }),
        event(EventKind::ServerLog { line: "listening\u{1b}[2J".into() }),
        event(EventKind::ServingFailed { diagnostics: diagnostics("the server has ended by itself").unwrap() }),
        event(overview(None, None)),
        event(overview(Some((40, 100)), Some("missing"))),
        event(overview(Some((100, 100)), None)),
        event(EventKind::AuditFinished { report: Box::new(audit()) }),
        event(EventKind::MutantsRefreshed { mutants: refreshed(), written: true }),
        event(EventKind::MutantsRefreshed { mutants: refreshed(), written: false }),
        event(opened(None)),
        event(opened(Some("vi -p"))),
        event(EventKind::MutantProven { proof: Box::new(proof(true, true)) }),
        event(EventKind::MutantProven { proof: Box::new(proof(false, false)) }),
        event(EventKind::MutantProven { proof: Box::new(proof(false, true)) }),
        event(EventKind::MutantProven {
            proof: Box::new(MutantProof { diagnostics: diagnostics("it does not build"), ..proof(false, false) }),
        }),
        event(EventKind::MutantShown {
            path: "labs/tiny-1-greeter/mutants/deaf.patch".into(),
            patch: "Breaks: it\nFails: echoes\n\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-one\n+two\u{1b}[2J\n".into(),
        }),
        event(created(&[])),
        event(created(&["Postgres", "Redis"])),
        event(course_created()),
        event(kit_exported()),
        event(kit_updated(true, &[KitChange::Added, KitChange::Replaced, KitChange::Removed, KitChange::Merged])),
        event(kit_updated(false, &[KitChange::Kept, KitChange::Conflict, KitChange::Beside])),
        event(kit_updated(false, &[])),
        event(laid_out("/courses/similar", 1, Origin::Course, &[])),
        event(laid_out(
            "/courses/two words",
            190,
            Origin::Commit { id: "0123abcd".into(), date: "2026-11-29".into() },
            &[("\u{1b}[2Jada", "ada.zip: cannot be unpacked: no end of central directory found")],
        )),
        event(EventKind::LabsFormatted {
            files: vec!["labs/tiny-1-greeter/solution/src/main.rs".into()],
            written: true,
        }),
        event(EventKind::LabsFormatted {
            files: vec!["labs/tiny-1-greeter/solution/src/main.rs".into()],
            written: false,
        }),
        event(EventKind::LabsFormatted { files: Vec::new(), written: false }),
        event(own_tests(12, true, "")),
        event(own_tests(0, true, "")),
        event(own_tests(2, false, "error: it says \u{1b}[2J\ntest result: FAILED. 1 passed; 1 failed\n")),
        event(EventKind::BenchFinished { bench: Box::new(bench(Ok(one))) }),
        event(EventKind::BenchFinished { bench: Box::new(bench(Err("no container engine".into()))) }),
        event(EventKind::DoctorFinished { report: Box::new(doctor()) }),
        event(EventKind::DownFinished { report: Box::new(DownReport::default()) }),
        event(EventKind::DownFinished { report: Box::new(down) }),
        event(held(None)),
        event(held(Some(Held {
            servers: vec!["http://127.0.0.1:40123".into()],
            services: BTreeMap::from([("postgres".into(), "postgres://a:b@127.0.0.1:5/c".into())]),
            variables: BTreeMap::from([("GREETING".into(), "it's\u{1b}[2J".into())]),
            line: Some("curl -i http://127.0.0.1:40123/".into()),
            notes: vec!["the server had ended".into()],
        }))),
        event(EventKind::NextShown { step: Box::new(next_step()) }),
        event(EventKind::NextShown { step: Box::new(NextStep { task: None, ..next_step() }) }),
        event(EventKind::LogsShown { log: Box::new(run_log()) }),
        event(EventKind::SolutionCompared { lab: "tiny-1".into(), files: Vec::new() }),
        event(EventKind::SolutionCompared { lab: "tiny-1".into(), files: different_files() }),
        event(EventKind::ResetPlanned { folder: "labs/tiny-1".into(), origin: Origin::Course, changes: Vec::new() }),
        event(EventKind::ResetPlanned {
            folder: "labs/tiny-1".into(),
            origin: Origin::Commit { id: "0123456".into(), date: "2026-01-01".into() },
            changes: [What::Restored, What::Created, What::Removed]
                .map(|what| Change { path: "src/main.rs".into(), what })
                .to_vec(),
        }),
        event(EventKind::ResetFinished { lab: "tiny-1".into(), done: true, kept: Some("/kept".into()) }),
        event(EventKind::ResetFinished { lab: "tiny-1".into(), done: false, kept: None }),
        event(EventKind::CommandFailed {
            message: "unknown lab `tini`".into(),
            details: vec!["a detail".into()],
            hints: vec!["did you mean `tiny-1`?".into()],
        }),
    ]
}

/// The first service is served, all others are not.
fn doctor() -> DoctorReport {
    let service = ServiceId::all()[0];
    let finding = |provider, state, detail: &str| Finding { service, provider, state, detail: detail.into() };
    let fact = |name: &str, value: &str, good| Fact { name: name.into(), value: value.into(), good };
    let lab = |lab: &str, services: &[usize]| LabNeeds {
        lab: lab.into(),
        services: services.iter().map(|index| ServiceId::all()[*index]).collect(),
    };
    DoctorReport {
        services: ServiceId::all(),
        labs: vec![lab("tiny-1", &[]), lab("tiny-2", &[0]), lab("tiny-3", &[0, 1]), lab("tiny-4", &[1])],
        named: false,
        findings: vec![
            finding(Provider::External, State::Absent, "LAB_URL is not set"),
            finding(Provider::Native, State::Ready { ms: 97 }, "server 15, /usr/bin/\u{1b}[2Jserver"),
            finding(Provider::Embedded, State::Able, "a wheel will be downloaded when needed"),
        ],
        machine: vec![fact("rustc", "rustc 1.95.0", true), fact("disk", "0.4 GB free", false)],
        fixed: vec!["fetched a server".into()],
        hints: vec!["install the other".into()],
    }
}

fn held(held: Option<Held>) -> EventKind {
    let verdict = if held.is_some() { Verdict::Failed } else { Verdict::Passed };
    let check = Check { verdict, ..failed() };
    EventKind::CheckHeld { lab: "tiny-1".into(), result: Box::new(Some(check)), held: Box::new(held) }
}

fn next_step() -> NextStep {
    NextStep {
        lab: "tiny-1".into(),
        title: "Greeter".into(),
        score: Some((40, 100)),
        task: Some(NextTask {
            number: 2,
            title: Some("echo".into()),
            readme_line: Some(10),
            todos: vec![Todo { task: 2, path: "labs/a/src/main.rs".into(), line: 7, text: "echo it\u{1b}[2J".into() }],
            check: Some(("echoes".into(), "it echoes".into())),
        }),
        readme: "labs/a/README.md".into(),
        next_lab: Some("tiny-2".into()),
    }
}

fn run_log() -> RunLog {
    let line = |at_ms, text: &str, written| LogLine { at_ms, text: text.into(), written };
    let lines = vec![line(0, "started the server on port 40123", false), line(12, "hello\u{1b}[2J", true)];
    let check = |id: &str, verdict, lines| CheckLog { id: id.into(), title: "a title".into(), verdict, lines };
    RunLog {
        lab: "tiny-1".into(),
        began: Some(stamp(0).wall),
        submission: Some("labs/tiny-1-greeter".into()),
        obstacle: None,
        lines: Vec::new(),
        checks: vec![check("greets", Verdict::Passed, lines), check("echoes", Verdict::Failed, Vec::new())],
    }
}

fn different_files() -> Vec<FileDifference> {
    let lines = vec![Line::Same("a".into()), Line::Own("b\u{1b}[2J".into()), Line::Solution("c".into())];
    let places = vec![Place { own_line: 3, solution_line: 4, lines }];
    let file = |path: &str, side, places, text| FileDifference { path: path.into(), side, places, text };
    vec![
        file("src/main.rs", Side::Both, places, true),
        file("src/mine.rs", Side::Own, Vec::new(), true),
        file("a.bin", Side::Solution, Vec::new(), false),
    ]
}

fn opened(editor: Option<&str>) -> EventKind {
    EventKind::MutantOpened {
        lab: "tiny-1".into(),
        name: "deaf".into(),
        folder: "target/lab/mutants/tiny-1-greeter/deaf".into(),
        editable: vec!["src".into(), "migrations".into()],
        editor: editor.map(str::to_owned),
    }
}

fn proof(caught: bool, written: bool) -> MutantProof {
    MutantProof {
        lab: "tiny-1".into(),
        name: "deaf".into(),
        path: "labs/tiny-1-greeter/mutants/deaf.patch".into(),
        folder: "target/lab/mutants/tiny-1-greeter/deaf".into(),
        breaks: "words are not heard".into(),
        fails: vec![("echoes".into(), caught), ("survives".into(), true)],
        diagnostics: None,
        written,
    }
}

fn created(services: &[&str]) -> EventKind {
    let services = services.iter().map(|name| (*name).to_owned()).collect();
    let lab = CreatedLab { id: "tiny-2".into(), folder: "labs/tiny-2-queues".into(), files: 24, services };
    EventKind::LabCreated { lab: Box::new(lab) }
}

fn course_created() -> EventKind {
    let (folder, sources) = ("/courses/at night".into(), "/courses/backend-labs".into());
    let course = CreatedCourse { folder, title: "Backends at Night".into(), sources };
    EventKind::CourseCreated { course: Box::new(course) }
}

fn kit_exported() -> EventKind {
    let kit = Exported {
        folder: "/courses/kit".into(),
        labs: vec!["tiny-1".into(), "tiny-2".into()],
        platform: "x86_64-linux".into(),
        commit: Some("0123456789abcdef".into()),
        bytes: 57 << 20,
        recorded: Vec::new(),
    };
    EventKind::KitExported { kit: Box::new(kit) }
}

fn laid_out(folder: &str, submissions: usize, starter: Origin, unreadable: &[(&str, &str)]) -> EventKind {
    let unreadable = unreadable.iter().map(|(name, why)| ((*name).to_owned(), (*why).to_owned())).collect();
    let layout = ForJplag { folder: folder.into(), lab: "tiny-1".into(), submissions, starter, unreadable };
    EventKind::SubmissionsLaidOut { layout: Box::new(layout) }
}

fn kit_updated(committed: bool, changes: &[KitChange]) -> EventKind {
    let files = changes.iter().map(|change| ("labs/a/src/main.rs".into(), *change)).collect();
    let (from, to) = ("0.1.0 (0123456789)".into(), "0.2.0 (fedcba9876)".into());
    EventKind::KitUpdated { kit: Box::new(Updated { folder: "/courses/kit".into(), from, to, files, committed }) }
}

fn own_tests(run: usize, passed: bool, output: &str) -> EventKind {
    let tests = OwnTests { run, passed, took_ms: 1_260, output: output.into() };
    EventKind::OwnTestsFinished { lab: "tiny-1".into(), tests: Box::new(tests) }
}

fn refreshed() -> Vec<MutantRefresh> {
    let mutant = |name: &str, refreshed: Option<Refreshed>| MutantRefresh {
        lab: "tiny-1".into(),
        name: name.into(),
        path: format!("labs/tiny-1-greeter/mutants/{name}.patch").into(),
        cannot: refreshed.is_none().then(|| format!("mutants/{name}.patch:4: the lines\u{1b}[2J are gone")),
        refreshed,
    };
    vec![
        mutant("deaf", Some(Refreshed::Current)),
        mutant("loud", Some(Refreshed::Moved { patch: String::new() })),
        mutant("rude", Some(Refreshed::Merged { patch: String::new(), base: "0123456789".into() })),
        mutant("shouts", Some(Refreshed::Placed { patch: String::new() })),
        mutant("sulks", None),
    ]
}

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

#[test]
fn what_the_doctor_found_can_be_read_by_programs() {
    let found: serde_json::Value =
        serde_json::from_str(&json(&event(EventKind::DoctorFinished { report: Box::new(doctor()) })))
            .expect("it is JSON");
    assert_eq!(found["findings"][1]["state"]["ready"]["ms"], 97);
    assert_eq!(found["machine"][1]["good"], false);
}

#[test]
fn what_people_read_of_each_event() {
    let (mut human, mut words, mut narrating) = (Human::new(false), Words::default(), Words::default());
    let mut text = String::new();
    for event in events() {
        let kind = serde_json::to_value(&event).unwrap()["event"].as_str().unwrap().to_owned();
        text.push_str(&format!("=== {kind}\n{}", plain(&human.render(&event))));
        let (live, narrated) = (words.of(&event, false), narrating.of(&event, true));
        text.push_str(&plain(&format!("--- live: {live:?}\n")));
        if live != narrated {
            text.push_str(&plain(&format!("--- narrated: {narrated:?}\n")));
        }
    }
    let text = text.replace("\\u{1b}[0m", "").replace("\\u{1b}", "ESC");
    insta::assert_snapshot!(text);
}

const TOOK: Duration = Duration::from_micros(300);

/// A failure in the middle of statements, with more of everything than fits.
fn busy() -> Check {
    let statement = |at_us, text: &str| TranscriptEntry {
        at_us,
        what: Happening::Exchange(
            Exchange::new("sql", "postgres", Asked::Statement(text.into())).answered("SELECT 1", false, TOOK),
        ),
    };
    let mut transcript = vec![TranscriptEntry {
        at_us: 1_200_000,
        what: Happening::Sent {
            connection: 1,
            text: "POST /orders HTTP/1.1\\r\nHost: lab\\r\n\\r\n{\"seats\":3}".into(),
            port: None,
        },
    }];
    let update = "UPDATE events SET seats_sold = seats_sold + $1 WHERE id = $2 AND seats_sold + $1 <= seats_total";
    transcript.push(statement(1_202_000, update));
    transcript.extend((0..50).map(|n| statement(1_203_000 + n * 400, "SELECT name FROM customers WHERE id = $1")));
    let cut = "the connection was cut here by the check".to_owned();
    transcript.push(TranscriptEntry { at_us: 1_224_000, what: Happening::Note { text: cut, mark: None } });
    let answer = "HTTP/1.1 500 Internal Server Error\\r\nA: b\\r\n\\r\n{\"error\":\"internal\"}".to_owned();
    transcript.push(TranscriptEntry { at_us: 1_229_000, what: Happening::Received { connection: 1, text: answer } });
    Check {
        message: Some("After an order that was answered 500, three seats are gone.".into()),
        expected: Some("seats_sold 0".into()),
        actual: Some("seats_sold 3".into()),
        diff: Vec::new(),
        // The report has seen that more than one request had a part in it.
        reproduce: Some("cargo lab try tiny-1 missing".into()),
        transcript,
        ..failed()
    }
}

/// A check that has run a program, which wrote to standard error and ended.
fn of_a_program() -> Check {
    Check {
        message: Some("expected exit code 1, got exit code 0".into()),
        sent: Some("import --jobs 2".into()),
        received: None,
        expected: Some("exit code 1".into()),
        actual: Some("exit code 0".into()),
        diff: Vec::new(),
        reproduce: Some("cargo lab try tiny-1 missing".into()),
        server_log: vec!["line 1: no order".into()],
        of_program: true,
        ..failed()
    }
}

#[test]
fn what_a_program_wrote_to_standard_error_is_not_called_a_servers_log() {
    let (program, server) = (of_a_program(), failed());
    assert_eq!((program.log_name(), server.log_name()), ("stderr", "server log"));
    let shown = plain(&human::explain(&program, true, 100));
    assert!(shown.contains("  stderr     line 1: no order\n") && !shown.contains("server"), "{shown}");
}

#[test]
fn a_screen_holds_what_matters_and_no_more() {
    let panicked = |lines: usize| {
        let mut log = vec!["listening on 8080".to_owned()];
        log.push("thread 'main' (17) panicked at src/routes.rs:12:9:".into());
        log.push("called `Option::unwrap()` on a `None` value".into());
        log.extend((0..lines).map(|n| format!("{n}: a frame of a backtrace")));
        Check { server_log: log, ..failed() }
    };
    let bytes = "\\x1f\\x8b".repeat(300);
    let binary = Check { received: Some(format!("HTTP/1.1 200 OK\\r\nA: b\\r\n\\r\n{bytes}")), ..failed() };
    let passed: Vec<Check> = guide().checks.iter().map(|one| check(&one.id, one.task, Verdict::Passed)).collect();
    let graded = |checks| Report { notes: Vec::new(), partial: true, ..report(Outcome::Graded, None, checks) };
    let first = check("greets", 1, Verdict::Passed);
    let error =
        |n| format!("error[E0308]: mismatched types {n}\n --> src/a.rs:4:23\n  |\n4 | a line\n  |   ^^^ expected\n  |");
    let errors = Diagnostics { details: (1..=6).map(error).collect(), ..diagnostics("4 errors").unwrap() };
    let compile = report(Outcome::BuildFailed, Some(errors), Vec::new());
    let long = error(1).repeat(10);
    let endless = Diagnostics { details: vec![long.clone(), long], ..diagnostics("2 errors").unwrap() };
    let endless = report(Outcome::BuildFailed, Some(endless), Vec::new());
    let log = (0..30).map(|n| format!("line {n} of the log, {}", "which is long ".repeat(10))).collect();
    let start = Diagnostics { details: log, omitted: 0, ..diagnostics("the server exited: exit code 101").unwrap() };
    let start = report(Outcome::StartFailed, Some(start), Vec::new());
    let cases = [
        ("first failure", graded(vec![first.clone(), busy(), check("slow", 1, Verdict::TimedOut)])),
        ("panic", graded(vec![first.clone(), panicked(30)])),
        ("binary", graded(vec![first.clone(), binary])),
        ("a program", graded(vec![first.clone(), of_a_program()])),
        ("task done", graded(vec![first, check("missing", 1, Verdict::Passed), check("slow", 1, Verdict::Passed)])),
        ("compile error", compile),
        ("an endless compile error", endless),
        ("start failed", start),
        ("no services", report(Outcome::InfrastructureError, diagnostics("there is no Postgres"), Vec::new())),
        ("all passed", Report { partial: false, ..graded(passed) }),
    ];
    for (columns, rows) in [(100, 30), (80, 23)] {
        let mut text = String::new();
        for (name, report) in &cases {
            let mut human = Human::new(false).sized(columns, rows);
            human.render(&event(EventKind::LabGuided { guide: Box::new(guide()) }));
            let screen = human.render(&event(EventKind::RunFinished { report: Box::new(report.clone()) }));
            let screen = plain(&screen);
            assert!(screen.lines().count() <= rows, "{name} at {columns} x {rows}:\n{screen}");
            let widest = screen.lines().map(|line| line.chars().count()).max().unwrap_or_default();
            assert!(widest <= columns, "{name} at {columns} x {rows}: {widest}\n{screen}");
            text.push_str(&format!("=== {name}\n{screen}"));
        }
        insta::assert_snapshot!(format!("screen_of_{columns}_by_{rows}"), text);
    }
}

#[test]
fn what_people_read_of_each_result() {
    let mut text = String::new();
    for (name, report) in reports() {
        let checks = report.checks.iter().map(|check| info(&check.id, check.task)).collect();
        let event = event(EventKind::RunFinished { report: Box::new(report) });
        let mut human = Human::new(true).everything();
        human.render(&self::event(EventKind::ChecksPlanned { checks }));
        text.push_str(&format!("=== {name}\n{}", plain(&human.render(&event))));
        text.push_str(&format!("--- quiet\n{}", human::quiet(&event)));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn what_a_ci_system_reads_of_each_result() {
    let text: String = reports().iter().map(|(name, report)| format!("=== {name}\n{}\n", to_junit(report))).collect();
    insta::assert_snapshot!(text);
}

#[test]
fn a_program_reads_results_and_nothing_else() {
    let results: BTreeSet<String> = events()
        .iter()
        .filter(|event| !json(event).is_empty())
        .map(|event| serde_json::to_value(event).unwrap()["event"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        results,
        BTreeSet::from([
            "audit_finished".into(),
            "bench_finished".into(),
            "doctor_finished".into(),
            "mutants_refreshed".into()
        ])
    );
    for (_, report) in reports() {
        let event = event(EventKind::RunFinished { report: Box::new(report.clone()) });
        assert_eq!(json(&event), super::to_json(&report));
    }
}

/// What commands answer, and no recording holds.
const ANSWERS: [&str; 29] = [
    "audit_finished",
    "bench_finished",
    "command_failed",
    "course_created",
    "doctor_finished",
    "document_made",
    "down_finished",
    "grades_finished",
    "grading_planned",
    "hints",
    "kit_exported",
    "kit_updated",
    "lab_created",
    "labs_formatted",
    "logs_shown",
    "mutant_opened",
    "mutant_proven",
    "mutant_shown",
    "mutants_refreshed",
    "next_shown",
    "overview",
    "own_tests_finished",
    "reset_finished",
    "reset_planned",
    "result_converted",
    "site_served",
    "solution_compared",
    "submission_graded",
    "submissions_laid_out",
];

#[test]
fn every_event_that_a_recording_may_hold_survives_being_written_and_read() {
    let results = reports().into_iter().map(|(_, report)| event(EventKind::RunFinished { report: Box::new(report) }));
    for event in events().into_iter().chain(results) {
        let text = serde_json::to_string(&event).unwrap();
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        if ANSWERS.contains(&value["event"].as_str().unwrap()) {
            continue;
        }
        let read: RunEvent = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(serde_json::to_string(&read).unwrap(), text);
    }
}
