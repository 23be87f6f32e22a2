//! Task 2: JSON.

use lab_kit::prelude::*;

use crate::json_texts::{ACCEPTED, REFUSED};
use crate::support::{Judged, Order, bad, expect_judged, good};

/// Brackets that no stack has room for.
const TOO_DEEP: usize = 100_000;
/// Brackets that every parser has to accept.
const DEEP: usize = 100;

/// A parser that refuses what is JSON loses data (RFC 8259 §2 to §7, §9).
#[check(title = "every kind of JSON is accepted", task = 2, points = 4,
        hints = ["Which of the grammar's rules in RFC 8259 has no function in your parser?",
                 "Where may white space be, and which four characters are that?",
                 "How many escapes are there behind a backslash, and what does one \\u give if it is half of a pair?"])]
async fn json_accepted(lab: &Lab) -> CheckResult {
    for group in ACCEPTED {
        let lines: Vec<_> = group.values.iter().map(|value| with_extra(lab, value)).collect();
        expect_judged(lab, &lines).await.because(&format!("{} are JSON", group.about))?;
    }
    let order = Order::new(lab);
    let Order { id, event, seats, price, at, .. } = &order;
    let spaced = |space: &str| {
        let members = [("id", id), ("event", event), ("seats", seats), ("price", price), ("at", at)];
        let members = members.map(|(name, value)| format!("{space}\"{name}\"{space}:{space}{value}{space}"));
        (format!("{space}{{{}}}{space}", members.join(",")).into_bytes(), Judged::Good(order.canonical()))
    };
    expect_judged(lab, &[" ", "\t", " \t  ", "\r", "\r \t"].map(spaced)).await?;
    let notes = ["null", "true", "false", "0", "-7", "\"\"", "[]", "{}", "[[],{},[null]]"];
    expect_judged(lab, &notes.map(|note| good(&Order::new(lab).note(note)))).await
}

/// An order with `value` in a member that nobody knows and in a note: at the end, and in between. What a note comes out as
/// is the matter of other checks.
fn with_extra(lab: &Lab, value: &[u8]) -> (Vec<u8>, Judged) {
    let order = Order::new(lab);
    let text = order.text();
    let front = text.trim_end_matches('}').as_bytes();
    ([front, b",\"more\":", value, b"}"].concat(), Judged::Good(order.canonical()))
}

/// What is read one way here and another way there is how data gets lost, or worse (RFC 8259 §2 to §9).
#[check(title = "what is almost JSON is refused", task = 2, points = 4, needs = ["json_accepted"],
        hints = ["Which texts does your parser accept that the grammar in RFC 8259 has no rule for?",
                 "After each value: what may follow in an array, in an object, and at the end of the line?",
                 "A number has a grammar of its own. Does a function of your language's library read more than that?"])]
async fn json_refused(lab: &Lab) -> CheckResult {
    for group in REFUSED {
        // Bytes that are no UTF-8 are the matter of task 3.
        let values = group.values.iter().filter(|value| std::str::from_utf8(value).is_ok());
        let lines: Vec<_> = values.flat_map(|value| everywhere(lab, value)).collect();
        expect_judged(lab, &lines).await.because(&format!("these {} are not JSON", group.about))?;
    }
    let order = Order::new(lab).text();
    let behind = [
        " x", "x", ",", "]", "}", "{}", " {}", "null", "\"\"", "\u{c}", "\u{a0}", "\0", "//", " # one", ";", "\u{feff}",
    ];
    let mut lines: Vec<_> = behind.iter().map(|tail| bad(order.clone() + tail)).collect();
    let front = ["\u{feff}", "\u{c}", "\u{a0}", ",", "[", "{", "\0", "x ", "// ", "\u{2028}"];
    lines.extend(front.iter().map(|head| bad(head.to_string() + &order)));
    let (opening, member) = (order.trim_end_matches('}'), order.trim_matches(['{', '}']));
    lines.extend([opening.to_owned(), member.to_owned(), member.to_owned() + "}", opening.to_owned() + ",}"].map(bad));
    lines
        .extend([opening.to_owned() + "]", opening.to_owned() + ";\"more\":1}", order.replacen('{', "{,", 1)].map(bad));
    lines.extend([order.replace('"', "'"), order.replace("\"id\"", "id"), order.replacen(':', "=", 1)].map(bad));
    lines.extend(["null", "true", "1", "\"id\"", "[]", "[1]", "{}", "x", "{", "}", "\"", "-", "\u{feff}"].map(bad));
    lines.push(bad(format!("[{order}]")));
    lines.push(bad(format!("{order}{order}")));
    lines.push(bad(format!("{order} {order}")));
    expect_judged(lab, &lines).await
}

