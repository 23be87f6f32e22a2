//! Runs one check up to its failing moment, and leaves its server and services standing as they are then, to be looked at
//! by hand.

use std::sync::Arc;

use tokio::sync::mpsc::unbounded_channel;

use super::attempt::play;
use super::channel::Events;
use super::session::{describe_end, message_of};
use crate::check;
use crate::lab::{Lab, Shared};
use crate::server::App;
use lab_check::Failure;
use lab_protocol::{CheckReport, Event, Held, Target, Verdict};

/// The longest line that anybody would paste.
const LONGEST_LINE: usize = 4_000;
/// What a request by curl prints, and what it prints where only the answers' status codes are to be counted.
const SHOWN: &str = "curl -i ";
const COUNTED: &str = "curl -s -o /dev/null -w '%{http_code}\\n' ";

/// Plays the one check that the configuration names. What stands afterwards stands until this is dropped.
pub(super) async fn hold(shared: Arc<Shared>, events: Events) {
    let named = shared.config.checks.first().and_then(|id| check::all().into_iter().find(|check| check.id == id));
    let Some(check) = named else {
        return events.send(Event::InfrastructureFailed { message: "there is no such check".into() });
    };
    events.send(Event::SuiteStarted { services: shared.services.versions(), checks: vec![check.id.to_owned()] });
    events.send(Event::CheckStarted { id: check.id.into() });
    let lab = Arc::new(Lab::of_held_check(Arc::clone(&shared), check.id));
    let report = play(&shared, &lab, check).await.report;
    let (line, verdict) = (line(&report, &lab.transcript().last_commands()), report.verdict);
    events.send(Event::CheckFinished(Box::new(report)));
    let wanted = match verdict {
        Verdict::Failed | Verdict::TimedOut => true,
        Verdict::Passed => shared.config.hold_passed,
        Verdict::Skipped | Verdict::Error => false,
    };
    if wanted {
        stand(&lab, line, &events).await;
    }
    lab.release().await;
    events.send(Event::SuiteFinished);
}

/// Tells what stands, and passes on what the servers write, until the first of them ends.
async fn stand(lab: &Lab, line: Option<String>, events: &Events) {
    let mut notes: Vec<String> = Vec::new();
    for service in lab.restore_services() {
        notes.push(format!("the check had disturbed the connection to {service}: it works again"));
    }
    if lab.config().readiness.is_none() {
        notes.push(match lab.last_folder() {
            Some(folder) => format!("the check's program runs and ends; its last folder is {}", folder.display()),
            None => "the check's program runs and ends: nothing of it stands".into(),
        });
    }
    let mut apps = match lab.keeper() {
        Some(keeper) => match App::kept(keeper, lab.config()).await {
            Ok((apps, again)) => {
                if again {
                    notes.push("the server had ended: it was started again, with the same settings and data".into());
                }
                apps
            }
            Err(failure) => {
                notes.push(format!("no server runs: {}", reason(failure)));
                Vec::new()
            }
        },
        None => Vec::new(),
    };
    let mut variables = apps.first().map(App::variables).unwrap_or_default();
    if let Target::Launch { env, inherited, .. } = &lab.config().target {
        variables.retain(|name, value| !(inherited.contains(name) && env.get(name) == Some(value)) && name != "HOST");
    }
    let tenants = lab.tenants().await.unwrap_or_default();
    for (_, tenant) in &tenants {
        // Where no server runs, these are all there is.
        for (name, value) in tenant.variables() {
            variables.entry(name).or_insert(value);
        }
    }
    let services = tenants.iter().map(|(name, tenant)| ((*name).to_owned(), tenant.url().to_owned())).collect();
    let servers = apps.iter().map(|app| format!("http://{}", app.address())).collect();
    let (follower, mut lines) = unbounded_channel();
    lab.transcript().follow_log(follower);
    events.send(Event::Held(Box::new(Held { servers, services, variables, line, notes })));
    let log = async {
        while let Some(line) = lines.recv().await {
            events.send(Event::ServerLog { line });
        }
    };
    let ended = async {
        let endings = apps.iter_mut().map(|app| Box::pin(app.ended()));
        match endings.collect::<Vec<_>>() {
            none if none.is_empty() => std::future::pending().await,
            endings => futures::future::select_all(endings).await.0,
        }
    };
    let tell = async {
        events.send(Event::ServerEnded { exit: describe_end(ended.await) });
        // The data is still worth a look.
        std::future::pending::<()>().await;
    };
    tokio::join!(log, tell);
}

fn reason(failure: Failure) -> String {
    match failure {
        Failure::Learner(explanation) => match explanation.actual {
            Some(actual) => format!("{}: {actual}", explanation.message),
            None => explanation.message,
        },
        other => message_of(other),
    }
}

