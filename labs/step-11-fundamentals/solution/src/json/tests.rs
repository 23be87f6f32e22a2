//! What is JSON and what is not, and that what is written is what was read.

use super::{Value, parse};

fn canonical(text: &str) -> String {
    let mut out = String::new();
    parse(text).unwrap_or_else(|error| panic!("{text}: {error}")).write(&mut out);
    out
}

#[test]
fn what_is_json_is_accepted() {
    for text in [
        "null",
        " true ",
        "\t[\r\n]\n",
        "{}",
        "-0",
        "0.10",
        "1E5",
        "1e-400",
        "123456789012345678901234567890",
        "\"\"",
        r#""\"\\\/\b\f\n\r\t\u00e9\uD834\udd1e""#,
        "\"\u{7f}\u{2028}\u{10ffff}\"",
        r#"{"a":{},"a":[[],[0,false]]}"#,
        r#"[ 1 , "2" , { "3" : null } ]"#,
    ] {
        assert!(parse(text).is_ok(), "{text:?}");
    }
}

#[test]
fn what_is_almost_json_is_refused() {
    for text in [
        "",
        " ",
        "nul",
        "True",
        "NaN",
        "Infinity",
        "undefined",
        "+1",
        "01",
        "-",
        "-01",
        "1.",
        ".5",
        "1e",
        "1e+",
        "0x1F",
        "1 2",
        "1_000",
        "[",
        "]",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "{\"a\":1,}",
        "{,}",
        "{a:1}",
        "{'a':1}",
        "{1:1}",
        "{\"a\" 1}",
        "{\"a\":1 \"b\":2}",
        "{\"a\"::1}",
        "\"",
        "\"a",
        "'a'",
        "\"\\\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\\u+123\"",
        "\"\\ud800\"",
        "\"\\udc00\"",
        "\"\\ud800\\n\"",
        "\"\\ud800\\u0041\"",
        "\"a\nb\"",
        "\"a\tb\"",
        "\"\u{0}\"",
        "\u{feff}1",
        "\u{c}1",
        "\u{a0}1",
        "1//",
        "/**/1",
        "[1]]",
        "{}x",
        "\"é",
    ] {
        assert!(parse(text).is_err(), "{text:?}");
    }
}

#[test]
fn nesting_has_an_end_but_not_soon() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(parse(&nested(128)).is_ok());
    assert!(parse(&nested(129)).is_err());
    assert!(parse(&"[".repeat(1_000_000)).is_err());
    assert!(parse(&"{\"a\":".repeat(100_000)).is_err());
    // Depth is how many are open at once, not how many there are.
    assert!(parse(&format!("[{}[]]", "[],".repeat(1_000))).is_ok());
}

#[test]
fn strings_are_decoded_and_escaped_no_more_than_needed() {
    let value = parse(r#""\u004aazz\u0020\ud83c\udfb7\/""#).unwrap();
    assert_eq!(value, Value::String("Jazz \u{1f3b7}/".into()));
    assert_eq!(
        canonical(r#""\u0022\u005C\u0008\u0009\u000a\u000C\u000d\u001F\u0000\u007f""#),
        concat!(r#""\"\\\b\t\n\f\r\u001f\u0000"#, "\u{7f}\"")
    );
}

#[test]
fn members_are_sorted_and_the_last_of_a_name_counts() {
    let text = r#"{"b":1,"\u0061":{"z":[],"y":{}},"Z":2,"b":3,"é":0}"#;
    assert_eq!(canonical(text), r#"{"Z":2,"a":{"y":{},"z":[]},"b":3,"é":0}"#);
}

#[test]
fn every_character_comes_back() {
    for code in 0..=0x0010_ffff {
        let Some(character) = char::from_u32(code) else { continue };
        let text = character.to_string();
        let mut written = String::new();
        Value::String(text.as_str().into()).write(&mut written);
        assert_eq!(parse(&written), Ok(Value::String(text.into())), "U+{code:04X}");
    }
}