/// A bad line for each place that `value` may stand in: at the end of the order, between its members, and deeper.
fn everywhere(lab: &Lab, value: &[u8]) -> Vec<(Vec<u8>, Judged)> {
    let text = Order::new(lab).text();
    let rest = text.trim_start_matches('{').as_bytes();
    let front = text.trim_end_matches('}').as_bytes();
    vec![
        bad([front, b",\"note\":", value, b"}"].concat()),
        bad([b"{\"note\":", value, b",", rest].concat()),
        bad([front, b",\"more\":[0,{\"a\":", value, b"},0]}"].concat()),
    ]
}

/// What nests costs a parser stack, and whoever sends a line decides how much: the limit is the parser's to set (RFC 8259 §9).
#[check(title = "a hundred levels are read, a hundred thousand are a bad line", task = 2, points = 3, needs = ["json_accepted"],
        hints = ["How does your parser know how deep it is?",
                 "What does your program do about a call that finds no more stack: is that an error that it can catch?",
                 "Hand the depth on to each call, and refuse what is deeper than a limit of your own."])]
async fn json_depth(lab: &Lab) -> CheckResult {
    let nest = |open: &str, close: &str, levels: usize| format!("{}{}", open.repeat(levels), close.repeat(levels));
    let deep = [
        nest("[", "]", DEEP),
        format!("{}1{}", "{\"a\":".repeat(DEEP), "}".repeat(DEEP)),
        format!("{}{}", "[{\"a\":".repeat(DEEP / 2), "}]".repeat(DEEP / 2)).replace(":}", ":0}"),
        // Many in one another are deep, many side by side are not.
        format!("[{}[]]", "[[]],".repeat(2_000)),
    ];
    expect_judged(lab, &deep.map(|note| good(&Order::new(lab).note(&note)))).await?;
    let too_deep = [
        nest("[", "]", TOO_DEEP),
        "[".repeat(TOO_DEEP),
        format!("{}1{}", "{\"a\":".repeat(TOO_DEEP), "}".repeat(TOO_DEEP)),
        "{\"a\":".repeat(TOO_DEEP),
        "[{\"a\":".repeat(TOO_DEEP / 2),
    ];
    for note in too_deep {
        let front = Order::new(lab).text();
        let front = front.trim_end_matches('}');
        for line in [format!("{front},\"note\":{note}}}"), format!("{front},\"more\":{note}}}"), note.clone()] {
            let lines = [good(&Order::new(lab)), bad(line), good(&Order::new(lab))];
            expect_judged(lab, &lines).await?;
        }
    }
    Ok(())
}

/// Escapes are a way of writing, and no part of what is written: `"\u004a"` and `"J"` are equal (RFC 8259 §7, §8.3).
#[check(title = "strings are decoded, and written in one form", task = 2, points = 3, needs = ["json_accepted"],
        hints = ["What does your program hold in memory for `\"\\u0041\"`: six characters or one?",
                 "How do two \\u escapes become one character above U+FFFF?",
                 "Which characters does the canonical form escape, and how each? All others stay as they are."])]