/// A line that shows what the check saw: the request that it failed at, or else what it sent last. What was sent at once
/// is sent at once again.
fn line(report: &CheckReport, last: &[String]) -> Option<String> {
    let failing = report.explanation.as_ref().and_then(|explanation| explanation.reproduce.clone());
    match (failing, last) {
        (Some(failing), [_, _, ..]) if last.contains(&failing) => at_once(last),
        (Some(failing), _) => Some(failing),
        (None, [_, _, ..]) => at_once(last),
        (None, _) => last.first().cloned(),
    }
}

/// A line that runs all of `commands` at the same time, and counts the answers by their status codes.
fn at_once(commands: &[String]) -> Option<String> {
    let counted = |command: &String| command.replacen(SHOWN, COUNTED, 1);
    let first = counted(commands.first()?);
    let counts = if first.contains(COUNTED) { " | sort | uniq -c" } else { "" };
    if commands.iter().all(|command| *command == commands[0]) {
        return Some(format!("(for i in $(seq {}); do {first} & done; wait){counts}", commands.len()));
    }
    if let Some(line) = by_address(commands, counts) {
        return Some(line);
    }
    let mut line = String::from("(");
    for command in commands {
        let command = counted(command);
        if line.len() + command.len() > LONGEST_LINE {
            break;
        }
        line.push_str(&format!("{command} & "));
    }
    Some(format!("{line}wait){counts}"))
}

/// A loop over the addresses, if these are all in which `commands` differ.
fn by_address(commands: &[String], counts: &str) -> Option<String> {
    let split: Vec<(&str, &str)> =
        commands.iter().map(|command| command.rsplit_once(" http://")).collect::<Option<_>>()?;
    let (request, _) = *split.first()?;
    let plain = |address: &str| address.chars().all(|c| c.is_ascii_alphanumeric() || "_./:=%+,-".contains(c));
    if !split.iter().all(|(own, address)| *own == request && plain(address)) {
        return None;
    }
    let addresses: Vec<&str> = split.iter().map(|(_, address)| *address).collect();
    let request = request.replacen(SHOWN.trim_end(), COUNTED.trim_end(), 1);
    let line = format!("(for at in {}; do {request} \"http://$at\" & done; wait){counts}", addresses.join(" "));
    (line.len() <= LONGEST_LINE).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lab_protocol::Explanation;

    fn failed(reproduce: Option<&str>) -> CheckReport {
        let explanation = Explanation { reproduce: reproduce.map(str::to_owned), ..Explanation::default() };
        CheckReport {
            id: "a".into(),
            verdict: Verdict::Failed,
            skip_reason: None,
            started_us: None,
            duration_ms: 0,
            explanation: Some(explanation),
            transcript: Vec::new(),
            asked_again: None,
        }
    }

    #[test]
    fn the_line_is_the_request_that_failed_or_what_was_sent_last() {
        let last = ["curl -i http://a/1".to_owned()];
        assert_eq!(line(&failed(Some("curl -i http://a/2")), &last).as_deref(), Some("curl -i http://a/2"));
        assert_eq!(line(&failed(None), &last).as_deref(), Some("curl -i http://a/1"));
        assert_eq!(line(&failed(None), &[]), None);
    }

    #[test]
    fn a_race_is_run_again_as_one_and_its_answers_are_counted() {
        let race = vec!["curl -i -X POST http://a/1".to_owned(); 50];
        let looped = "(for i in $(seq 50); do curl -s -o /dev/null -w '%{http_code}\\n' -X POST http://a/1 & done; wait) \
                      | sort | uniq -c";
        assert_eq!(line(&failed(None), &race).as_deref(), Some(looped));
        assert_eq!(line(&failed(Some(&race[0])), &race).as_deref(), Some(looped));
        let two = ["curl -i http://a/1".to_owned(), "curl -i http://a/2".to_owned()];
        let both = "(for at in a/1 a/2; do curl -s -o /dev/null -w '%{http_code}\\n' \"http://$at\" & done; wait) \
                    | sort | uniq -c";
        assert_eq!(line(&failed(None), &two).as_deref(), Some(both));
        let two = ["curl -i -X PUT http://a/1".to_owned(), "curl -i http://a/2".to_owned()];
        let both = "(curl -s -o /dev/null -w '%{http_code}\\n' -X PUT http://a/1 & curl -s -o /dev/null -w \
                    '%{http_code}\\n' http://a/2 & wait) | sort | uniq -c";
        assert_eq!(line(&failed(None), &two).as_deref(), Some(both));
    }
}
