//! Task 2: readers and writers who meet.

use std::future::IntoFuture as _;
use std::ops::RangeInclusive;

use lab_kit::prelude::*;
use lab_postgres::LabPostgres as _;
use tokio::time::{sleep, timeout};

use crate::support::{Event, SidePath, cold_read, expect_items, warm};

/// How long one side waits for the other where a design may have it so: a lock in the database is a right way, too.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a commit, and what follows from it, may take on a busy machine.
const COMMITTED: Duration = Duration::from_secs(10);
/// The advisory lock that a commit waits for, in this check's own database.
const GATE: i64 = 5_005;
/// At how many of its statements a reader is overtaken, if it takes so many.
const MOST_STATEMENTS: usize = 3;
/// What writers are answered.
const PUT: &[u16] = &[200, 201];
const DELETE: &[u16] = &[200, 204];

/// Clearing before the commit leaves time for a reader to copy the old value again, for a copy's whole life (Redis
/// documentation, "Client-side caching", race conditions; PostgreSQL manual, 13.2.1 Read Committed).
#[check(title = "copies are cleared after the commit", task = 2, points = 3, needs = ["write_clears_lists"],
        hints = ["What does a reader find in Postgres when your copy is cleared but your transaction is not committed yet?",
                 "The old row, and it makes a new copy of that. Commit first, then clear."])]
async fn clears_after_commit(lab: &Lab) -> CheckResult {
    let (app, other) = (lab.start().await?, lab.start().await?);
    let old = Event::random(lab);
    // never fails alone: `events` asks the same of a PUT
    old.put(&app).await?.expect_status(201)?;
    warm(lab, app.get(old.path())).await?;
    warm(lab, app.get(old.list())).await?;
    let doomed = Event::random(lab);
    // never fails alone: `events` asks the same of a PUT
    doomed.put(&app).await?.expect_status(201)?;
    warm(lab, app.get(doomed.path())).await?;
    warm(lab, app.get(doomed.list())).await?;
    install_gate(lab).await?;
    let new = old.changed(lab);
    let answer = read_before_commit(lab, new.put(&app), &old, &[&app, &other], &[200]).await?;
    // never fails alone: `events` asks the same of a PUT
    answer.expect_status(200)?;
    expect_new(&new, &[&other, &app], "a GET between the change and its commit made a copy of the old data").await?;
    // Whoever waited for the writer finds none.
    let delete = app.delete(doomed.path());
    let answer = read_before_commit(lab, delete, &doomed, &[&app, &other], &[200, 404]).await?;
    // never fails alone: `events` asks the same of a DELETE
    answer.expect_status_in(DELETE)?;
    let why = "a GET between the removal and its commit made a copy of the old data";
    expect_gone(&doomed, &[&other, &app], why).await
}