async fn json_strings(lab: &Lab) -> CheckResult {
    // As written, and in the canonical form.
    let strings = [
        (r#""\u004aazz""#, r#""Jazz""#),
        (r#""\/""#, r#""/""#),
        (r#""\u002F\u0022\u005c""#, r#""/\"\\""#),
        (r#""\u0008\u0009\u000a\u000C\u000d""#, r#""\b\t\n\f\r""#),
        (r#""\b\f\n\r\t""#, r#""\b\f\n\r\t""#),
        (r#""\u0000\u0001\u000B\u000b\u001F\u001f""#, r#""\u0000\u0001\u000b\u000b\u001f\u001f""#),
        (r#""\u0020\u007F\u0080""#, "\" \u{7f}\u{80}\""),
        (r#""\u00e9\u00E9é""#, "\"ééé\""),
        (r#""\u20AC\u20ac""#, "\"€€\""),
        (r#""\u2028\u2029""#, "\"\u{2028}\u{2029}\""),
        (r#""\uD83C\uDFB7\ud83c\udfb7🎷""#, "\"🎷🎷🎷\""),
        (r#""\uD800\uDC00\uDBFF\uDFFF""#, "\"\u{10000}\u{10ffff}\""),
        (r#""\uFFFF\uFEFF\uE000\uD7FF""#, "\"\u{ffff}\u{feff}\u{e000}\u{d7ff}\""),
        (r#""\\u0041""#, r#""\\u0041""#),
        (r#""\\\"\\""#, r#""\\\"\\""#),
        (r#""\"\"""#, r#""\"\"""#),
        ("\"<>&'\u{85}\u{7f}\"", "\"<>&'\u{85}\u{7f}\""),
        ("\"e\u{301}\"", "\"e\u{301}\""),
    ];
    let mut lines = Vec::new();
    for (written, canonical) in strings {
        let order = Order::new(lab);
        let pair = [
            (order.clone().note(written), order.clone().note(canonical)),
            (
                order.clone().note(&format!("[{{{written}:{written}}}]")),
                order.clone().note(&format!("[{{{canonical}:{canonical}}}]")),
            ),
            (Order { id: written.into(), ..order.clone() }, Order { id: canonical.into(), ..order.clone() }),
            (Order { event: written.into(), ..order.clone() }, Order { event: canonical.into(), ..order }),
        ];
        lines.extend(pair.map(|(order, wanted)| (order.text().into_bytes(), Judged::Good(wanted.canonical()))));
    }
    // The names of the order's own members, and the values that are not copied.
    let order = Order::new(lab);
    for (plain, escaped) in [
        ("\"seats\"", r#""\u0073eats""#),
        ("\"price\"", r#""pri\u0063e""#),
        ("12.50", r"12\u002e50"),
        ("Z\"", r#"\u005a""#),
    ] {
        lines.push((order.text().replace(plain, escaped).into_bytes(), Judged::Good(order.canonical())));
    }
    expect_judged(lab, &lines).await
}

/// JSON's numbers have no size: what a program does not count with, it has no reason to touch (RFC 8259 §6).
#[check(title = "numbers in a note stay as they are, and seats are whole", task = 2, points = 2, needs = ["json_accepted"],
        hints = ["What becomes of `0.10` and of `1e400` in your program, and why does it have to look at them at all?",
                 "Keep a number as the text that it was written as.",
                 "`seats` is digits and nothing else, from 1 to 1000: which of your language's parsers takes no more than that?"])]
async fn json_numbers(lab: &Lab) -> CheckResult {
    let kept = [
        "1e400",
        "-1e400",
        "1e-400",
        "-0",
        "0",
        "-0.0",
        "0e0",
        "0.10",
        "1.0",
        "100",
        "1E5",
        "1e5",
        "1e+5",
        "1E-05",
        "10e-1",
        "123456789012345678901234567890",
        "-123456789012345678901234567890",
        "9007199254740993",
        "18446744073709551616",
        "0.1000000000000000055511151231257827021181583404541015625",
        "1.7976931348623157e309",
        "5e-324",
    ];
    let all = format!("[{}]", kept.join(","));
    let mut lines: Vec<_> = kept.iter().map(|number| good(&Order::new(lab).note(number))).collect();
    lines.push(good(&Order::new(lab).note(&all)));
    lines.extend(["1", "9", "10", "999", "1000"].map(|seats| good(&Order::new(lab).seats(seats).price("1.00"))));
    let wrong = [
        "0",
        "1001",
        "-1",
        "-0",
        "2.0",
        "2e0",
        "2E0",
        "20e-1",
        "\"2\"",
        "null",
        "true",
        "[2]",
        "0.5",
        "1e400",
        "4294967298",
        "18446744073709551618",
        "65538",
        "1e1",
        "02",
        "+2",
    ];
    lines.extend(wrong.map(|seats| bad(Order::new(lab).seats(seats).text())));
    expect_judged(lab, &lines).await
}

/// One form for each value: what is equal can be compared byte for byte (RFC 8785 §3.2.3 has the idea; README, the program).
#[check(title = "members come out sorted, and each name once", task = 2, points = 3, needs = ["json_accepted"],
        hints = ["In which order does the container that you keep members in give them back?",
                 "Two members with the same name: which one is left in your object, and is that so at every depth?",
                 "When do you look whether `seats` is right: as you read the member, or once the object has ended?"])]
async fn json_members(lab: &Lab) -> CheckResult {
    // As written, and in the canonical form.
    let notes = [
        (r#"{ "b" : 1 , "a" : 2 }"#, r#"{"a":2,"b":1}"#),
        (r#"{"b":{"d":1,"c":[{"z":0,"y":0}]},"a":[]}"#, r#"{"a":[],"b":{"c":[{"y":0,"z":0}],"d":1}}"#),
        (
            r#"{"10":0,"9":0,"":0,"1":0,"a":0,"Z":0,"aa":0,"é":0," ":0}"#,
            r#"{"":0," ":0,"1":0,"10":0,"9":0,"Z":0,"a":0,"aa":0,"é":0}"#,
        ),
        ("{\"\u{1f3b7}\":0,\"\u{ff5e}\":0,\"é\":0,\"z\":0}", "{\"z\":0,\"é\":0,\"\u{ff5e}\":0,\"\u{1f3b7}\":0}"),
        (r#"{"\u0062":0,"a":0,"\u0041":0}"#, r#"{"A":0,"a":0,"b":0}"#),
        (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
        (r#"{"b":1,"a":2,"b":3,"a":{"c":4,"c":[]}}"#, r#"{"a":{"c":[]},"b":3}"#),
        (r#"[{"a":1,"a":2},{"a":3}]"#, r#"[{"a":2},{"a":3}]"#),
        (r#"{"a":1,"\u0061":2,"A":3}"#, r#"{"A":3,"a":2}"#),
        (r#"{"a":[1],"a":null}"#, r#"{"a":null}"#),
        ("[ 3 , 1 ,\t2 ]", "[3,1,2]"),
        (r#"{"id":"x","seats":0,"note":{"note":1,"at":2}}"#, r#"{"id":"x","note":{"at":2,"note":1},"seats":0}"#),
    ];
    let mut lines: Vec<_> = notes
        .iter()
        .map(|(written, canonical)| {
            let order = Order::new(lab);
            (order.clone().note(written).text().into_bytes(), Judged::Good(order.note(canonical).canonical()))
        })
        .collect();
    let (order, other) = (Order::new(lab).note("[1]"), Order::new(lab).note("2").event("Opera").seats(7).price("1.00"));
    let members = |order: &Order| order.text().trim_matches(['{', '}']).to_owned();
    lines.push((format!("{{{},{}}}", members(&order), members(&other)).into_bytes(), Judged::Good(other.canonical())));
    // Only the last has to be right.
    let order = Order::new(lab);
    let wrong_first = "\"seats\":0,\"price\":12.5,\"at\":null,\"id\":[],\"event\":\"\",\"note\":1,";
    let line = format!("{{{wrong_first}{}}}", members(&order.clone().note("2")));
    lines.push((line.into_bytes(), Judged::Good(order.clone().note("2").canonical())));
    for last in ["\"seats\":0", "\"price\":\"1\"", "\"at\":null", "\"id\":\"\"", "\"event\":1", "\"\\u0073eats\":1001"]
    {
        lines.push(bad(format!("{{{},{last}}}", members(&order))));
    }
    expect_judged(lab, &lines).await
}
