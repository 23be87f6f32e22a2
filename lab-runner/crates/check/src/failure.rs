//! Why a check does not pass: the learner's mistake, our fault, or a behaviour that cannot be seen here.

use lab_protocol::{Difference, Explanation, in_full};

/// What a check, or any step of one, comes to. A check itself gives nothing back.
pub type CheckResult<T = ()> = Result<T, Failure>;

/// Why a check stopped before its end.
#[derive(Debug, Clone)]
pub enum Failure {
    /// The server behaves otherwise than expected. The check failed.
    Learner(Box<Explanation>),
    /// The grader or a service failed. It costs no learner a point.
    Ours(String),
    /// The behaviour cannot be seen here, such as a restart of a server we did not start.
    NotApplicable(String),
}

impl Failure {
    /// The learner's mistake, told in one sentence.
    ///
    /// ```
    /// use lab_check::Failure;
    ///
    /// let failure = Failure::learner("the order was made twice").expected("1 order").actual("2 orders");
    /// assert!(failure.is_learners());
    /// ```
    pub fn learner(message: impl Into<String>) -> Self {
        let places = crate::place::here();
        Self::Learner(Box::new(Explanation { message: message.into(), places, ..Explanation::default() }))
    }

    /// Our own fault, with the causes of `error` walked once.
    ///
    /// ```
    /// use lab_check::Failure;
    ///
    /// let error = std::io::Error::other("disk full");
    /// assert!(!Failure::ours("could not write the canary", &error).is_learners());
    /// ```
    pub fn ours(what: &str, error: &dyn std::error::Error) -> Self {
        Self::Ours(format!("{what}: {}", in_full(error)))
    }

    /// A behaviour that cannot be seen here: the check is skipped and its points are taken out of the total.
    ///
    /// ```
    /// use lab_check::Failure;
    ///
    /// assert!(!Failure::not_applicable("the server was not started by the grader").is_learners());
    /// ```
    pub fn not_applicable(message: impl Into<String>) -> Self {
        Self::NotApplicable(message.into())
    }

    /// Whether the learner can mend it.
    pub fn is_learners(&self) -> bool {
        matches!(self, Self::Learner(_))
    }

    /// Adds what was expected. Says nothing where the failure is ours.
    #[must_use]
    pub fn expected(self, text: impl Into<String>) -> Self {
        self.explain(|e| e.expected = Some(text.into()))
    }

    /// Adds what was found.
    #[must_use]
    pub fn actual(self, text: impl Into<String>) -> Self {
        self.explain(|e| e.actual = Some(text.into()))
    }

    /// Adds what was sent, unless a narrower step said so already.
    #[must_use]
    pub fn sent(self, text: impl Into<String>) -> Self {
        self.explain(|e| {
            e.sent.get_or_insert(text.into());
        })
    }

    /// Adds what came back, unless a narrower step said so already.
    #[must_use]
    pub fn received(self, text: impl Into<String>) -> Self {
        self.explain(|e| {
            e.received.get_or_insert(text.into());
        })
    }

    /// Adds the places that differ.
    #[must_use]
    pub fn differences(self, differences: Vec<Difference>) -> Self {
        self.explain(|e| e.diff = differences)
    }

    /// Adds the reason, where it is narrower than the check's own.
    #[must_use]
    pub fn because(self, why: impl Into<String>) -> Self {
        self.explain(|e| e.because = Some(why.into()))
    }

    /// Adds the hint for this case, unless a narrower step gave one already. It is shown before the check's own hints, and
    /// like them it asks a question or points somewhere; it is not the answer.
    #[must_use]
    pub fn hint(self, text: impl Into<String>) -> Self {
        self.explain(|e| {
            e.hint.get_or_insert(text.into());
        })
    }

    /// Says that it was found because a time was over. A check that fails so is asked once more, alone, before it costs a
    /// point: the machine may have been busy.
    #[must_use]
    pub fn by_time(self) -> Self {
        self.explain(|e| e.by_time = true)
    }

