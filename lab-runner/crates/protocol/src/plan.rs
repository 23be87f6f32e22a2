//! Which checks a run has: those that were named, and whatever they need. Runner and suite have to agree on it.

use std::collections::BTreeSet;

use crate::CheckInfo;

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A check was named that the suite does not have.
    #[error("there is no check `{0}` in this suite")]
    UnknownCheck(String),
    /// A check needs one that the suite does not have.
    #[error("{check}: there is no check `{need}` in this suite")]
    UnknownNeed {
        /// The check that needs it.
        check: String,
        /// What it needs.
        need: String,
    },
    /// Checks wait for one another for ever.
    #[error("these checks need one another: {}", .0.join(", "))]
    Circle(Vec<String>),
}

/// The places in `all` of the checks named in `wanted` and of all that they need, in the order of declaration. An
/// empty list means all.
///
/// # Errors
/// A check that does not exist, in `wanted` or among the needs, or needs that lead in a circle.
pub fn plan(all: &[CheckInfo], wanted: &[String]) -> Result<Vec<usize>, PlanError> {
    let position = |id: &str| all.iter().position(|check| check.id == id);
    for check in all {
        if let Some(need) = check.needs.iter().find(|need| position(need).is_none()) {
            return Err(PlanError::UnknownNeed { check: check.id.clone(), need: need.clone() });
        }
    }
    let mut open: Vec<usize> = if wanted.is_empty() {
        (0..all.len()).collect()
    } else {
        let named = wanted.iter().map(|id| position(id).ok_or_else(|| PlanError::UnknownCheck(id.clone())));
        named.collect::<Result<_, _>>()?
    };
    let mut chosen = BTreeSet::new();
    while let Some(index) = open.pop() {
        if chosen.insert(index) {
            open.extend(all[index].needs.iter().filter_map(|need| position(need)));
        }
    }
    let chosen: Vec<usize> = chosen.into_iter().collect();
    let stuck = stuck(all, &chosen);
    if stuck.is_empty() { Ok(chosen) } else { Err(PlanError::Circle(stuck)) }
}

/// The checks that wait for one another for ever.
fn stuck(all: &[CheckInfo], chosen: &[usize]) -> Vec<String> {
    let chosen = || chosen.iter().map(|index| &all[*index]);
    let mut done: BTreeSet<&str> = BTreeSet::new();
    loop {
        let ready: Vec<&str> = chosen()
            .filter(|check| !done.contains(check.id.as_str()))
            .filter(|check| check.needs.iter().all(|need| done.contains(need.as_str())))
            .map(|check| check.id.as_str())
            .collect();
        if ready.is_empty() {
            break;
        }
        done.extend(ready);
    }
    chosen().filter(|check| !done.contains(check.id.as_str())).map(|check| check.id.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(id: &str, needs: &[&str]) -> CheckInfo {
        CheckInfo {
            id: id.into(),
            title: String::new(),
            task: 1,
            points: 1,
            needs: needs.iter().map(ToString::to_string).collect(),
            why: String::new(),
            source: String::new(),
            hints: Vec::new(),
            held_out: false,
            alone: false,
            limit_seconds: None,
        }
    }

    #[test]
    fn no_name_means_every_check_in_the_order_of_declaration() {
        let all = [check("root", &[]), check("echo", &["root"])];
        assert_eq!(plan(&all, &[]), Ok(vec![0, 1]));
    }

    #[test]
    fn a_named_check_brings_what_it_needs_and_nothing_else() {
        let all = [check("root", &[]), check("echo", &["root"]), check("files", &["root"]), check("gzip", &["echo"])];
        assert_eq!(plan(&all, &["gzip".into()]), Ok(vec![0, 1, 3]));
    }

    #[test]
    fn an_unknown_name_is_told() {
        assert_eq!(plan(&[check("root", &[])], &["rot".into()]), Err(PlanError::UnknownCheck("rot".into())));
    }

    #[test]
    fn an_unknown_need_is_told_even_if_its_check_was_not_named() {
        let all = [check("root", &[]), check("echo", &["rout"])];
        let error = plan(&all, &["root".into()]).unwrap_err();
        assert_eq!(error, PlanError::UnknownNeed { check: "echo".into(), need: "rout".into() });
    }

    #[test]
    fn checks_that_need_one_another_are_told_and_not_waited_for() {
        let all = [check("hen", &["egg"]), check("egg", &["hen"])];
        assert_eq!(plan(&all, &[]), Err(PlanError::Circle(vec!["hen".into(), "egg".into()])));
    }
}
