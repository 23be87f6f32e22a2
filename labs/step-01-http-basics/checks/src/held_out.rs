//! Held out: what the other checks ask one by one, drawn at random and mixed, and wrong numbers that look otherwise.

use std::collections::BTreeMap;

use lab_kit::prelude::*;
use lab_kit::rand::RngExt as _;

use crate::chunked::CHUNKED;
use crate::support::{CLOSE, Site, get, one_chunk, random_bytes, raw_request, request};

/// How many kinds of requests there are.
const KINDS: usize = 7;
/// How many pieces they are sent in.
const PIECES: usize = 9;
/// How many things are done to the files.
const DEEDS: usize = 45;
/// What is done to a file: a number of eight, of which two put, two ask conditionally and two read.
const PUT: u8 = 0;
const DELETE: u8 = 2;
const HEAD: u8 = 3;
const CONDITIONAL: u8 = 4;
const GET: u8 = 6;
/// The largest body, in bytes: more than one read returns.
const LARGEST: usize = 30_000;

/// What one of the mixed requests is answered with.
struct Expected {
    method: &'static str,
    status: u16,
    /// The body, where the README says what it is.
    body: Option<Vec<u8>>,
}

/// Requests of every kind may follow each other on one connection, in any order and in any pieces (RFC 9112 §9.3).
#[check(title = "requests of all kinds are mixed on one connection", task = 6, points = 3,
        needs = ["chunked_body", "head", "pipelined_requests", "method_not_allowed"], held_out,
        hints = ["Does anything of one request live on when the next one is read?"])]
async fn mixed_requests(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let (mut sent, mut expected) = (Vec::new(), Vec::new());
    for kind in every_kind_after_every_kind(lab) {
        let (bytes, answer) = mixed(lab, kind);
        sent.extend(bytes);
        expected.push(answer);
    }
    let mut connection = app.connect().await?;
    connection.send_in_pieces(sent.len().div_ceil(PIECES), &sent).await?;
    for (number, wanted) in expected.iter().enumerate() {
        let place = format!("it is the response to request {} of {}, of all kinds", number + 1, expected.len());
        let answer = connection.response_to(wanted.method).await.because(&place)?;
        // never fails alone: the checks that this one needs ask the same of each kind
        let answer = answer.expect_status(wanted.status).because(&place)?;
        if let Some(body) = &wanted.body {
            answer.expect_body(body).because(&place)?;
        }
    }
    Ok(())
}

/// Kinds in an order in which each comes once behind each of them: a de Bruijn sequence, of kinds that chance has numbered.
fn every_kind_after_every_kind(lab: &Lab) -> Vec<usize> {
    let mut kinds: Vec<usize> = (0..KINDS).collect();
    lab.random(|random| {
        for last in (1..KINDS).rev() {
            kinds.swap(last, random.random_range(0..=last));
        }
    });
    let words =
        (0..KINDS).flat_map(|one| [vec![one]].into_iter().chain((one + 1..KINDS).map(move |two| vec![one, two])));
    let cycle: Vec<usize> = words.flatten().map(|number| kinds[number]).collect();
    let first = cycle[..1].to_vec();
    [cycle, first].concat()
}

/// A request of a kind, and what it is answered with.
fn mixed(lab: &Lab, kind: usize) -> (Vec<u8>, Expected) {
    let word = lab.word();
    let answer = |method, status, body: &[u8]| Expected { method, status, body: Some(body.to_vec()) };
    match kind {
        0 => (
            get(&format!("/echo/{word}%20%2f{word}")).into_bytes(),
            answer("GET", 200, format!("{word} /{word}").as_bytes()),
        ),
        1 => {
            let agent = format!("{word}/1.0 (a: b)");
            let fields = format!("user-AGENT: \t{agent} \r\n");
            (raw_request("GET /user-agent", fields.as_bytes(), b""), answer("GET", 200, agent.as_bytes()))
        }
        2 => (request(&format!("HEAD /echo/{word}"), "", "").into_bytes(), answer("HEAD", 200, b"")),
        3 => (get(&format!("/{word}")).into_bytes(), Expected { method: "GET", status: 404, body: None }),
        4 => (request("PUT /", "", "").into_bytes(), Expected { method: "PUT", status: 405, body: None }),
        5 => {
            let body = random_bytes(lab, lab.random(|random| random.random_range(0..LARGEST)));
            (chunked(lab, &body), answer("POST", 200, &body))
        }
        _ => {
            let body = random_bytes(lab, lab.random(|random| random.random_range(0..LARGEST)));
            let fields = format!("Content-Length: {}\r\n", body.len());
            (raw_request("POST /echo", fields.as_bytes(), &body), answer("POST", 200, &body))
        }
    }
}

