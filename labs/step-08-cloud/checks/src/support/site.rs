//! The program under test in its two roles, and the people who use it.

use lab_kit::ServerBuilder;
use lab_kit::prelude::*;
use lab_kit::proxy::Proxy;
use lab_postgres::{LabPostgres as _, Postgres};
use lab_store::{LabStore as _, Store};

use super::{Document, SOON, Signed};

/// What a check starts servers with.
#[derive(Debug)]
pub struct Site<'a> {
    pub lab: &'a Lab,
    /// The tokens of two people.
    pub ana: String,
    pub ben: String,
    env: Vec<(String, String)>,
}

/// An upload that was begun.
#[derive(Debug, Clone)]
pub struct Upload {
    pub id: String,
    /// One request, or one for each part.
    pub puts: Vec<Signed>,
}

impl Upload {
    pub fn path(&self) -> String {
        format!("/uploads/{}", self.id)
    }
}

impl<'a> Site<'a> {
    pub fn new(lab: &'a Lab) -> Self {
        let token = || format!("{}{}", lab.word(), lab.word());
        Self { lab, ana: token(), ben: token(), env: Vec::new() }
    }

    /// Sets a variable of every server.
    pub fn env(mut self, name: &str, value: impl ToString) -> Self {
        self.env.push((name.to_owned(), value.to_string()));
        self
    }

    /// The same site, whose servers may be told something else as well.
    pub fn twin(&self) -> Self {
        Self { lab: self.lab, ana: self.ana.clone(), ben: self.ben.clone(), env: self.env.clone() }
    }

