//! From reads, which end anywhere, to blocks of whole lines.

use std::io::BufRead as _;

/// The longest line that is looked at, in bytes without its ending.
pub const LONGEST: usize = 1 << 20;

/// Collects what was read until a line is complete. Of a line that is too long it keeps just enough to show that it is.
#[derive(Debug, Default)]
pub struct Splitter {
    /// The beginning of a line whose end has not come yet.
    open: Vec<u8>,
}

impl Splitter {
    /// Takes what was read, and gives the lines that are complete with it: they end in a line feed each.
    pub fn push(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let Some(last) = bytes.iter().rposition(|byte| *byte == b'\n') else {
            self.keep(bytes);
            return None;
        };
        let (whole, rest) = bytes.split_at(last + 1);
        let (end_of_open, others) = whole.split_at(line_length(whole));
        self.keep(end_of_open.strip_suffix(b"\n").unwrap_or(end_of_open));
        let mut block = std::mem::take(&mut self.open);
        block.push(b'\n');
        block.extend_from_slice(others);
        self.keep(rest);
        Some(block)
    }

    /// The last line, if it has no ending.
    pub fn finish(self) -> Option<Vec<u8>> {
        (!self.open.is_empty()).then_some(self.open)
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = (LONGEST + 1).saturating_sub(self.open.len());
        self.open.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

/// The lines of a block, without their line feeds.
pub fn of_block(block: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = block;
    std::iter::from_fn(move || {
        let (line, others) = rest.split_at(line_length(rest));
        rest = others;
        (!line.is_empty()).then(|| line.strip_suffix(b"\n").unwrap_or(line))
    })
}

/// How long the first line of `bytes` is, with its line feed.
fn line_length(bytes: &[u8]) -> usize {
    let mut ahead = bytes;
    ahead.skip_until(b'\n').unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of `pieces`, as they come out of blocks.
    fn lines(pieces: &[&[u8]]) -> Vec<Vec<u8>> {
        let mut splitter = Splitter::default();
        let mut blocks: Vec<_> = pieces.iter().filter_map(|piece| splitter.push(piece)).collect();
        blocks.extend(splitter.finish());
        blocks.iter().flat_map(|block| of_block(block)).map(<[u8]>::to_vec).collect()
    }

    #[test]
    fn lines_are_the_same_wherever_reads_end() {
        let text = "one\r\ntwo\n\nCafé\nlast".as_bytes();
        let wanted = lines(&[text]);
        assert_eq!(wanted, ["one\r", "two", "", "Café", "last"].map(|line| line.as_bytes().to_vec()));
        for at in 0..=text.len() {
            let (before, behind) = text.split_at(at);
            assert_eq!(lines(&[before, behind]), wanted, "cut at {at}");
        }
        assert_eq!(lines(&text.chunks(1).collect::<Vec<_>>()), wanted);
    }

    #[test]
    fn of_a_line_that_is_too_long_no_more_is_kept_than_shows_it() {
        let piece = vec![b'a'; 100_000];
        let mut pieces: Vec<&[u8]> = vec![&piece; 30];
        pieces.push(b"\nnext\n");
        let lengths: Vec<_> = lines(&pieces).iter().map(Vec::len).collect();
        assert_eq!(lengths, [LONGEST + 1, 4]);
    }
}