/// A POST of `body` in chunks of any sizes, which are written in either case.
fn chunked(lab: &Lab, mut body: &[u8]) -> Vec<u8> {
    let mut chunks = Vec::new();
    while !body.is_empty() {
        let (size, small) = lab.random(|random| (random.random_range(1..=9_000), random.random::<bool>()));
        let (chunk, rest) = body.split_at(body.len().min(size));
        let size = if small { format!("{:x}\r\n", chunk.len()) } else { format!("{:X};of=it\r\n", chunk.len()) };
        chunks.extend([size.as_bytes(), chunk, b"\r\n"].concat());
        body = rest;
    }
    chunks.extend(b"0\r\n\r\n");
    raw_request("POST /echo", CHUNKED.as_bytes(), &chunks)
}

/// A number is digits and nothing else, whatever a number may look like elsewhere (RFC 9110 §8.6, RFC 9112 §7.1).
#[check(title = "other things that are no numbers are refused", task = 6, points = 2,
        needs = ["bad_content_length", "broken_chunk"], held_out,
        hints = ["Which bytes may a number hold, and which does yours?"])]
async fn other_numbers(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let lengths = ["5.0", "5e0", "0b101", "0o5", "--5", "5L", "\"5\"", "5/5", "5;5", "(5)", "5-", "#5"];
    let with_length = lengths.map(|length| request("POST /echo", &format!("Content-Length: {length}\r\n"), "abcde"));
    let sizes = ["3g", "3.0", "3,", "$3", "h3", "\"3\"", "3=3", "(3)", "3-", "#3"];
    let with_size = sizes.map(|size| request("POST /echo", CHUNKED, &format!("{size}\r\nabc\r\n0\r\n\r\n")));
    for wrong in with_length.into_iter().chain(with_size) {
        let mut connection = app.connect().await?;
        connection.send(wrong + &get(&format!("/echo/{}", lab.word()))).await?;
        connection.response().await?.expect_status(400)?;
        // never fails alone: `bad_content_length` and `broken_chunk` ask the same
        connection.expect_closed(CLOSE).await.because("nobody can know where the next request begins")?;
    }
    Ok(())
}

/// A file as it ought to be.
#[derive(Default)]
struct File {
    content: Option<Vec<u8>>,
    seen: Option<Seen>,
}

/// What was last read of a file.
struct Seen {
    tag: String,
    /// How long the file was, in bytes.
    length: usize,
    /// Whether something was put there since.
    rewritten: bool,
}

/// Whatever was done to files before, each holds what was put there last (RFC 9110 §9.3).
#[check(title = "files hold what was put there last, whatever was done before", task = 7, points = 3,
        needs = ["file_deleted", "file_names", "file_upload_chunked", "not_modified"], held_out,
        hints = ["Does anything that your server remembers of a file outlive the file?"])]
async fn file_story(lab: &Lab) -> CheckResult {
    let site = Site::start(lab).await?;
    let word = lab.word();
    let names = [word.clone(), format!("{word}%20%C3%BC.txt"), format!("{word}%2Bone%25")];
    let mut files: BTreeMap<&str, File> = names.iter().map(|name| (name.as_str(), File::default())).collect();
    let drawn =
        (0..DEEDS).map(|_| lab.random(|random| (random.random_range(0..names.len()), random.random_range(0..8_u8))));
    // Chance may leave out what a server that remembers too much has wrong.
    let last =
        (0..names.len()).flat_map(|which| [PUT, GET, DELETE, CONDITIONAL, HEAD, PUT, GET].map(|deed| (which, deed)));
    let deeds: Vec<_> = drawn.chain(last).collect();
    let mut connection = site.app.connect().await?;
    for (number, &(which, deed)) in deeds.iter().enumerate() {
        let Some((name, file)) = files.iter_mut().nth(which) else { continue };
        let path = format!("/files/{name}");
        if lab.random(|random| random.random_range(0..5)) == 0 {
            connection = site.app.connect().await?;
        }
        let done = match deed {
            PUT | 1 => put(lab, &mut connection, &path, file).await,
            DELETE => delete(lab, &site.app, &path, file).await,
            HEAD => head(&site.app, &path, file, &mut connection).await,
            CONDITIONAL | 5 => conditional(&site.app, &path, file, &mut connection).await,
            _ => read(&site.app, &path, file, &mut connection).await,
        };
        done.because(&format!("it is thing {} of {} that are done to three files", number + 1, deeds.len()))?;
    }
    Ok(())
}

