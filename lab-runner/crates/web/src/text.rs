//! Text as a page shows it: with nothing in it that hides, turns or controls, and not longer than there is room for.

use lab_runner::reporter::inert;

/// `text` in one line: every run of white space is one space.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `text` with everything escaped that is not seen for what it is, cut to at most `most` bytes; what is cut off is counted.
pub fn shown(text: &str, most: usize) -> String {
    let text = inert(text);
    if text.len() <= most {
        return text.into_owned();
    }
    let end = text.floor_char_boundary(most);
    format!("{}… ({} bytes more)", &text[..end], text.len() - end)
}

/// The same in one line, cut without counting: for titles.
pub fn title(text: &str, most: usize) -> String {
    let text = one_line(&inert(text));
    if text.chars().count() <= most {
        return text;
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// Microseconds as milliseconds, with as many digits as tell something.
pub fn ms(us: u64) -> String {
    match us {
        0..10_000 => format!("{}.{}", us / 1000, us % 1000 / 100),
        _ => (us / 1000).to_string(),
    }
}

/// A length of time in words, from microseconds.
pub fn duration(us: u64) -> String {
    match us {
        0..1_000_000 => format!("{} ms", ms(us)),
        _ => format!("{}.{} s", us / 1_000_000, us % 1_000_000 / 100_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_or_turns_text_is_seen() {
        assert_eq!(shown("a\u{202e}b\u{1b}[2J", 100), "a\\u{202e}b\\u{1b}[2J");
        assert_eq!(title("a\n\tb\u{0}", 100), "a b\\u{0}");
    }

    #[test]
    fn what_is_cut_is_counted_and_no_letter_is_split() {
        assert_eq!(shown("äää", 3), "ä… (4 bytes more)");
        assert_eq!(title("one two three", 8), "one two…");
    }

    #[test]
    fn times_have_the_digits_that_tell_something() {
        assert_eq!([ms(0), ms(450), ms(9_960), ms(12_345)], ["0.0", "0.4", "9.9", "12"]);
        assert_eq!([duration(1_500), duration(2_340_000)], ["1.5 ms", "2.3 s"]);
    }
}
