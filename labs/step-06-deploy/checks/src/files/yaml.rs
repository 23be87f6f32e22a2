//! YAML as JSON values: both say the same, and one kind of value is enough to look into.

use lab_kit::prelude::*;

/// Reads one of the submission's files.
pub fn read(lab: &Lab, path: &str) -> CheckResult<Value> {
    let text = lab.file(path)?;
    let value: Value = parse(&text).map_err(|problem| {
        Failure::learner(format!("`{path}` is not YAML: {problem}")).expected("a file that a YAML parser accepts")
    })?;
    expect_that(value.is_object(), format!("`{path}` does not hold a mapping, but `{value}`"))?;
    Ok(value)
}

/// Anchors and merge keys are resolved.
pub fn parse(text: &str) -> Result<Value, String> {
    serde_saphyr::from_str(text).map_err(|error| error.to_string())
}

/// The words of a value that may be one word, a list of words, or a mapping whose keys count.
pub fn names(value: &Value) -> Vec<String> {
    match value {
        Value::String(word) => vec![word.clone()],
        Value::Array(words) => words.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Value::Object(members) => members.keys().cloned().collect(),
        _ => Vec::new(),
    }
}

/// A scalar as text: `5432` and `"5432"` are the same to compose.
pub fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_words() {
        let value = parse("on: [push]\njobs:\n  a: {needs: b, if: yes}\n").unwrap();
        assert_eq!(value["on"][0], "push");
        assert_eq!(names(&value["jobs"]["a"]["needs"]), ["b"]);
    }

    #[test]
    fn anchors_are_resolved() {
        let value = parse("x: &x {a: 1}\ny:\n  <<: *x\n  b: 2\n").unwrap();
        assert_eq!(value["y"], json!({"a": 1, "b": 2}));
    }
}
