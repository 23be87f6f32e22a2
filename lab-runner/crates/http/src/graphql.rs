//! GraphQL over HTTP: one request, and what its answer holds.

use serde_json::{Value, json};

use super::any::absent;
use super::pattern::any_element;
use super::request::Request;
use super::response::Response;
use lab_check::CheckResult;

impl Request {
    /// Sends a GraphQL operation with its variables (GraphQL over HTTP, "POST").
    ///
    /// ```no_run
    /// # use lab_kit::prelude::*;
    /// # async fn example(app: &App) -> CheckResult<()> {
    /// let query = "query ($id: ID!) { event(id: $id) { title } }";
    /// let answer = app.post("/graphql").graphql(query, json!({"id": "7"})).await?;
    /// answer.expect_graphql_data(json!({"event": {"title": "Hamlet"}}))?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn graphql(self, query: &str, variables: Value) -> Self {
        let accepted = "application/graphql-response+json, application/json";
        self.header("Accept", accepted).json(&json!({"query": query, "variables": variables}))
    }
}

impl Response {
    /// Fails unless the answer has no `errors` and its `data` holds all of `expected`, as
    /// [`expect_json`](Self::expect_json) compares.
    ///
    /// ```no_run
    /// # use lab_kit::prelude::*;
    /// # async fn example(app: &App) -> CheckResult<()> {
    /// let answer = app.post("/graphql").graphql("{ events { id } }", json!({})).await?;
    /// answer.expect_graphql_data(json!({"events": [{"id": lab_http::any_id()}]}))?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The learner's failure, with every place that differs.
    pub fn expect_graphql_data(self, expected: Value) -> CheckResult<Self> {
        self.expect_json(json!({"errors": absent(), "data": expected}))
    }

    /// Fails unless one of the answer's `errors` holds all of `expected` (GraphQL specification, 7.1.2 Errors).
    ///
    /// ```no_run
    /// # use lab_kit::prelude::*;
    /// # async fn example(app: &App) -> CheckResult<()> {
    /// let answer = app.post("/graphql").graphql("{ me { id } }", json!({})).await?;
    /// answer.expect_graphql_error(json!({"path": ["me"], "extensions": {"code": "UNAUTHENTICATED"}}))?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The learner's failure, with the errors that came.
    pub fn expect_graphql_error(self, expected: Value) -> CheckResult<Self> {
        self.expect_json(json!({"errors": any_element(expected)}))
    }
}