    /// Adds a command that shows the same by hand.
    #[must_use]
    pub fn reproduce(self, command: impl Into<String>) -> Self {
        self.explain(|e| {
            e.reproduce.get_or_insert(command.into());
        })
    }

    fn explain(mut self, change: impl FnOnce(&mut Explanation)) -> Self {
        if let Self::Learner(explanation) = &mut self {
            change(explanation);
        }
        self
    }
}

/// Adds a reason, or a hint, to whatever fails.
pub trait Because {
    /// Says why the behaviour is asked for, in the words a learner reads under `why`.
    ///
    /// ```
    /// use lab_check::{Because, CheckResult, Failure};
    ///
    /// let result: CheckResult = Err(Failure::learner("the answer was empty"));
    /// let explained = result.because("HEAD has no body, GET has");
    /// assert!(explained.is_err());
    /// ```
    fn because(self, why: &str) -> Self;

    /// Gives the hint for this case, where the first hint of the check would miss the point: it is shown before the check's
    /// own, unless a narrower step gave one already.
    ///
    /// ```
    /// use lab_check::{Because, CheckResult, Failure};
    ///
    /// let result: CheckResult = Err(Failure::learner("the second request was answered with the first one's text"));
    /// let hinted = result.hint("What is left in the buffer after the first request?");
    /// let Err(Failure::Learner(explanation)) = hinted else { unreachable!() };
    /// assert_eq!(explanation.hint.as_deref(), Some("What is left in the buffer after the first request?"));
    /// ```
    #[must_use]
    fn hint(self, text: &str) -> Self;
}

impl<T> Because for CheckResult<T> {
    fn because(self, why: &str) -> Self {
        self.map_err(|failure| failure.because(why))
    }

    fn hint(self, text: &str) -> Self {
        self.map_err(|failure| failure.hint(text))
    }
}

/// Turns an error of a tool we use into our own fault.
pub trait Ours<T> {
    /// Says what we were doing when it happened.
    ///
    /// ```
    /// use lab_check::{CheckResult, Ours};
    ///
    /// fn canary() -> CheckResult<Vec<u8>> {
    ///     std::fs::read("/nowhere/canary").ours("reading the canary")
    /// }
    /// assert!(canary().is_err());
    /// ```
    fn ours(self, what: &str) -> CheckResult<T>;
}

impl<T, E: std::error::Error> Ours<T> for Result<T, E> {
    fn ours(self, what: &str) -> CheckResult<T> {
        self.map_err(|error| Failure::ours(what, &error))
    }
}

/// Fails the learner unless `holds`.
///
/// ```
/// use lab_check::expect_that;
///
/// assert!(expect_that(1 + 1 == 2, "one and one make two").is_ok());
/// assert!(expect_that(false, "the sum of all balances stays the same").is_err());
/// ```
///
/// # Errors
/// The learner's failure, with `message` as the sentence that says what is wrong.
pub fn expect_that(holds: bool, message: impl Into<String>) -> CheckResult {
    if holds { Ok(()) } else { Err(Failure::learner(message)) }
}

/// Fails the learner unless both are equal; `what` names the thing that is counted or read.
///
/// ```
/// use lab_check::expect_equal;
///
/// assert!(expect_equal("seats sold", &50, &50).is_ok());
/// assert!(expect_equal("seats sold", &53, &50).is_err());
/// ```
///
/// # Errors
/// The learner's failure, with both values.
pub fn expect_equal<T: PartialEq + std::fmt::Debug>(what: &str, actual: &T, expected: &T) -> CheckResult {
    if actual == expected {
        return Ok(());
    }
    Err(Failure::learner(format!("{what}: expected {expected:?}, found {actual:?}"))
        .expected(format!("{expected:?}"))
        .actual(format!("{actual:?}")))
}