/// Puts something new there, counted or in chunks.
async fn put(lab: &Lab, connection: &mut Connection, path: &str, file: &mut File) -> CheckResult {
    let (length, counted) = lab.random(|random| (random.random_range(0..600), random.random::<bool>()));
    let text: String = lab.word().chars().cycle().take(length).collect();
    let (fields, body) = if counted || text.is_empty() {
        (format!("Content-Length: {length}\r\n"), text.clone())
    } else {
        (CHUNKED.to_owned(), one_chunk(&text))
    };
    connection.send(request(&format!("PUT {path}"), &fields, &body)).await?;
    let usual: &[u16] = if file.content.is_some() { &[200, 204] } else { &[201] };
    connection.response_to("PUT").await?.expect_status_in(usual)?;
    file.content = Some(text.into_bytes());
    if let Some(seen) = &mut file.seen {
        seen.rewritten = true;
    }
    Ok(())
}

async fn delete(lab: &Lab, app: &App, path: &str, file: &mut File) -> CheckResult {
    let answer = app.delete(path).await?;
    if file.content.take().is_none() {
        // never fails alone: `file_missing` asks the same
        return answer.expect_status_in(&[404, 410]).map(drop);
    }
    // never fails alone: `file_deleted` asks the same
    if answer.expect_status_in(&[200, 202, 204])?.status() != 202 {
        return Ok(());
    }
    // 202 promises that it will be done, not that it is.
    lab.eventually("a deleted file is gone", CLOSE, || async {
        // never fails alone: `file_deleted` asks the same
        app.get(path).await?.expect_status_in(&[404, 410]).map(drop)
    })
    .await
}

async fn head(app: &App, path: &str, file: &File, connection: &mut Connection) -> CheckResult {
    let status: &[u16] = if file.content.is_some() { &[200] } else { &[404, 410] };
    // never fails alone: `file_head` asks the same
    app.request("HEAD", path).over(connection).await?.expect_status_in(status).map(drop)
}

async fn read(app: &App, path: &str, file: &mut File, connection: &mut Connection) -> CheckResult {
    let answer = app.get(path).over(connection).await?;
    // never fails alone: `file_missing` asks the same
    let Some(content) = &file.content else { return answer.expect_status_in(&[404, 410]).map(drop) };
    // never fails alone: `file_read` asks the same
    let answer = answer.expect_status(200)?;
    let seen = |tag: &str| Seen { tag: tag.to_owned(), length: content.len(), rewritten: false };
    file.seen = answer.header("etag").map(seen);
    answer.expect_body(content).map(drop)
}

/// Asks for the file unless it is as it was when it was last read.
async fn conditional(app: &App, path: &str, file: &mut File, connection: &mut Connection) -> CheckResult {
    let Some(seen) = &file.seen else { return read(app, path, file, connection).await };
    let answer = app.get(path).header("If-None-Match", &seen.tag).over(connection).await?;
    let statuses: &[u16] = match &file.content {
        None => &[404, 410],
        Some(_) if !seen.rewritten => &[304],
        Some(content) if content.len() != seen.length => &[200],
        // A tag may be made of length and time, and the clock need not have moved on.
        Some(_) => &[200, 304],
    };
    let answer = answer.expect_status_in(statuses)?;
    match &file.content {
        // never fails alone: `etag_changes` asks the same of the content
        Some(content) if answer.status() == 200 => answer.expect_body(content).map(drop),
        _ => Ok(()),
    }
}