/// Has a writer wait with its commit until an event and its list were read on each instance. Gives its answer.
async fn read_before_commit(
    lab: &Lab,
    write: Request,
    old: &Event,
    apps: &[&App; 2],
    read: &[u16],
) -> CheckResult<Response> {
    let gate = close_gate(lab).await?;
    let mut writer = tokio::spawn(write.into_future());
    wait_for_commit(lab, &mut writer).await?;
    // A reader that waits for the writer is right as well: so nobody waits for it here.
    let [one, two] = apps;
    let readers = [one.get(old.path()), two.get(old.path()), one.get(old.list()), two.get(old.list())]
        .map(|request| tokio::spawn(request.into_future()));
    let _ = timeout(PATIENCE, async {
        while readers.iter().any(|reader| !reader.is_finished()) {
            sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
    lab.note("the grader lets the writer commit");
    gate.rollback().await?;
    let written = writer.await.ours("waiting for the writer")??;
    for reader in readers {
        reader.await.ours("waiting for a GET")??.expect_status_in(read)?;
    }
    Ok(written)
}

/// Between a reader's query and its copy, the data may change: a copy must not be made of a value that was cleared
/// meanwhile (Nishtala et al., "Scaling Memcache at Facebook", NSDI 2013, §3.2.1 Leases).
#[check(title = "a slow reader cannot put back the old event", task = 2, points = 3, needs = ["clears_after_commit", "creation_clears_miss"],
        hints = ["A reader has got the old value; only then is the event changed and its copy deleted. Now the reader makes its copy.",
                 "The reader must notice that the event has changed since it asked: with a token that it leaves in Redis before \
                  it asks, and that every writer deletes.",
                 "Check the token and make the copy in one step: a script, or `WATCH` and `MULTI`. Or store the row's version with \
                  the copy, and let only a newer one replace an older one."])]
async fn slow_reader(lab: &Lab) -> CheckResult {
    let path = SidePath::new(lab).await?;
    let (slow, quick) = (lab.server().env("DATABASE_URL", path.url()).start().await?, lab.start().await?);
    get_going(lab, &[&slow, &quick]).await?;
    for statement in statements_of(lab, &slow, Event::path).await? {
        let old = Event::random(lab);
        old.insert(lab).await?;
        let new = old.changed(lab);
        overtake(lab, &path, statement, slow.get(old.path()), new.put(&quick), PUT).await?;
        expect_new(&new, &[&quick, &slow], "a slow GET made a copy of the old data").await?;
        // Where there was nothing, "nothing" is the old value.
        let created = Event::random(lab);
        overtake(lab, &path, statement, slow.get(created.path()), created.put(&quick), PUT).await?;
        expect_new(&created, &[&quick, &slow], "a slow GET cached that there is no such event").await?;
        // And an event that was removed must not come back.
        let doomed = Event::random(lab);
        doomed.insert(lab).await?;
        overtake(lab, &path, statement, slow.get(doomed.path()), quick.delete(doomed.path()), DELETE).await?;
        expect_gone(&doomed, &[&quick, &slow], "a slow GET made a copy of an event that has since been removed")
            .await?;
    }
    // The ids have a way of their own to Postgres, and perhaps to the copies.
    let by_id = |event: &Event| format!("/events?ids={}", event.id);
    for statement in statements_of(lab, &slow, by_id).await? {
        let old = Event::random(lab);
        old.insert(lab).await?;
        let new = old.changed(lab);
        overtake(lab, &path, statement, slow.get(by_id(&old)), new.put(&quick), PUT).await?;
        expect_new(&new, &[&quick, &slow], "a slow GET by ids made a copy of the old data").await?;
    }
    Ok(())
}

/// The same holds for a list (Nishtala et al., "Scaling Memcache at Facebook", NSDI 2013, §3.2.1 Leases).
#[check(title = "a slow reader cannot put back the old list", task = 2, points = 2, needs = ["slow_reader"],
        hints = ["A writer overtakes the reader of a list. What does the reader cache then, and under which key?",
                 "If a part of the key changes with every write, read that part before you ask Postgres, not after."])]
async fn slow_reader_list(lab: &Lab) -> CheckResult {
    let path = SidePath::new(lab).await?;
    let (slow, quick) = (lab.server().env("DATABASE_URL", path.url()).start().await?, lab.start().await?);
    get_going(lab, &[&slow, &quick]).await?;
    for statement in statements_of(lab, &slow, Event::list).await? {
        let old = Event::random(lab);
        old.insert(lab).await?;
        let new = old.changed(lab);
        overtake(lab, &path, statement, slow.get(old.list()), new.put(&quick), PUT).await?;
        expect_new(&new, &[&quick, &slow], "a slow GET made a copy of the old list").await?;
    }
    Ok(())
}

/// Writers, too, overtake each other between Postgres and Redis: the one whose row stays is not always the one whose copy
/// comes last (Nishtala et al., "Scaling Memcache at Facebook", NSDI 2013, §2: delete, do not update).
#[check(title = "a writer that is late at Redis cannot put back its event", task = 2, points = 2, needs = ["slow_reader"],
        hints = ["Two PUT commit one after the other. What if the first one's command reaches Redis after the second one's?",
                 "Whoever clears a copy may come late: the next reader asks Postgres. Whoever writes a copy may not.",
                 "`DEL` in place of `SET`, or let Redis keep the newer version of the two."])]
async fn late_writer(lab: &Lab) -> CheckResult {
    let path = SidePath::to_redis(lab).await?;
    let (slow, quick) = (lab.server().env("REDIS_URL", path.url()).start().await?, lab.start().await?);
    let old = Event::random(lab);
    // never fails alone: `events` asks the same of a PUT
    old.put(&slow).await?.expect_status(201)?;
    for app in [&slow, &quick] {
        warm(lab, app.get(old.path())).await?;
        warm(lab, app.get(old.list())).await?;
    }
    let (first, second) = (old.changed(lab), old.changed(lab));
    path.hold(lab);
    let late = tokio::spawn(first.put(&slow).within(COMMITTED).into_future());
    until_committed(lab, &first).await?;
    second.change(&quick).await?;
    path.release(lab);
    // never fails alone: `redis_hangs` asks the same of a PUT while Redis says nothing
    late.await.ours("waiting for the late writer")??.expect_status_in(PUT)?;
    let why = "the row is what the second PUT made it; the first one's commands came to Redis after the second one's";
    expect_new(&second, &[&quick, &slow], why).await
}

