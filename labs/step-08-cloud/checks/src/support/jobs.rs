//! Orders, and the jobs that print their tickets.

use futures::future::try_join_all;
use lab_kit::prelude::*;

use super::{SOON, Site};

/// An order that ana has placed.
#[derive(Debug, Clone)]
pub struct Order {
    pub id: String,
    pub event: String,
    pub name: String,
}

/// A job as `GET /jobs/…` shows it.
#[derive(Debug, Clone)]
pub struct Job {
    pub state: String,
    pub tries: u64,
    pub file: Option<String>,
}

/// An order that nobody has acknowledged yet.
#[derive(Debug)]
pub struct Unplaced {
    event: String,
    name: String,
}

impl Unplaced {
    pub fn new(site: &Site<'_>, name: &str) -> Self {
        Self { event: format!("Concert {}", site.lab.word()), name: name.to_owned() }
    }

    /// Asks for it.
    pub fn request(&self, site: &Site<'_>, app: &App) -> Request {
        site.post(app, "/orders").json(&json!({ "event": self.event, "name": self.name }))
    }

    /// What it is once it was answered with 201.
    pub fn placed(self, answer: &Response) -> CheckResult<Order> {
        Ok(Order { id: answer.at("/id")?, event: self.event, name: self.name })
    }
}

impl Order {
    /// Places an order for somebody.
    pub async fn place(site: &Site<'_>, app: &App, name: &str) -> CheckResult<Self> {
        let order = Unplaced::new(site, name);
        let answer = order.request(site, app).await?.expect_status(201)?;
        order.placed(&answer)
    }

    /// Places this many orders at once.
    pub async fn place_all(site: &Site<'_>, app: &App, count: usize) -> CheckResult<Vec<Self>> {
        let mut orders = Vec::with_capacity(count);
        let names: Vec<String> = (0..count).map(|number| format!("{} {number}", site.lab.word())).collect();
        for names in names.chunks(20) {
            orders.extend(try_join_all(names.iter().map(|name| Self::place(site, app, name))).await?);
        }
        Ok(orders)
    }

    pub fn path(&self) -> String {
        format!("/orders/{}", self.id)
    }

    /// Asks for its ticket.
    pub fn ask(&self, site: &Site<'_>, app: &App) -> Request {
        site.post(app, format!("{}/ticket", self.path()))
    }

    /// Asks for its ticket, and gets a job.
    pub async fn ticket(&self, site: &Site<'_>, app: &App) -> CheckResult<String> {
        self.ask(site, app).await?.expect_status(202)?.at("/job")
    }

    /// Asks for the tickets of all.
    pub async fn tickets(orders: &[Self], site: &Site<'_>, app: &App) -> CheckResult<Vec<String>> {
        let mut jobs = Vec::with_capacity(orders.len());
        for orders in orders.chunks(20) {
            jobs.extend(try_join_all(orders.iter().map(|order| order.ticket(site, app))).await?);
        }
        Ok(jobs)
    }

    /// Expects that the file is this order's ticket.
    pub async fn expect_ticket(&self, site: &Site<'_>, app: &App, file: &str) -> CheckResult<Vec<u8>> {
        let answer = site.download(app, file).await?;
        // The printer's letters are the first 256 characters.
        let text: String = answer.body().iter().map(|byte| char::from(*byte)).collect();
        for line in [format!("order {}", self.id), format!("event {}", self.event), format!("name {}", self.name)] {
            if !text.lines().any(|other| other == line) {
                let failure = answer.failure("the ticket lacks a line");
                return Err(failure.expected(format!("{line}, in ISO 8859-1")).actual(text));
            }
        }
        Ok(answer.body().to_vec())
    }
}

impl Job {
    /// What ana is told of a job.
    pub async fn read(site: &Site<'_>, app: &App, id: &str) -> CheckResult<Self> {
        let answer = site.get(app, format!("/jobs/{id}")).await?.expect_status(200)?;
        let answer = answer.expect_json(json!({ "id": id }))?;
        let answer =
            answer.expect_json_where("/file", "is a string or null", |file| file.is_string() || file.is_null())?;
        Ok(Self { state: answer.at("/state")?, tries: answer.at("/tries")?, file: answer.at("/file")? })
    }

    /// Waits until a job is in this state.
    pub async fn until(site: &Site<'_>, app: &App, id: &str, state: &str, within: Duration) -> CheckResult<Self> {
        let what = format!("the job is {state}");
        site.lab
            .eventually(&what, within, || async {
                let job = Self::read(site, app, id).await?;
                expect_equal("the job's state", &job.state.as_str(), &state)?;
                Ok(job)
            })
            .await
    }

    /// Waits until a worker has begun it: its message was delivered then.
    pub async fn begun(site: &Site<'_>, app: &App, id: &str) -> CheckResult {
        site.lab
            .eventually("a worker has begun the job", SOON, || async {
                let job = Self::read(site, app, id).await?;
                let failure = || Failure::learner("no worker has begun it").expected("\"tries\": 1").actual("0");
                if job.tries > 0 { Ok(()) } else { Err(failure()) }
            })
            .await
    }

    /// Waits until a job is done, and gives the file.
    pub async fn done(site: &Site<'_>, app: &App, id: &str) -> CheckResult<String> {
        Self::done_within(site, app, id, SOON).await
    }

    /// The same with a limit of its own.
    pub async fn done_within(site: &Site<'_>, app: &App, id: &str, within: Duration) -> CheckResult<String> {
        let job = Self::until(site, app, id, "done", within).await;
        let job = job.hint("While it is queued, no worker has begun it: does its message reach one? While it is running, one has, and has not written that it is done.")?;
        let none =
            || Failure::learner(format!("the job {id} is done and has no file")).expected("a file").actual("null");
        job.file.ok_or_else(none)
    }

    /// How many of these are done.
    pub async fn count_done(site: &Site<'_>, app: &App, ids: &[String]) -> CheckResult<usize> {
        let mut done = 0;
        for ids in ids.chunks(20) {
            let jobs = try_join_all(ids.iter().map(|id| Self::read(site, app, id))).await?;
            done += jobs.iter().filter(|job| job.state == "done").count();
        }
        Ok(done)
    }
}
