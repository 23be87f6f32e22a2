//! Task 3: lines, however they come.

use lab_kit::prelude::*;

use crate::json_texts::REFUSED;
use crate::memory::{Padded, baseline, expect_within, measured};
use crate::support::{COMMANDS, Order, bad, expect, expect_judged, expect_outcome, good};

/// The longest line that has to be accepted, in bytes, with its line feed.
const LONG: usize = 1_000_000;
/// A line that has to be refused, in bytes.
const TOO_LONG: usize = 2_000_000;
/// A line that no memory should hold, in bytes.
const ENDLESS: usize = 100_000_000;
/// How long a program may take for lines of a megabyte or two, and for an endless one, on a machine that others keep busy.
const MINUTE: Duration = Duration::from_secs(60);

/// One bad order among a million is no reason to lose the others, and whoever mends it needs its number (README, the program).
#[check(title = "bad lines are told by their numbers, and the others processed", task = 3, points = 3,
        hints = ["What happens to the rest of the input when a line is no order?",
                 "Which lines does your number count: those that you have parsed, or those that there are?",
                 "Which exit code tells a script that some lines were left out?"])]
async fn bad_line(lab: &Lab) -> CheckResult {
    let (one, two, three) = (Order::new(lab), Order::new(lab), Order::new(lab));
    let (a, b, c) = (one.line(), two.line(), three.line());
    let (cut, word) = (a.trim_end_matches("}\n"), lab.word());
    // The input, and the numbers of its bad lines.
    let inputs = [
        (format!("{a}{word}\n{b}{c}"), vec![2]),
        (format!("{word}\n{a}{b}{c}"), vec![1]),
        (format!("{a}{b}{c}{word}\n"), vec![4]),
        (format!("{a}{b}{c}{cut}"), vec![4]),
        (format!("\n{word}\n\n \t\n{a}{cut}\n\n{b}\n{{}}\n{c}\n\n[]\n"), vec![2, 6, 10, 14]),
        (format!("null\n{a}{b}{{\n}}\n{c}\"\n"), vec![1, 4, 5, 7]),
        (format!("{a}{b}{c}") + &format!("{word}\n").repeat(300), (4..304).collect()),
    ];
    let canonical = one.canonical() + &two.canonical() + &three.canonical();
    let sums = "\"orders\":3,\"revenue\":\"75.00\",\"seats\":6";
    let report = format!(
        "{{\"event\":\"Jazz Night\",\"first\":\"2026-03-01T19:00:00Z\",\"last\":\"2026-03-01T19:00:00Z\",{sums}}}\n"
    );
    for (input, bad) in inputs {
        expect(lab.program().arg("import"), input.as_str(), &canonical, &bad).await?;
        expect(lab.program().arg("report"), input, &report, &bad).await?;
    }
    for command in COMMANDS {
        expect(lab.program().arg(command), format!("{word}\n\n{word}"), "", &[1, 3]).await?;
    }
    Ok(())
}

/// A read returns what is there, and that need be neither a line nor a character (read(2), pipe(7)).
#[check(title = "input may come in pieces of any size", task = 3, points = 3, needs = ["bad_line"],
        hints = ["What does one read promise you?",
                 "When do you ask whether bytes are UTF-8: when they come, or once the line is whole?",
                 "What does your program take a read for that brought nothing yet, and what an end of the input?"])]
async fn split_input(lab: &Lab) -> CheckResult {
    let (one, two) = (Order::new(lab).event("Café 🎷").note("\"é\\n\u{20ac}\""), Order::new(lab).event("Opéra"));
    let input = format!("{}\r\nx é\r\n\n{}", one.text(), two.text().replace('é', "\\u00e9")).into_bytes();
    let output = one.canonical() + &two.canonical();
    // Byte by byte; then halves that part where it hurts.
    fed(lab, &input, &(1..input.len()).collect::<Vec<_>>(), &output).await?;
    let find = |what: &[u8]| input.windows(what.len()).position(|window| window == what).unwrap_or_default();
    let places = [
        find(b"\xa9"),
        find(b"\x9f\x8e"),
        find(b"n\xe2"),
        find(b"\n"),
        find(b"u00e9"),
        find(b"\"id\""),
        input.len() - 1,
    ];
    for place in places {
        fed(lab, &input, &[place], &output).await?;
    }
    Ok(())
}

/// Feeds `input` in pieces that part at `places`; each is read before the next is sent.
async fn fed(lab: &Lab, input: &[u8], places: &[usize], output: &str) -> CheckResult {
    let mut running = lab.program().arg("import").start().await?;
    let mut from = 0;
    for &to in places.iter().chain([&input.len()]) {
        running.send(&input[from..to]).await?;
        running.has_read_all().await?;
        from = to;
    }
    running.end_input();
    let done = running.finish().await?;
    let hint = "Which piece of the input was the last that your program has looked at?";
    expect_outcome(&done, output.as_bytes(), &[2]).hint(hint)
}

/// Files come from other systems, and not every editor ends the last line (RFC 8259 §2: a carriage return is white space).
#[check(title = "lines end in LF, in CRLF, or with the input", task = 3, points = 2, needs = ["bad_line"],
        hints = ["What is left in a line that ended in CRLF, and who sees it?",
                 "What does your program do with what it has when the input ends?"])]
