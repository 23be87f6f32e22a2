//! Which checks go first, where somebody waits for one of them.

use std::sync::{Arc, Mutex};

use lab_runner::context::RunContext;
use lab_runner::engine::Request;
use lab_runner::events::{EventKind, EventSink, RunEvent};
use lab_runner::submission::Source;

use crate::cancelling::{request, with_engine};

/// Notes when checks begin and end.
#[derive(Debug, Default)]
struct Order(Mutex<Vec<String>>);

impl EventSink for Order {
    fn emit(&self, event: &RunEvent) {
        let check = event.check.as_deref().unwrap_or_default();
        let said = match &event.kind {
            EventKind::CheckStarted => format!("{check} begins"),
            EventKind::CheckFinished { .. } => format!("{check} ends"),
            _ => return,
        };
        self.0.lock().unwrap().push(said);
    }
}

#[test]
fn what_goes_first_is_over_before_anything_else_begins() {
    with_engine(async |engine, lab, interrupt| {
        let order = Arc::new(Order::default());
        let run = RunContext::new(order.clone(), interrupt);
        // A name that the suite does not have any more, such as one from an older result, keeps nobody waiting.
        let first = vec![vec!["survives".to_owned()], vec!["forgotten".to_owned()]];
        let report = engine.grade(lab, &Request { first, ..request(Source::Solution) }, &run).await.unwrap();
        assert_eq!((report.score, report.checks.len()), (100, 3));
        let said = order.0.lock().unwrap().clone();
        let expected =
            ["greets begins", "greets ends", "survives begins", "survives ends", "echoes begins", "echoes ends"];
        assert_eq!(said, expected);
    });
}
