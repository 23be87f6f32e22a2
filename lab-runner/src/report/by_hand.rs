//! What to type to see a failure by hand: the one request that shows it, or, where others had a part in it, the command
//! that leaves the server as the check left it.

use std::collections::BTreeSet;

use lab_protocol::{Happening, Mark, TranscriptEntry, Verdict};

use super::{Check, Submission, SubmissionKind};

impl Check {
    /// Names `cargo lab try` in place of a request that would not show what the check of `lab` saw. It can try the
    /// learner's own submission, the solution, and whatever a command starts.
    pub(super) fn tried_in_place(&mut self, lab: &str, submission: &Submission) {
        let option = match submission.kind {
            SubmissionKind::WorkingTree => String::new(),
            SubmissionKind::Solution => " --solution".to_owned(),
            SubmissionKind::Command => format!(" --command '{}'", submission.path.replace('\'', r"'\''")),
            SubmissionKind::Folder | SubmissionKind::Mutant | SubmissionKind::Url => return,
        };
        // `try` knows no held-out check.
        let failed = matches!(self.verdict, Verdict::Failed | Verdict::TimedOut);
        if failed && !self.held_out && depends_on_more(&self.transcript) {
            self.reproduce = Some(format!("cargo lab try {lab} {}{option}", self.id));
        }
    }
}

/// Whether the last request alone would not show what the check saw: there were others, or a service or a fault had a
/// part in it. What comes before the check's first request is the server's start.
pub fn depends_on_more(transcript: &[TranscriptEntry]) -> bool {
    let first = transcript.iter().position(|entry| matches!(entry.what, Happening::Sent { .. }));
    let since = &transcript[first.unwrap_or(0)..];
    let connections: BTreeSet<u64> = since
        .iter()
        .filter_map(|entry| match entry.what {
            Happening::Sent { connection, .. } => Some(connection),
            _ => None,
        })
        .collect();
    let more = |entry: &TranscriptEntry| match &entry.what {
        // How a connection was used belongs to its own request, and how a run of a program ended to that run.
        Happening::Note { mark: Some(Mark::Ready { .. } | Mark::Ended { .. }), .. } => false,
        Happening::Note { text, .. } => {
            !["connection ", "run ", "what follows "].iter().any(|start| text.starts_with(start))
        }
        what => matches!(what, Happening::Exchange(_)),
    };
    !connections.is_empty() && (connections.len() > 1 || since.iter().any(more))
}

#[cfg(test)]
mod tests {
    use super::*;
    use lab_protocol::{CheckInfo, CheckReport, Explanation};
    use serde_json::json;

    fn sent(connection: u64) -> TranscriptEntry {
        TranscriptEntry { at_us: 0, what: Happening::Sent { connection, text: "GET / HTTP/1.1".into(), port: None } }
    }

    fn note(text: &str) -> TranscriptEntry {
        TranscriptEntry { at_us: 0, what: Happening::Note { text: text.into(), mark: None } }
    }

    fn line(transcript: Vec<TranscriptEntry>, kind: SubmissionKind) -> Option<String> {
        let info = json!({ "id": "greets", "title": "", "task": 1, "points": 1, "needs": [], "why": "", "source": "",
                           "hints": [], "held_out": false, "alone": false });
        let info: CheckInfo = serde_json::from_value(info).unwrap();
        let explanation = Explanation { reproduce: Some("curl -i …".into()), ..Explanation::default() };
        let report = CheckReport {
            id: "greets".into(),
            verdict: Verdict::Failed,
            skip_reason: None,
            started_us: None,
            duration_ms: 0,
            explanation: Some(explanation),
            transcript,
            asked_again: None,
        };
        let mut check = Check::new(&info, report);
        let path = "python3 'a server'.py".to_owned();
        check.tried_in_place("tiny-1", &Submission { kind, path, commit: None, sha256: None, left_out: Vec::new() });
        check.reproduce
    }

    #[test]
    fn one_request_that_shows_it_is_named_and_otherwise_the_command_that_keeps_the_server() {
        let own = SubmissionKind::WorkingTree;
        let alone = || vec![note("the tables are empty"), sent(1), note("connection 1 was closed"), sent(1)];
        assert_eq!(line(alone(), own).as_deref(), Some("curl -i …"));
        let others = [vec![sent(1), sent(2)], vec![sent(1), note("the database is cut off")]];
        for transcript in others {
            assert_eq!(line(transcript.clone(), own).as_deref(), Some("cargo lab try tiny-1 greets"));
            let solution = line(transcript.clone(), SubmissionKind::Solution);
            assert_eq!(solution.as_deref(), Some("cargo lab try tiny-1 greets --solution"));
            let command = line(transcript.clone(), SubmissionKind::Command);
            let tried = r"cargo lab try tiny-1 greets --command 'python3 '\''a server'\''.py'";
            assert_eq!(command.as_deref(), Some(tried));
            assert_eq!(line(transcript, SubmissionKind::Folder).as_deref(), Some("curl -i …"));
        }
    }
}