async fn line_ends(lab: &Lab) -> CheckResult {
    let (one, two, three) = (Order::new(lab), Order::new(lab), Order::new(lab));
    let (a, b, c) = (one.text(), two.text(), three.text());
    let canonical = one.canonical() + &two.canonical() + &three.canonical();
    let inputs = [
        (format!("{a}\n{b}\n{c}"), vec![]),
        (format!("{a}\r\n{b}\r\n{c}\r\n"), vec![]),
        (format!("{a}\r\n{b}\n{c}\r"), vec![]),
        (format!("\r\n{a}\r\n\r\n\n{b} \r\n{c}"), vec![]),
        (format!("{a}\r\nx\r\n{b}\n\r\nx\r\n{c}\r\n"), vec![2, 5]),
        (format!("x\r\n{a}\r{b}\n{a}\n{b}\n{c}\nx"), vec![1, 2, 6]),
    ];
    for (input, bad) in inputs {
        expect(lab.program().arg("import"), input, &canonical, &bad).await?;
    }
    Ok(())
}

/// Bytes that stand for no character are no text: to guess what was meant changes the data (RFC 3629 §3, §10; RFC 8259 §8.1).
#[check(title = "bytes that are not UTF-8 make a bad line", task = 3, points = 2, needs = ["bad_line"],
        hints = ["What does your language do with a byte that is no UTF-8: an error, an end, or another character in its place?",
                 "Read lines as bytes, and ask for each whether it is text.",
                 "An overlong form and an encoded surrogate follow the pattern and are wrong all the same."])]
async fn not_utf8(lab: &Lab) -> CheckResult {
    let values = REFUSED.iter().flat_map(|group| group.values).filter(|value| std::str::from_utf8(value).is_err());
    let mut lines = Vec::new();
    for value in values {
        let order = Order::new(lab).text().into_bytes();
        let front = &order[..order.len() - 1];
        lines.push(good(&Order::new(lab).event("Café")));
        lines.push(bad([front, b",\"note\":", value, b"}"].concat()));
        lines.push(bad([front, b",\"more\":[", value, b"]}"].concat()));
    }
    let order = Order::new(lab).text().into_bytes();
    lines.extend([&b"\xff"[..], b"\xc2\xa0\x80", b"\xef\xbb"].map(|tail| bad([&order, tail].concat())));
    lines.extend([&b"\xff\xfe"[..], b"\x80", b"\xbf "].map(|head| bad([head, &order].concat())));
    lines.push(good(&Order::new(lab)));
    expect_judged(lab, &lines).await?;
    for command in COMMANDS {
        expect(lab.program().arg(command), b"\xff\n\xc3\xa9\n\xc3", "", &[1, 2, 3]).await?;
    }
    Ok(())
}

/// Whoever sends a line decides how long it is; how much of it is held, the program decides (CWE-400, CWE-789).
#[check(title = "a line of a million bytes is read, one without an end costs no memory", task = 3, points = 3,
        needs = ["bad_line"], limit = 240,
        hints = ["How much does your program hold of a line whose end has not come?",
                 "From which length on is a line bad, whatever it says? Then only its end is of interest.",
                 "Count the lines behind it right: it is one line."])]
async fn long_line(lab: &Lab) -> CheckResult {
    let padded = |length: usize| {
        let order = Order::new(lab);
        let room = length - order.note("\"\"").line().len();
        Order::new(lab).note(&format!("\"{}\"", "x".repeat(room)))
    };
    let (longest, spaced) = (padded(LONG), Order::new(lab));
    let space = " ".repeat(LONG - spaced.line().len());
    let (one, two) = (Order::new(lab), Order::new(lab));
    let input =
        [longest.line(), spaced.text().replacen(',', &format!("{space},"), 1), "\n".into(), one.line()].concat();
    let output = longest.canonical() + &spaced.canonical() + &one.canonical();
    let longer = [
        padded(TOO_LONG + 1).line(),
        format!("{}\n", "[".repeat(TOO_LONG)),
        format!("{}{}\n", one.text(), " ".repeat(TOO_LONG)),
        padded(3 * TOO_LONG + 7).line(),
    ];
    expect(lab.program().arg("import").within(MINUTE), input, &output, &[]).await?;
    let input =
        format!("{}{}{}\nx\n{}{}", longer[0], one.line(), longer[1..].concat(), two.line(), "y".repeat(TOO_LONG));
    let bad = [1, 3, 4, 5, 7, 9];
    expect(lab.program().arg("import").within(MINUTE), input, &(one.canonical() + &two.canonical()), &bad).await?;
    endless(lab).await
}

/// A line that goes on and on.
async fn endless(lab: &Lab) -> CheckResult {
    let base = baseline(lab, &["import"]).await?;
    let (one, two) = (Order::new(lab), Order::new(lab));
    let mut running = measured(lab.program().arg("import")).within(MINUTE).start().await?;
    running.send(format!("{}{}", one.line(), two.text().trim_end_matches('}')).as_bytes()).await?;
    running.send(b",\"note\":\"").await?;
    let piece = vec![b'x'; Padded::BLOCK];
    for _ in 0..ENDLESS / piece.len() {
        running.send(&piece).await?;
        expect_within(&running, base, "a line without an end")?;
    }
    running.send(format!("\"}}\n{}", two.line()).as_bytes()).await?;
    running.end_input();
    let done = running.finish().await?;
    expect_outcome(&done, (one.canonical() + &two.canonical()).as_bytes(), &[2])
}
