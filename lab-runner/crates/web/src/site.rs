//! The site of `cargo lab web`: the course as a picture, each lab's README, and the timeline of every check as it was asked
//! last. It only ever reads.

mod course;
mod guard;
mod lab;
mod live;
mod markdown;
mod shelf;

use std::error::Error;
use std::future::IntoFuture as _;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::{Router, routing::get};
use lab_runner::workspace::Workspace;
use tokio::net::TcpListener;

use crate::page::{self, SCRIPT};
use guard::Guard;
use shelf::Shelf;

/// What the site's pages do beside showing timelines: take in what has changed.
const LIVE: &str = include_str!("../assets/live.js");

/// How the site is served.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The port on loopback; 0 for a free one.
    pub port: u16,
    /// Whether the model answer may be seen before all checks pass.
    pub anyway: bool,
}

/// What every page is made from.
struct Site {
    workspace: Workspace,
    state: lab_runner::state::State,
    shelf: Shelf,
    anyway: bool,
    policy: String,
    /// What the path of every page begins with.
    prefix: String,
}

impl Site {
    /// The path of a page, made of `parts`.
    fn path(&self, parts: &[&str]) -> String {
        let plain = |part: &&str| {
            part.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect()
        };
        let parts: Vec<String> = parts.iter().map(plain).collect();
        format!("{}/{}", self.prefix, parts.join("/"))
    }
}

/// Serves the site until standard input ends, and tells its address on standard output.
///
/// # Errors
/// There is no workspace, or the port cannot be had.
pub fn serve(options: Options) -> Result<(), Box<dyn Error>> {
    let workspace = Workspace::discover()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(run(workspace, options))
}

async fn run(workspace: Workspace, options: Options) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, options.port))).await?;
    let guard = Guard::new(listener.local_addr()?.port());
    let url = guard.url();
    let router = router(workspace, guard, options.anyway);
    writeln!(std::io::stdout(), "{url}")?;
    // Whoever started us holds the other end: it ends with them, however they ended.
    let gone = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    tokio::select! {
        served = axum::serve(listener, router).into_future() => served?,
        _ = gone => {}
    }
    Ok(())
}

/// The site of `workspace` behind `guard`.
fn router(workspace: Workspace, guard: Guard, anyway: bool) -> Router {
    let state = lab_runner::state::State::of(&workspace);
    let changes = live::watch(&state);
    let policy = page::policy(&[SCRIPT, LIVE], "'self'") + "; frame-ancestors 'none'";
    let shelf = Shelf::new(state.runs());
    let site = Arc::new(Site { workspace, state, shelf, anyway, policy, prefix: guard.prefix() });
    let path = |rest: &str| format!("{}{rest}", guard.prefix());
    Router::new()
        .route(&path("/"), get(home))
        .route(&path("/lab/{lab}"), get(of_lab))
        .route(&path("/lab/{lab}/{check}"), get(of_check))
        .with_state(site)
        .route(&path("/changes"), get(live::changes).with_state(changes))
        .layer(middleware::from_fn_with_state(Arc::new(guard), guard::admit))
}

async fn home(State(site): State<Arc<Site>>) -> Response {
    answer(site, |site| Some(course::page(site))).await
}

async fn of_lab(State(site): State<Arc<Site>>, Path(lab): Path<String>) -> Response {
    answer(site, move |site| lab::page(site, &lab, None)).await
}

async fn of_check(State(site): State<Arc<Site>>, Path((lab, check)): Path<(String, String)>) -> Response {
    answer(site, move |site| lab::page(site, &lab, Some(&check))).await
}

/// A page, made where files may be read.
async fn answer(site: Arc<Site>, make: impl FnOnce(&Site) -> Option<Page> + Send + 'static) -> Response {
    let made = tokio::task::spawn_blocking(move || {
        make(&site).map(|page| (page::page(&page.title, None, &[SCRIPT, LIVE], &page.body), site.policy.clone()))
    });
    match made.await {
        Ok(Some((text, policy))) => {
            let headers = [
                (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
                (header::CONTENT_SECURITY_POLICY, policy),
            ];
            (headers, text).into_response()
        }
        Ok(None) => (StatusCode::NOT_FOUND, "there is no such page").into_response(),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, "this page could not be made").into_response(),
    }
}

/// A page before it is a document.
struct Page {
    title: String,
    body: maud::Markup,
}
