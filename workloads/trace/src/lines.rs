//! The lines of a slot's file, read in pieces so that a large file is never in memory as a whole. Must not know formats.

use std::borrow::Cow;

use benchhost_sdk::Host;

/// Bytes asked for at a time: the most the host gives.
const PIECE: u32 = 1 << 20;
/// Longest line. A row of a trace has a few kilobytes at most.
const LONGEST: usize = 4 << 20;

/// Reads lines one after the other.
pub(crate) struct Lines<'a> {
    source: Source<'a>,
    held: Vec<u8>,
    /// Where the next line begins in `held`.
    at: usize,
    /// Where the next piece begins in the file.
    offset: u64,
    ended: bool,
    /// Number of the line handed out last, from 1.
    number: u32,
}

enum Source<'a> {
    Slot(&'a dyn Host, &'a str),
    /// All of it is held already.
    Text,
}

impl<'a> Lines<'a> {
    /// The lines of the file in `slot`.
    pub(crate) fn of_slot(host: &'a dyn Host, slot: &'a str) -> Self {
        Self { source: Source::Slot(host, slot), held: Vec::new(), at: 0, offset: 0, ended: false, number: 0 }
    }

    /// The lines of a text.
    pub(crate) fn of_text(text: &str) -> Self {
        Self {
            source: Source::Text,
            held: text.into(),
            at: 0,
            offset: text.len() as u64,
            ended: true,
            number: 0,
        }
    }

    /// Number of the line handed out last, from 1.
    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    /// Bytes of the file that were read so far and are behind the next line.
    pub(crate) fn taken(&self) -> u64 {
        self.offset - (self.held.len() - self.at) as u64
    }

    /// The next line that is not blank, without white space around it; `None` after the last.
    pub(crate) fn next(&mut self) -> Result<Option<&str>, String> {
        loop {
            let Some((start, end)) = self.advance()? else { return Ok(None) };
            let number = self.number;
            let line = &self.held[start..end];
            let bom = if number == 1 { line.strip_prefix(b"\xef\xbb\xbf").map_or(0, |_| 3) } else { 0 };
            let text = std::str::from_utf8(&self.held[start + bom..end])
                .map_err(|e| format!("line {number} is not UTF-8 (byte {})", e.valid_up_to() + 1))?;
            if !text.trim().is_empty() {
                // Borrowed again, because a borrow that may be returned would last through the loop.
                let text = std::str::from_utf8(&self.held[start + bom..end]).unwrap_or_default();
                return Ok(Some(text.trim()));
            }
        }
    }

    /// Where the next line lies in `held`, its line feed left out.
    fn advance(&mut self) -> Result<Option<(usize, usize)>, String> {
        let mut searched = self.at;
        loop {
            if let Some(length) = self.held[searched..].iter().position(|b| *b == b'\n') {
                let (start, end) = (self.at, searched + length);
                self.at = end + 1;
                self.number += 1;
                return Ok(Some((start, end)));
            }
            if self.ended {
                let (start, end) = (self.at, self.held.len());
                self.at = end;
                self.number += u32::from(start < end);
                return Ok((start < end).then_some((start, end)));
            }
            if self.held.len() - self.at > LONGEST {
                return Err(format!("line {} is longer than {LONGEST} bytes: not a trace", self.number + 1));
            }
            searched = self.held.len() - self.at;
            self.fill()?;
        }
    }

    /// Reads a piece behind the line that has begun.
    fn fill(&mut self) -> Result<(), String> {
        self.held.drain(..self.at);
        self.at = 0;
        let Source::Slot(host, slot) = &self.source else {
            self.ended = true;
            return Ok(());
        };
        let piece = host.read(slot, self.offset, PIECE)?;
        self.ended = piece.is_empty();
        self.offset += piece.len() as u64;
        self.held.extend_from_slice(&piece);
        Ok(())
    }
}

