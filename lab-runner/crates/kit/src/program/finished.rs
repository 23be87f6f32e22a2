//! A program that has ended: its exit code, what it wrote, and what is expected of these.

use std::time::Duration;

use lab_check::transcript::show_bytes;
use lab_check::{CheckResult, Failure};
use serde_json::Value;

use crate::launch::Exit;

/// A program that has ended.
#[derive(Debug, Clone)]
pub struct Finished {
    pub(super) exit: Exit,
    pub(super) output: Vec<u8>,
    pub(super) errors: Vec<u8>,
    pub(super) took: Duration,
    pub(super) peak: Option<u64>,
    /// Its arguments and its input, as a report shows them.
    pub(super) sent: String,
    /// What runs it so by hand.
    pub(super) by_hand: Option<String>,
}

impl Finished {
    /// How it ended.
    ///
    /// ```
    /// # fn example(finished: &lab_kit::Finished) {
    /// assert_eq!(finished.exit().code, Some(0));
    /// # }
    /// ```
    #[must_use]
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// What it wrote to standard output.
    ///
    /// ```
    /// # fn example(finished: &lab_kit::Finished) {
    /// assert!(finished.output().ends_with(b"\n"));
    /// # }
    /// ```
    #[must_use]
    pub fn output(&self) -> &[u8] {
        &self.output
    }

    /// What it wrote to standard error; what is no UTF-8 is replaced.
    ///
    /// ```
    /// # fn example(finished: &lab_kit::Finished) {
    /// assert!(!finished.errors().contains("panicked"));
    /// # }
    /// ```
    #[must_use]
    pub fn errors(&self) -> String {
        String::from_utf8_lossy(&self.errors).into_owned()
    }

    /// How long it ran.
    ///
    /// ```
    /// # fn example(one: &lab_kit::Finished, two: &lab_kit::Finished) {
    /// assert!(one.took() > two.took());
    /// # }
    /// ```
    #[must_use]
    pub fn took(&self) -> Duration {
        self.took
    }

    /// The most memory that it was seen to hold, in bytes; nothing where it was not
    /// [`measured`](super::ProgramBuilder::measured).
    ///
    /// ```
    /// # fn example(finished: &lab_kit::Finished) {
    /// assert!(finished.peak_memory().is_some());
    /// # }
    /// ```
    #[must_use]
    pub fn peak_memory(&self) -> Option<u64> {
        self.peak
    }

    /// Expects the exit code `code`.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// lab.program().arg("--nonsense").run().await?.expect_code(2)?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The learner's failure if it ended otherwise.
    pub fn expect_code(&self, code: i32) -> CheckResult<&Self> {
        if self.exit.is_code(code) {
            return Ok(self);
        }
        let failure = self.failure(format!("the program ended with {}, not with exit code {code}", self.exit));
        Err(failure.expected(format!("exit code {code}")).actual(self.exit.to_string()))
    }

    /// Expects `text` on standard output, byte for byte.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// lab.program().arg("version").run().await?.expect_output("1.0\n")?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The learner's failure if there is something else.
    pub fn expect_output(&self, text: impl AsRef<[u8]>) -> CheckResult<&Self> {
        if self.output == text.as_ref() {
            return Ok(self);
        }
        let failure = self.failure("the standard output is not what was expected");
        Err(failure.expected(show_bytes(text.as_ref())).actual(show_bytes(&self.output)))
    }

    /// Expects that nothing was written to standard error.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// lab.program().run().await?.expect_quiet()?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The learner's failure if something was.
    pub fn expect_quiet(&self) -> CheckResult<&Self> {
        if self.errors.is_empty() {
            return Ok(self);
        }
        let failure = self.failure("the program wrote to standard error though nothing was wrong");
        Err(failure.expected("nothing on standard error").actual(show_bytes(&self.errors)))
    }

    /// Its standard output as JSON, one value a line.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// let rows = lab.program().arg("report").run().await?.expect_json_lines()?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The learner's failure if a line is no JSON, or the last one does not end.
    pub fn expect_json_lines(&self) -> CheckResult<Vec<Value>> {
        let Some(text) = self.output.strip_suffix(b"\n").or(self.output.is_empty().then_some(b"")) else {
            return Err(self.failure("the last line of the standard output has no end"));
        };
        if text.is_empty() {
            return Ok(Vec::new());
        }
        let value = |(index, line): (usize, &[u8])| {
            serde_json::from_slice(line).map_err(|error| {
                let what = format!("line {} of the standard output is no JSON: {error}", index + 1);
                self.failure(what).expected("one JSON value a line").actual(show_bytes(line))
            })
        };
        text.split(|byte| *byte == b'\n').enumerate().map(value).collect()
    }

    /// A failure of the learner's, with what the program was given and what it wrote.
    ///
    /// ```
    /// # use lab_kit::prelude::*;
    /// # async fn example(lab: &Lab) -> CheckResult<()> {
    /// let finished = lab.program().run().await?;
    /// if finished.output().is_empty() {
    ///     return Err(finished.failure("nothing was written").expected("a report"));
    /// }
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn failure(&self, message: impl Into<String>) -> Failure {
        let received = format!("{}\n{}", self.exit, show_bytes(&self.output));
        let failure = Failure::learner(message).sent(self.sent.clone()).received(received);
        match &self.by_hand {
            Some(line) => failure.reproduce(line.clone()),
            None => failure,
        }
    }
}
