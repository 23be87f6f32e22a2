//! Waiting for what takes a while: again and again until it holds.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::Lab;
use lab_check::{CheckResult, Failure};

/// Polls begin this close together and grow apart: what is quick is seen quickly, what is slow is not disturbed.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

impl Lab {
    /// Tries until `attempt` succeeds, and fails with its last failure once `within` is over. Failures that are
    /// not the learner's end it at once. `what` is a sentence in the present tense: what holds then.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab, app: &App) -> CheckResult<()> {
    /// lab.eventually("the server recovers", Duration::from_secs(5), || async {
    ///     app.get("/events").await?.expect_status(200)
    /// })
    /// .await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The last failure of `attempt`, with `what` and the time as the sentence.
    pub async fn eventually<T, F, A>(&self, what: &str, within: Duration, mut attempt: A) -> CheckResult<T>
    where
        A: FnMut() -> F,
        F: Future<Output = CheckResult<T>>,
    {
        let deadline = Instant::now() + within;
        let mut pause = FIRST_PAUSE;
        loop {
            match attempt().await {
                Err(Failure::Learner(mut explanation)) if Instant::now() + pause >= deadline => {
                    explanation.message =
                        format!("not seen within {within:?}: {what}; the last try: {}", explanation.message);
                    return Err(Failure::Learner(explanation).by_time());
                }
                Err(Failure::Learner(_)) => sleep(pause).await,
                done => return done,
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}