/// The fields of one line of CSV after RFC 4180; a quoted field may hold commas and doubled quotes, but no line break.
/// `None`: a quote does not end.
pub(crate) fn fields(line: &str) -> Option<Vec<Cow<'_, str>>> {
    let mut all = Vec::with_capacity(8);
    let mut rest = line;
    loop {
        let (field, after) = match rest.trim_start().strip_prefix('"') {
            Some(inside) => quoted(inside).map(|(field, after)| (Cow::Owned(field), after))?,
            None => match rest.split_once(',') {
                Some((field, after)) => (Cow::Borrowed(field.trim()), Some(after)),
                None => (Cow::Borrowed(rest.trim()), None),
            },
        };
        all.push(field);
        match after {
            Some(after) => rest = after,
            None => return Some(all),
        }
    }
}

/// A field whose opening quote was taken, and what follows its comma.
fn quoted(inside: &str) -> Option<(String, Option<&str>)> {
    let mut field = String::new();
    let mut rest = inside;
    loop {
        let (before, after) = rest.split_once('"')?;
        field.push_str(before);
        if let Some(again) = after.strip_prefix('"') {
            field.push('"');
            rest = again;
            continue;
        }
        let after = after.trim_start();
        let next = if after.is_empty() { None } else { Some(after.strip_prefix(',')?) };
        return Some((field, next));
    }
}

#[cfg(test)]
mod tests {
    use benchhost_sdk::testkit::FakeHost;

    use super::*;

    fn all(mut lines: Lines<'_>) -> Result<Vec<(u32, String)>, String> {
        let mut out = Vec::new();
        while let Some(line) = lines.next()? {
            let line = line.to_owned();
            out.push((lines.number(), line));
        }
        Ok(out)
    }

    #[test]
    fn lines_keep_their_numbers_over_blanks_breaks_and_a_missing_end() {
        let text = "\u{feff}a\r\n\n  \nb\nc";
        let expected = [(1, "a".to_owned()), (4, "b".to_owned()), (5, "c".to_owned())];
        assert_eq!(all(Lines::of_text(text)).unwrap(), expected);
        let host = FakeHost::new().with_file("s", "f", text.as_bytes().to_vec());
        assert_eq!(all(Lines::of_slot(&host, "s")).unwrap(), expected);
        assert_eq!(all(Lines::of_text("")).unwrap(), []);
        assert_eq!(all(Lines::of_text("x\n")).unwrap(), [(1, "x".to_owned())]);
    }

    #[test]
    fn a_file_of_many_pieces_reads_as_one() {
        let line = |n: u32| format!("{n},{}", "x".repeat((n % 97) as usize));
        let text: String = (0..60_000).map(|n| line(n) + "\n").collect();
        assert!(text.len() > 2 << 20);
        let host = FakeHost::new().with_file("s", "f", text.into_bytes());
        let read = all(Lines::of_slot(&host, "s")).unwrap();
        assert_eq!(read.len(), 60_000);
        assert!((0..60_000).zip(&read).all(|(n, (number, text))| *number == n + 1 && *text == line(n)));
    }

    #[test]
    fn what_is_no_text_is_named_by_line() {
        let host = FakeHost::new().with_file("s", "f", b"a\nb\xff\n".to_vec());
        assert!(all(Lines::of_slot(&host, "s")).unwrap_err().contains("line 2 is not UTF-8 (byte 2)"));
        let endless = FakeHost::new().with_file("s", "f", vec![b'x'; LONGEST + 2 * PIECE as usize]);
        assert!(all(Lines::of_slot(&endless, "s")).unwrap_err().contains("line 1 is longer"));
        assert!(all(Lines::of_slot(&endless, "other")).is_err());
    }

    #[test]
    fn fields_follow_the_quotes() {
        assert_eq!(fields("a, b ,,\"x, \"\"y\"\"\",z").unwrap(), ["a", "b", "", "x, \"y\"", "z"]);
        assert_eq!(fields("").unwrap(), [""]);
        assert_eq!(fields("a,").unwrap(), ["a", ""]);
        assert_eq!(fields("\"a\"").unwrap(), ["a"]);
        assert!(fields("a,\"b").is_none() && fields("\"a\"b,c").is_none());
    }
}