/// Clients hang up: they close the page, lose the network, run out of patience. What was begun must not be left half done
/// (Fowler, "Patterns of Distributed Systems"; tokio documentation, "Cancellation safety"; CWE-460).
#[check(title = "a client that hangs up leaves no old copy behind", task = 2, points = 2, needs = ["clears_after_commit"],
        hints = ["What becomes of your handler when its client closes the connection, and at which `await` may that be?",
                 "axum drops the handler of a client that hangs up: between the commit and the DEL, too.",
                 "Do both in a task of its own (`tokio::spawn`), and let the handler wait for it."])]
async fn hang_up_clears(lab: &Lab) -> CheckResult {
    /// Long enough for a server to learn that its client is gone. One that learns it later ends its work as usual.
    const NOTICED: Duration = Duration::from_millis(700);
    let (app, other) = (lab.start().await?, lab.start().await?);
    let (old, doomed) = (Event::random(lab), Event::random(lab));
    for event in [&old, &doomed] {
        // never fails alone: `events` asks the same of a PUT
        event.put(&app).await?.expect_status(201)?;
    }
    // Only now, as each of these PUT clears the lists.
    for event in [&old, &doomed] {
        warm(lab, app.get(event.path())).await?;
        warm(lab, app.get(event.list())).await?;
    }
    install_gate(lab).await?;
    let new = old.changed(lab);
    for (write, event) in [(new.put(&app), &old), (app.delete(doomed.path()), &doomed)] {
        let gate = close_gate(lab).await?;
        let mut writer = tokio::spawn(write.into_future());
        wait_for_commit(lab, &mut writer).await?;
        writer.abort();
        let _ = writer.await;
        lab.note("the client of the write hangs up while its change is committed");
        sleep(NOTICED).await;
        gate.rollback().await?;
        lab.postgres().await?.until_settled(COMMITTED).await?;
        let row = row_of(lab, event).await?;
        lab.eventually("what is read agrees with the table", COMMITTED, || async {
            for reader in [&app, &other] {
                // never fails alone: `events` asks the same of a GET
                let answer = reader.get(event.path()).await?.expect_status_in(&[200, 404])?;
                let shown = if answer.status() == 200 { Some(answer.at::<String>("/title")?) } else { None };
                expect_equal(&format!("the title of {}", event.path()), &shown, &row)?;
                // never fails alone: `list_hit` asks the same of a list
                let list = reader.get(event.list()).await?.expect_status(200)?;
                let titles: Vec<Value> = list.at("/items")?;
                let titles: Vec<_> = titles.iter().filter_map(|item| item["title"].as_str()).collect();
                expect_equal(
                    &format!("the titles of {}", event.list()),
                    &titles,
                    &row.as_deref().into_iter().collect(),
                )?;
            }
            Ok(())
        })
        .await
        .because("the client hung up while its change was committed; the copies belong to the change")?;
    }
    Ok(())
}

/// Waits until the table holds this event.
async fn until_committed(lab: &Lab, event: &Event) -> CheckResult {
    lab.eventually("the change is committed", COMMITTED, || async {
        // never fails alone: `clears_after_commit` fails a server that asks Redis before it commits
        expect_equal("the event's title in the table", &row_of(lab, event).await?, &Some(event.title.clone()))
    })
    .await
}

/// The title that the table has for the event, if it has the event.
async fn row_of(lab: &Lab, event: &Event) -> CheckResult<Option<String>> {
    let sql = "select title::text from events where id = $1";
    let row: Option<(String,)> = lab.postgres().await?.sql(sql).bind(event.id).optional().await?;
    Ok(row.map(|(title,)| title))
}

