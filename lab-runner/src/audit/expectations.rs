//! Which of a suite's expectations a mutant has failed, and whether the lab keeps what it promised of them.

use serde::{Deserialize, Serialize};

use super::ratchet::Ratchet;
use super::{Auditor, Problem};
use crate::error::Error;
use crate::submission::Mutant;

/// What is known of a suite's expectations.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Expectations {
    /// How many there are.
    pub total: usize,
    /// How many of them some mutant was seen to fail.
    pub seen: usize,
    /// How many were not seen to fail and have the reason beside them.
    pub reasoned: usize,
    /// How many mutants the lab has.
    pub mutants: usize,
    /// How many of these were ever tried here. Only once all were, it is known what is unproven.
    pub tried: usize,
    /// Those never seen to fail, without a reason.
    pub unproven: Vec<Unproven>,
}

/// An expectation that was never seen to fail.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Unproven {
    /// The file, as seen from the lab's folder.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The function it stands in.
    pub function: String,
    /// What is written there.
    pub text: String,
}

impl Auditor<'_> {
    /// Tells of the expectations of `lab`, and whether the lab keeps its promise of them.
    pub(super) fn expectations(&mut self, lab: usize) -> Result<(), Error> {
        // Another shard's.
        if self.audits[lab].order.is_empty() {
            return Ok(());
        }
        let (source, seen) = (&self.sources[lab], &self.seen[lab]);
        let keys = seen.keys();
        let unproven = |one: &super::source::Expectation| !one.reasoned && !keys.contains(one.key().as_str());
        let mut found = Expectations {
            total: source.expectations.len(),
            mutants: Mutant::paths(&self.labs[lab]).unwrap_or_default().len(),
            tried: seen.mutants(),
            ..Expectations::default()
        };
        for one in &source.expectations {
            if keys.contains(one.key().as_str()) {
                found.seen += 1;
            } else if one.reasoned {
                found.reasoned += 1;
            } else {
                let file = format!("checks/{}", one.file);
                let (function, text) = (one.function.clone(), one.text.clone());
                found.unproven.push(Unproven { file, line: one.line, function, text });
            }
        }
        let now = Ratchet::of(source, unproven);
        let complete = found.tried >= found.mutants;
        let problems = self.promise(lab, &now, complete)?;
        self.audits[lab].problems.extend(problems);
        self.audits[lab].expectations = Some(found);
        Ok(())
    }

    fn promise(&self, lab: usize, now: &Ratchet, complete: bool) -> Result<Vec<Problem>, Error> {
        let lab = &self.labs[lab];
        let promised = match Ratchet::load(lab) {
            Ok(promised) => promised,
            Err(problem) => return Ok(vec![problem]),
        };
        if self.options.ratchet && complete {
            let tightened = promised.unwrap_or_default().tightened(now);
            let path = lab.folder.join(super::ratchet::FILE);
            tightened.save(lab).map_err(|error| Error::io("write", &path, error))?;
            return Ok(tightened.broken_by(now, complete));
        }
        Ok(promised.map(|promised| promised.broken_by(now, complete)).unwrap_or_default())
    }
}