    /// A server that takes requests.
    pub fn web(&self) -> ServerBuilder<'a> {
        self.role("web")
    }

    /// A server that works.
    pub fn worker(&self) -> ServerBuilder<'a> {
        self.role("worker")
    }

    fn role(&self, role: &str) -> ServerBuilder<'a> {
        let tokens = format!("ana:{},ben:{}", self.ana, self.ben);
        let server = self.lab.server().env("ROLE", role).env("API_TOKENS", &tokens);
        self.env.iter().fold(server, |server, (name, value)| server.env(name, value))
    }

    pub async fn store(&self) -> CheckResult<&'a Store> {
        self.lab.store().await
    }

    pub async fn database(&self) -> CheckResult<&'a Postgres> {
        self.lab.postgres().await
    }

    /// The URL of the database for a server that reaches it through `proxy`.
    pub async fn database_through(&self, proxy: &Proxy) -> CheckResult<String> {
        let database = self.database().await?;
        let (from, to) = (database.proxy().address().to_string(), proxy.address().to_string());
        Ok(database.url().replace(&from, &to))
    }

    /// What ana asks.
    pub fn get(&self, app: &App, path: impl AsRef<str>) -> Request {
        app.get(path).bearer(&self.ana)
    }

    /// What ana asks to be done.
    pub fn post(&self, app: &App, path: impl AsRef<str>) -> Request {
        app.post(path).bearer(&self.ana)
    }

    /// Ana begins an upload.
    pub async fn begin(&self, app: &App, document: &Document) -> CheckResult<Upload> {
        let answer = self.post(app, "/uploads").json(&document.description()).await?.expect_status(201)?;
        self.upload(&answer).await
    }

    /// Reads what `POST /uploads` was answered.
    pub async fn upload(&self, answer: &Response) -> CheckResult<Upload> {
        let (store, body) = (self.store().await?, answer.json()?);
        let puts = match body.get("parts").and_then(Value::as_array) {
            Some(parts) => parts.iter().map(|part| Signed::of(answer, part, store)).collect::<CheckResult<_>>()?,
            None => vec![Signed::of(answer, &body, store)?],
        };
        Ok(Upload { id: answer.at("/id")?, puts })
    }

    /// Ana begins an upload and sends the whole of it, which is no more than one request.
    pub async fn send(&self, app: &App, document: &Document) -> CheckResult<Upload> {
        let upload = self.begin(app, document).await?;
        self.put(&upload.puts[0], &document.bytes).await?;
        Ok(upload)
    }

    /// Sends bytes to the store, as signed.
    pub async fn put(&self, signed: &Signed, bytes: &[u8]) -> CheckResult {
        let answer = signed.send(self.store().await?, bytes).await?;
        answer.expect_status(200).because("the store refuses the request that the server has signed")?;
        Ok(())
    }

    /// Ana says that everything is there.
    pub fn complete(&self, app: &App, upload: &Upload) -> Request {
        self.post(app, format!("{}/complete", upload.path())).within(SOON)
    }

    /// Expects that the upload completes, and gives its file.
    pub async fn completed(&self, app: &App, upload: &Upload) -> CheckResult<String> {
        let answer = self.complete(app, upload).await?.expect_status(200)?;
        answer.expect_json(json!({ "id": upload.id, "state": "complete" }))?.at("/file")
    }

    /// Ana uploads a document, and gets a file.
    pub async fn file(&self, app: &App, document: &Document) -> CheckResult<String> {
        let upload = self.send(app, document).await?;
        self.completed(app, &upload).await
    }

    /// Where ana is sent for a file.
    pub async fn redirected(&self, app: &App, file: &str) -> CheckResult<Signed> {
        let answer = self.get(app, format!("/files/{file}")).await?.expect_status(307)?;
        Signed::of_redirect(&answer, self.store().await?)
    }

    /// Ana downloads a file.
    pub async fn download(&self, app: &App, file: &str) -> CheckResult<Response> {
        let signed = self.redirected(app, file).await?;
        signed.request(self.store().await?).within(SOON).await?.expect_status(200)
    }

    /// Expects that ana gets these bytes for the file. What is large she gets in pieces.
    pub async fn expect_file(&self, app: &App, file: &str, document: &Document) -> CheckResult {
        const PIECE: usize = 4 << 20;
        let size = document.bytes.len();
        if size <= PIECE {
            self.download(app, file).await?.expect_body(&document.bytes)?;
            return Ok(());
        }
        let signed = self.redirected(app, file).await?;
        for from in (0..size).step_by(PIECE) {
            let piece = &document.bytes[from..size.min(from + PIECE)];
            let range = format!("bytes={from}-{}", from + piece.len() - 1);
            let answer = signed.request(self.store().await?).header("Range", range).within(SOON).await?;
            let whole = format!("ends with /{size}");
            let answer = answer.expect_status(206)?;
            // never fails alone: what was joined of parts had the size that was announced
            let answer = answer.expect_header_where("content-range", &whole, |value| value.ends_with(&whole[10..]))?;
            // never fails alone: what was joined of parts had the hash that was announced
            answer.expect_body(piece)?;
        }
        Ok(())
    }

    /// Expects that an upload is in this state.
    pub async fn expect_state(&self, app: &App, upload: &Upload, state: &str) -> CheckResult<Response> {
        self.get(app, upload.path()).await?.expect_status(200)?.expect_json(json!({ "id": upload.id, "state": state }))
    }

    /// The fencing tokens of the last sweeps, in the order in which the sweeps were written down.
    pub async fn sweeps(&self, app: &App) -> CheckResult<Vec<i64>> {
        let answer = self.get(app, "/sweeps").await?.expect_status(200)?;
        let sweeps: Vec<Value> =
            serde_json::from_value(answer.json()?).map_err(|_| answer.failure("it is no array"))?;
        let token = |sweep: &Value| sweep.get("token").and_then(Value::as_i64);
        let tokens: Option<Vec<i64>> = sweeps.iter().map(token).collect();
        tokens.ok_or_else(|| answer.failure("a sweep has no `token`, a whole number"))
    }

    /// Waits until something has been swept this many times more.
    pub async fn more_sweeps(&self, app: &App, count: usize) -> CheckResult {
        // The list shows the last hundred at least: what has been longer may show as many as before.
        let before = self.sweeps(app).await?.len();
        self.lab
            .eventually("a worker sweeps again and again", SOON, || async {
                let now = self.sweeps(app).await?.len();
                expect_that(now >= 100 || now >= before + count, format!("{now} sweeps were told of, after {before}"))
            })
            .await
    }

    /// Expects that the store holds these many objects, and no parts of others.
    pub async fn expect_objects(&self, count: usize) -> CheckResult {
        let store = self.store().await?;
        let keys: Vec<String> = store.objects().await?.into_iter().map(|object| object.key).collect();
        expect_that(keys.len() == count, format!("the bucket holds {} objects, not {count}: {keys:?}", keys.len()))?;
        let parts: Vec<String> = store.multipart_uploads().await?.into_iter().map(|upload| upload.key).collect();
        expect_that(parts.is_empty(), format!("the bucket holds parts of uploads that are over: {parts:?}"))
    }

    /// The same when whatever a worker that died has left may lie there until the next sweep.
    pub async fn expect_one_object(&self, count: usize) -> CheckResult {
        let found = self.lab.eventually("there is one object for each ticket", SOON, || async {
            self.expect_objects(count).await?;
            Ok(())
        });
        found.await
    }
}
