//! Following a list from its first page to its last.

use lab_check::{CheckResult, Failure};

use super::request::Request;
use super::response::Response;

/// Sends `first`, and then what `next` makes of each answer, until it makes nothing; gives the answers in their order.
/// `most` is more pages than the list has.
///
/// ```no_run
/// # use lab_kit::prelude::*;
/// # async fn example(app: &App) -> CheckResult<()> {
/// let first = app.get("/events").query("limit", 20);
/// let pages = lab_http::walk(first, 50, |page| {
///     let page = page.clone().expect_status(200)?;
///     let after: Option<String> = page.at("/next")?;
///     Ok(after.map(|after| app.get("/events").query("limit", 20).query("after", after)))
/// })
/// .await?;
/// # Ok(()) }
/// ```
///
/// # Errors
/// The learner's failure if there is still a next page after `most`; what a request or `next` fails with.
pub async fn walk(
    first: Request,
    most: usize,
    mut next: impl FnMut(&Response) -> CheckResult<Option<Request>>,
) -> CheckResult<Vec<Response>> {
    let mut pages = Vec::new();
    let mut request = Some(first);
    while let Some(wanted) = request {
        if pages.len() == most {
            return Err(Failure::learner(format!("after {most} pages there is still a next one"))
                .expected("a list that comes to its end"));
        }
        let page = wanted.await?;
        request = next(&page)?;
        pages.push(page);
    }
    Ok(pages)
}