/// Connections are opened and statements prepared, so that what is to be held back comes at once.
async fn get_going(lab: &Lab, apps: &[&App]) -> CheckResult {
    for app in apps {
        let event = Event::random(lab);
        // never fails alone: `events` asks the same of a PUT
        event.put(app).await?.expect_status(201)?;
        // never fails alone: `events` asks the same of a GET
        event.expect_read(app.get(event.path())).await?;
        // never fails alone: `list_hit` asks the same of a list
        app.get(event.list()).await?.expect_status(200)?;
    }
    Ok(())
}

/// The numbers of the statements that a read without a copy takes: a writer may overtake it at each. The last few will do.
async fn statements_of(lab: &Lab, app: &App, path: fn(&Event) -> String) -> CheckResult<RangeInclusive<usize>> {
    let most = cold_read(lab, app, path).await?.max(1);
    Ok(most.saturating_sub(MOST_STATEMENTS - 1).max(1)..=most)
}

/// Sends a `GET`, has the writer overtake it while the answer to one of its statements is held back, and lets it end. If it
/// takes fewer, the writer comes behind it.
async fn overtake(
    lab: &Lab,
    path: &SidePath,
    statement: usize,
    read: Request,
    write: Request,
    statuses: &[u16],
) -> CheckResult {
    let Some(reader) = path.hold_answer(lab, read, statement).await? else {
        // never fails alone: `events` asks the same of a PUT and of a DELETE
        write.await?.expect_status_in(statuses)?;
        return Ok(());
    };
    let mut write = tokio::spawn(write.into_future());
    let written = timeout(PATIENCE, &mut write).await;
    path.release(lab);
    let written = match written {
        Ok(written) => written,
        Err(_) => write.await,
    };
    // never fails alone: `events` asks the same of a PUT and of a DELETE
    written.ours("waiting for the writer")??.expect_status_in(statuses)?;
    reader.await.ours("waiting for the slow GET")??.expect_status_in(&[200, 404])?;
    Ok(())
}

async fn expect_new(new: &Event, readers: &[&App], why: &str) -> CheckResult {
    for reader in readers {
        new.expect_read(reader.get(new.path())).await.because(why)?;
        expect_items(reader.get(new.list()).await?, &[new]).because(why)?;
    }
    Ok(())
}

async fn expect_gone(doomed: &Event, readers: &[&App], why: &str) -> CheckResult {
    for reader in readers {
        reader.get(doomed.path()).await?.expect_status(404).because(why)?;
        expect_items(reader.get(doomed.list()).await?, &[]).because(why)?;
    }
    Ok(())
}

/// From now on no change of `events` commits while somebody holds the gate closed.
async fn install_gate(lab: &Lab) -> CheckResult {
    let wait = format!(
        "create function lab_gate() returns trigger language plpgsql as
         $$ begin perform pg_advisory_xact_lock_shared({GATE}); return null; end $$;
         create constraint trigger lab_gate after insert or update or delete on events
         deferrable initially deferred for each row execute function lab_gate();"
    );
    lab.postgres().await?.execute(&wait).await?;
    Ok(())
}

/// No change of `events` commits until the transaction that this gives is over.
async fn close_gate(lab: &Lab) -> CheckResult<lab_postgres::Transaction> {
    let mut gate = lab.postgres().await?.begin().await?;
    gate.execute(&format!("select pg_advisory_xact_lock({GATE})")).await?;
    lab.note("a deferred trigger keeps changes of `events` from committing");
    Ok(gate)
}

/// Waits until the writer stands at the gate.
async fn wait_for_commit(lab: &Lab, writer: &mut tokio::task::JoinHandle<CheckResult<Response>>) -> CheckResult {
    lab.eventually("a request commits a change of `events`", Duration::from_secs(8), || async {
        let sql = "select count(*) from pg_stat_activity
                   where datname = current_database() and wait_event_type = 'Lock' and wait_event = 'advisory'";
        let waiting: i64 = lab.postgres().await?.scalar(sql).await?;
        // never fails alone: who takes eight seconds to reach a commit has failed `events`, which makes many, by its time
        expect_that(waiting > 0 || writer.is_finished(), "no transaction waits for the grader's trigger")
    })
    .await?;
    if !writer.is_finished() {
        return Ok(());
    }
    // never fails alone: `events` asks the same of a PUT and of a DELETE
    let answer = writer.await.ours("waiting for the writer")??.expect_status_in(&[200, 204])?;
    Err(answer
        .failure("the request got its response before its change to `events` was committed")
        .expected("a response only once the change is committed: the grader holds up the commit")
        .actual(format!("{} before that", answer.status())))
}
