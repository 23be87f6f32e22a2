//! Following `next` through the list.

use lab_kit::prelude::*;

use super::Id;

/// More pages than any walk of these checks has: a list that does not end is one that goes in circles.
const MOST_PAGES: usize = 60;

/// One page: the ids on it, and its `next`.
pub async fn page(
    app: &App,
    parameters: &[(&str, &str)],
    after: Option<&str>,
) -> CheckResult<(Vec<Id>, Option<String>)> {
    let mut request = app.get("/events");
    for (name, value) in parameters.iter().copied().chain(after.map(|after| ("after", after))) {
        request = request.query(name, value);
    }
    let response = request.await?.expect_status(200)?;
    let items: Vec<Value> = response.at("/items")?;
    let ids =
        (0..items.len()).map(|index| Id::of(&response, &format!("/items/{index}/id"))).collect::<CheckResult<_>>()?;
    let next = match response.json()?.get("next") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.clone()),
        Some(other) => {
            return Err(response
                .failure(format!("`next` is {other}"))
                .expected("a string; null or absent on the last page"));
        }
    };
    Ok((ids, next))
}

/// Every page from the first to the last.
pub async fn walk(app: &App, parameters: &[(&str, &str)]) -> CheckResult<Vec<Vec<Id>>> {
    let mut pages = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let (ids, next) = page(app, parameters, after.as_deref()).await?;
        pages.push(ids);
        let Some(next) = next else { return Ok(pages) };
        if pages.len() >= MOST_PAGES {
            return Err(
                Failure::learner(format!("after {MOST_PAGES} pages there is still a `next`")).expected("the list ends")
            );
        }
        after = Some(next);
    }
}
