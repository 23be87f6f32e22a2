//! Refusals: problem documents (RFC 9457), and the members that they name.

use std::collections::BTreeSet;

use lab_kit::prelude::*;

/// What a refusal must be.
pub trait Problem: Sized {
    /// Fails unless it is a problem document with this status.
    fn expect_problem(self, status: u16) -> CheckResult<Self>;

    /// Fails unless it is a problem document with one of these statuses.
    fn expect_problem_in(self, statuses: &[u16]) -> CheckResult<Self>;

    /// Fails unless it is a 422 whose `errors` name exactly these members.
    fn expect_bad_members(self, names: &[&str]) -> CheckResult<Self>;
}

impl Problem for Response {
    fn expect_problem(self, status: u16) -> CheckResult<Self> {
        document(self.expect_status(status)?)
    }

    fn expect_problem_in(self, statuses: &[u16]) -> CheckResult<Self> {
        document(self.expect_status_in(statuses)?)
    }

    fn expect_bad_members(self, names: &[&str]) -> CheckResult<Self> {
        let answer = self.expect_problem(422)?.expect_json_where("/errors", "an array", Value::is_array)?;
        let expected: BTreeSet<String> = names.iter().map(|name| format!("/{name}")).collect();
        let named = pointers(&answer)?;
        if named == expected {
            return Ok(answer);
        }
        let missing: Vec<_> = expected.difference(&named).cloned().collect();
        let extra: Vec<_> = named.difference(&expected).cloned().collect();
        let mut sentences = Vec::new();
        if !missing.is_empty() {
            sentences.push(format!("does not name what is wrong in the body: {}", missing.join(", ")));
        }
        if !extra.is_empty() {
            sentences.push(format!("names what is not wrong in the body: {}", extra.join(", ")));
        }
        let shown = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(", ");
        Err(answer
            .failure(format!("`errors` {}", sentences.join(", and ")))
            .expected(format!("the pointers {}", shown(&expected)))
            .actual(format!("the pointers {}", shown(&named))))
    }
}

fn document(answer: Response) -> CheckResult<Response> {
    let status = answer.status();
    answer
        .expect_media_type("application/problem+json")?
        .expect_json_where("/title", "a text that says what kind of problem it is", |title| {
            title.as_str().is_some_and(|title| !title.trim().is_empty())
        })?
        .expect_json_where("/status", &format!("the status of the response, {status}"), |value| {
            value.as_f64() == Some(f64::from(status))
        })
}

/// The pointers of `errors`, without the `#` of a URI fragment, which RFC 9457 shows in its example.
fn pointers(answer: &Response) -> CheckResult<BTreeSet<String>> {
    let errors: Vec<Value> = answer.at("/errors")?;
    let mut pointers = BTreeSet::new();
    for error in &errors {
        let Some(pointer) = error["pointer"].as_str() else {
            return Err(answer
                .failure("an object in `errors` has no `pointer`")
                .expected("a JSON pointer, such as \"/title\"")
                .actual(error.to_string()));
        };
        let pointer = pointer.strip_prefix('#').unwrap_or(pointer);
        if !(pointer.is_empty() || pointer.starts_with('/')) {
            return Err(answer
                .failure(format!("a `pointer` in `errors` is not a JSON pointer, which begins with `/`: {pointer}"))
                .expected(format!("such as \"/{pointer}\" or \"#/{pointer}\""))
                .actual(error.to_string()));
        }
        pointers.insert(pointer.to_owned());
    }
    Ok(pointers)
}
