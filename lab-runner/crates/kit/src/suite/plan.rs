//! Which checks a run has: those that were named, and whatever they need.

use std::collections::BTreeSet;

use crate::check::Check;

/// The checks of `all` named in `wanted`, closed over their needs, in the order of declaration. An empty list
/// means all.
///
/// # Errors
/// A sentence naming a check that does not exist, in `wanted` or among the needs, or a need that leads in a
/// circle or to a later check.
pub(super) fn plan(all: &[&'static Check], wanted: &[String]) -> Result<Vec<&'static Check>, String> {
    let position = |id: &str| {
        all.iter().position(|check| check.id == id).ok_or_else(|| format!("there is no check `{id}` in this suite"))
    };
    for check in all {
        for need in check.needs {
            position(need).map_err(|error| format!("{}: {error}", check.id))?;
        }
    }
    let mut chosen = BTreeSet::new();
    let mut open: Vec<usize> = if wanted.is_empty() {
        (0..all.len()).collect()
    } else {
        wanted.iter().map(|id| position(id)).collect::<Result<_, _>>()?
    };
    while let Some(index) = open.pop() {
        if chosen.insert(index) {
            for need in all[index].needs {
                open.push(position(need)?);
            }
        }
    }
    let chosen: Vec<&'static Check> = chosen.into_iter().map(|index| all[index]).collect();
    circle(&chosen).map_or(Ok(chosen), Err)
}

/// A sentence about checks that wait for one another for ever, if there are any.
fn circle(chosen: &[&'static Check]) -> Option<String> {
    let mut done: BTreeSet<&str> = BTreeSet::new();
    loop {
        let ready: Vec<&str> = chosen
            .iter()
            .filter(|check| !done.contains(check.id) && check.needs.iter().all(|need| done.contains(need)))
            .map(|check| check.id)
            .collect();
        if ready.is_empty() {
            break;
        }
        done.extend(ready);
    }
    let stuck: Vec<&str> = chosen.iter().map(|check| check.id).filter(|id| !done.contains(id)).collect();
    (!stuck.is_empty()).then(|| format!("these checks need one another: {}", stuck.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(id: &'static str, needs: &'static [&'static str]) -> &'static Check {
        Box::leak(Box::new(Check {
            id,
            title: "",
            task: 1,
            points: 1,
            needs,
            why: "",
            source: "",
            hints: &[],
            held_out: false,
            alone: false,
            limit_seconds: None,
            file: "",
            line: 0,
            run: |_| Box::pin(async { Ok(()) }),
        }))
    }

    fn ids(plan: &[&'static Check]) -> Vec<&'static str> {
        plan.iter().map(|check| check.id).collect()
    }

    #[test]
    fn no_name_means_every_check_in_the_order_of_declaration() {
        let all = [check("root", &[]), check("echo", &["root"])];
        assert_eq!(ids(&plan(&all, &[]).expect("a plan")), ["root", "echo"]);
    }

    #[test]
    fn a_named_check_brings_what_it_needs_and_nothing_else() {
        let all = [check("root", &[]), check("echo", &["root"]), check("files", &["root"]), check("gzip", &["echo"])];
        assert_eq!(ids(&plan(&all, &["gzip".into()]).expect("a plan")), ["root", "echo", "gzip"]);
    }

    #[test]
    fn an_unknown_name_is_told() {
        let error = plan(&[check("root", &[])], &["rot".into()]).expect_err("no such check");
        assert!(error.contains("`rot`"), "{error}");
    }

    #[test]
    fn an_unknown_need_is_told_even_if_its_check_was_not_named() {
        let all = [check("root", &[]), check("echo", &["rout"])];
        let error = plan(&all, &["root".into()]).expect_err("no such need");
        assert!(error.contains("echo") && error.contains("`rout`"), "{error}");
    }

    #[test]
    fn checks_that_need_one_another_are_told_and_not_waited_for() {
        let all = [check("hen", &["egg"]), check("egg", &["hen"])];
        let error = plan(&all, &[]).expect_err("a circle");
        assert!(error.contains("hen") && error.contains("egg"), "{error}");
    }
}
