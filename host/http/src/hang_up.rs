//! Users who leave before the answer is whole: when, and how their events are counted. Knows what separates events, not
//! what they mean.

use std::time::Duration;

/// When the user whom a request stands for hangs up. The exchange then ends as cancelled, without a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HangUp {
    /// As soon as so many events of the body have arrived; 0 means with its first bytes. All that the last read brought
    /// is kept.
    AfterEvents {
        /// How many.
        events: u32,
        /// What ends an event.
        separator: Separator,
    },
    /// So long after the connection was there and the request began to be written.
    After(Duration),
}

/// What ends an event of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Separator {
    /// A blank line, as in server-sent events. A block of nothing but comments (`:`) is no event.
    BlankLine,
    /// The end of a line, as in JSON lines. A blank line is no event.
    Line,
}

/// Counts the events of one body, which comes in any pieces. Lines end in `\n` or `\r\n`.
#[derive(Debug, Clone)]
pub(crate) struct EventCount {
    separator: Separator,
    wanted: u32,
    seen: u32,
    line: Line,
    /// The block so far has a line that is no comment.
    block_counts: bool,
}

/// The line so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    /// Nothing but perhaps a carriage return.
    Blank,
    Comment,
    Text,
}

impl EventCount {
    pub(crate) fn new(wanted: u32, separator: Separator) -> Self {
        Self { separator, wanted, seen: 0, line: Line::Blank, block_counts: false }
    }

    /// Takes the next bytes of the body. True: there are as many events as wanted.
    pub(crate) fn is_reached(&mut self, mut bytes: &[u8]) -> bool {
        while let Some(at) = memchr::memchr(b'\n', bytes) {
            let (line, rest) = bytes.split_at(at);
            self.extend_line(line);
            self.end_line();
            bytes = rest.get(1..).unwrap_or_default();
        }
        self.extend_line(bytes);
        self.seen >= self.wanted
    }

    fn extend_line(&mut self, part: &[u8]) {
        if self.line == Line::Blank
            && let Some(first) = part.iter().find(|byte| **byte != b'\r')
        {
            let comment = *first == b':' && self.separator == Separator::BlankLine;
            self.line = if comment { Line::Comment } else { Line::Text };
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::replace(&mut self.line, Line::Blank);
        let ended = match self.separator {
            Separator::Line => line == Line::Text,
            Separator::BlankLine => line == Line::Blank && std::mem::take(&mut self.block_counts),
        };
        self.seen = self.seen.saturating_add(u32::from(ended));
        self.block_counts |= line == Line::Text;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After how many bytes of `text`, fed one by one, the count is reached.
    fn reached_at(text: &str, wanted: u32, separator: Separator) -> Option<usize> {
        let mut count = EventCount::new(wanted, separator);
        text.bytes().position(|byte| count.is_reached(&[byte])).map(|at| at + 1)
    }

    #[test]
    fn a_blank_line_ends_an_event_whatever_the_line_ends_are() {
        let text = "data: a\n\ndata: b\r\nid: 1\r\n\r\n\n\ndata: c\n\n";
        let ends: Vec<_> = (1..=4).map(|n| reached_at(text, n, Separator::BlankLine)).collect();
        assert_eq!(ends, [Some(9), Some(27), Some(38), None]);
    }

    #[test]
    fn comments_are_no_events() {
        assert_eq!(reached_at(": ping\n\n: ping\n\ndata: a\n\n", 1, Separator::BlankLine), Some(25));
        assert_eq!(reached_at(": c\ndata: a\n\n", 1, Separator::BlankLine), Some(13));
    }

    #[test]
    fn lines_are_events_unless_they_are_blank() {
        assert_eq!(reached_at("{}\n\r\n\n:x\r\n", 2, Separator::Line), Some(10));
    }

    #[test]
    fn none_wanted_is_reached_with_the_first_bytes() {
        assert_eq!(reached_at("d", 0, Separator::BlankLine), Some(1));
    }

    #[test]
    fn pieces_of_any_size_count_alike() {
        let text = ": p\n\ndata: a\r\n\r\ndata: b\n\n\n\n";
        for wanted in 1..=2 {
            let whole = EventCount::new(wanted, Separator::BlankLine).is_reached(text.as_bytes());
            assert!(whole && reached_at(text, wanted, Separator::BlankLine).is_some());
            for cut in 0..text.len() {
                let mut count = EventCount::new(wanted, Separator::BlankLine);
                let (first, second) = text.as_bytes().split_at(cut);
                let early = count.is_reached(first);
                assert_eq!(early, reached_at(text, wanted, Separator::BlankLine).is_some_and(|at| at <= cut));
                assert!(count.is_reached(second));
            }
        }
    }
}
