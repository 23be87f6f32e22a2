//! Styled text cut to a screen's width: colours count for nothing, a tab is four spaces, and no other control passes.

/// How wide a tab is shown.
const TAB: &str = "    ";
/// What ends every style (ECMA-48, SGR 0).
const PLAIN: &str = "\u{1b}[0m";

/// `line` in at most `width` columns; with `…` at its end, if something was cut off.
pub(super) fn fit(line: &str, width: usize) -> String {
    let line = line.replace('\t', TAB);
    let (whole, _) = take(&line, usize::MAX);
    if textwrap::core::display_width(&whole) <= width {
        return whole;
    }
    let (mut text, styled) = take(&line, width.saturating_sub(1));
    if width > 0 {
        text.push('…');
    }
    if styled { text + PLAIN } else { text }
}

/// The part of `line` that fits `width` columns, and whether a style is in it.
fn take(line: &str, width: usize) -> (String, bool) {
    let (mut text, mut used, mut styled) = (String::new(), 0, false);
    let mut rest = line;
    while let Some(character) = rest.chars().next() {
        if let Some(length) = style(rest) {
            text.push_str(&rest[..length]);
            styled = true;
            rest = &rest[length..];
            continue;
        }
        let length = character.len_utf8();
        if !character.is_control() {
            used += textwrap::core::display_width(&rest[..length]);
            if used > width {
                break;
            }
            text.push(character);
        }
        rest = &rest[length..];
    }
    (text, styled)
}

/// The length of the style (SGR) that `text` begins with.
fn style(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix("\u{1b}[")?;
    let end = parameters.find(|c: char| !c.is_ascii_digit() && c != ';')?;
    parameters[end..].starts_with('m').then_some(2 + end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_take_no_room_and_end_where_the_text_is_cut() {
        let green = "\u{1b}[32mpassed\u{1b}[0m at last";
        assert_eq!(fit(green, 14), green);
        assert_eq!(fit(green, 4), "\u{1b}[32mpas…\u{1b}[0m");
        assert_eq!(fit("plain text", 6), "plain…");
        assert_eq!(fit("any", 0), "");
    }

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(fit("日本語", 6), "日本語");
        assert_eq!(fit("日本語", 5), "日本…");
        assert_eq!(fit("日本語", 4), "日…");
    }

    #[test]
    fn a_tab_is_spaces_and_no_other_control_passes() {
        assert_eq!(fit("\tlet a\u{7}\u{1b}[2J\r;", 40), "    let a[2J;");
    }
}
