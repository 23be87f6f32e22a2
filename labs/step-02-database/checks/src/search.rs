//! Task 4: finding events by a part of their title.

use lab_kit::prelude::*;

use crate::support::{Id, Seed, insert_all, page};

/// People remember a word from a title, not how the title begins or which letters are capitals (PostgreSQL manual,
/// 9.7.1 LIKE).
#[check(title = "q finds any part of the title, whatever its case", task = 4, points = 2, needs = ["list_sorted"],
        hints = ["Does your search find a word in the middle of a title?", "Use `ILIKE`, with `%` before and after the text."])]
async fn search(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let word = letters(lab);
    let titles = [
        format!("{word} at the beginning"),
        format!("right in{word}side it"),
        format!("at the end of {}", word.to_ascii_uppercase()),
        format!("{}{} mixed", word[..3].to_ascii_uppercase(), &word[3..]),
    ];
    let decoys = [word[1..].to_owned(), format!("{} {}", &word[..4], &word[4..]), "something else".to_owned()];
    let ids = insert(lab, &titles).await?;
    insert(lab, &decoys).await?;
    let searches: [(String, &[Id]); 4] = [
        (word.clone(), &ids),
        (word.to_ascii_uppercase(), &ids),
        (format!("in{word}side"), &ids[1..2]),
        (format!("{word}{word}"), &[]),
    ];
    for (q, expected) in searches {
        expect_found(&app, &q, expected).await?;
    }
    let (all, _) = page(&app, &[("q", "")], None).await?;
    expect_equal("events with an empty q", &all.len(), &(titles.len() + decoys.len()))
}

/// In a pattern `%`, `_` and the backslash have special meanings, and a quote ends a literal; in a search text they are
/// ordinary characters (PostgreSQL manual, 9.7.1 LIKE; OWASP, SQL Injection Prevention Cheat Sheet).
#[check(title = "every character of q stands for itself", task = 4, points = 3, needs = ["search"],
        hints = ["What does `q=%` find?",
                 "A bound value cannot break out of its statement, but `LIKE` still reads `%`, `_` and `\\` in it as a pattern.",
                 "Put a backslash before each of the three, the backslash first."])]
async fn literal_search(lab: &Lab) -> CheckResult {
    let app = lab.start().await?;
    let word = letters(lab);
    let specials = ["%", "_", "\\", "'", "\"", "*", "$1", "--", "' or '1'='1", "%'; select 1; --", "[a-z]", ".*", "^"];
    let titles: Vec<_> =
        specials.iter().enumerate().map(|(index, special)| format!("{word}{index} {special} end")).collect();
    let ids = insert(lab, &titles).await?;
    insert(lab, &[format!("{word} x end"), format!("{word} xx end"), "plain".to_owned()]).await?;
    let mut searches = vec![(format!("{word}_"), Vec::new()), (format!("{word}%end"), Vec::new())];
    for (index, special) in specials.iter().enumerate() {
        // With its neighbours, the title is unique …
        searches.push((format!("{word}{index} {special} e"), vec![ids[index].clone()]));
        // … and alone the character finds every title that has it.
        let having = titles.iter().zip(&ids).filter(|(title, _)| title.contains(special)).map(|(_, id)| id.clone());
        searches.push(((*special).to_owned(), having.collect()));
    }
    for (q, expected) in &searches {
        expect_found(&app, q, expected).await?;
    }
    Ok(())
}

/// Eight letters that make no word.
pub fn letters(lab: &Lab) -> String {
    const CONSONANTS: &[u8] = b"bcdfghjklmnpqrstvwxz";
    let letter = || char::from(CONSONANTS[usize::try_from(lab.number(0, 19)).unwrap_or(0)]);
    (0..8).map(|_| letter()).collect()
}

async fn insert(lab: &Lab, titles: &[String]) -> CheckResult<Vec<Id>> {
    let seeds: Vec<_> = titles.iter().map(|title| Seed::random(lab).title(title)).collect();
    insert_all(lab, &seeds).await
}

async fn expect_found(app: &App, q: &str, expected: &[Id]) -> CheckResult {
    let (mut found, _) = page(app, &[("q", q), ("limit", "100")], None).await?;
    let mut expected = expected.to_vec();
    found.sort();
    expected.sort();
    expect_equal(&format!("the ids that GET /events finds with q = {q}"), &found, &expected)
}
