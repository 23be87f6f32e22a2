//! Which of a suite's expectations a mutant has failed, and whether the lab keeps what it promised of them.

use lab_runner::audit::{Expectations, Problem, Unproven};
use lab_runner::error::Error;
use lab_runner::submission::Mutant;

use super::Auditor;
use super::ratchet::Ratchet;

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
