//! When this thread was late. Knows stamps, not whose bytes waited.
//!
//! A read has the stamp of its last byte only. If a thread was kept from its core for 10 ms, the bytes of one stream that
//! came in that time are read at once, and the stamp of the last may be as fresh as any. What gives the pause away is the
//! other streams of the thread: some of their bytes had arrived early in it, and their stamps say so. So every read that
//! finds its bytes late is noted for the whole thread, and an exchange asks at its end which of its reads fell into such
//! a time.

use std::cell::RefCell;
use std::collections::VecDeque;

use benchhost_model::{Nanos, ReadMark};

use crate::clock::RunClock;

/// From this lag of the program's stamp behind the kernel's a read is late.
pub(crate) const LATE: Nanos = Nanos::new(1_000_000);

/// Spans that are kept. When there are more, the oldest are joined, which makes more reads doubtful, not fewer.
const SPANS_MAX: usize = 4096;

thread_local! {
    static LOG: RefCell<Log> = const { RefCell::new(Log { spans: VecDeque::new() }) };
}

/// Spans of the machine's monotonic time, in order, without overlaps.
#[derive(Debug)]
struct Log {
    spans: VecDeque<(u64, u64)>,
}

impl Log {
    fn note(&mut self, mut from: u64, mut to: u64) {
        while let Some((before, end)) = self.spans.back().copied()
            && end >= from
        {
            self.spans.pop_back();
            from = from.min(before);
            to = to.max(end);
        }
        self.spans.push_back((from, to));
        if self.spans.len() > SPANS_MAX
            && let Some((oldest, _)) = self.spans.pop_front()
            && let Some(next) = self.spans.front_mut()
        {
            next.0 = oldest;
        }
    }

    /// Whether a span has a part between `after` and `until`.
    fn touches(&self, after: u64, until: u64) -> bool {
        let first = self.spans.partition_point(|(_, end)| *end <= after);
        self.spans.get(first).is_some_and(|(begin, _)| *begin < until)
    }
}

/// Bytes that arrived at `from` were read at `to`, both of the machine's monotonic clock in nanoseconds.
#[cold]
pub(crate) fn note(from: u64, to: u64) {
    LOG.with_borrow_mut(|log| log.note(from, to));
}

/// The marks of prompt reads before which this thread was late at some time since the read before; `start` stands for
/// the read before the first. A read whose own lag shows it is not among them.
pub(crate) fn touched(marks: &[ReadMark], start: Nanos, clock: RunClock) -> Vec<u32> {
    LOG.with_borrow(|log| {
        if log.spans.back().is_none_or(|(_, end)| *end <= clock.monotonic_at(start)) {
            return Vec::new();
        }
        let before = std::iter::once(start).chain(marks.iter().map(|mark| mark.user));
        (0_u32..)
            .zip(marks.iter().zip(before))
            .filter(|(_, (mark, before))| {
                let prompt = mark.kernel.is_some_and(|kernel| mark.user - kernel < LATE);
                prompt && log.touches(clock.monotonic_at(*before), clock.monotonic_at(mark.user))
            })
            .map(|(index, _)| index)
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(spans: &[(u64, u64)]) -> Log {
        let mut log = Log { spans: VecDeque::new() };
        for (from, to) in spans {
            log.note(*from, *to);
        }
        log
    }

    #[test]
    fn spans_that_meet_become_one() {
        assert_eq!(log(&[(10, 20), (15, 25), (30, 40)]).spans, [(10, 25), (30, 40)]);
        assert_eq!(log(&[(10, 20), (30, 40), (5, 50)]).spans, [(5, 50)]);
    }

    #[test]
    fn a_time_touches_a_span_if_they_share_more_than_a_moment() {
        let log = log(&[(10, 20), (30, 40)]);
        let touches: Vec<bool> = [(0, 10), (0, 11), (20, 30), (19, 22), (25, 35), (40, 90), (0, 90)]
            .iter()
            .map(|(after, until)| log.touches(*after, *until))
            .collect();
        assert_eq!(touches, [false, true, false, true, true, false, true]);
    }

    #[test]
    fn too_many_spans_join_and_none_is_lost() {
        let all: Vec<(u64, u64)> = (0..SPANS_MAX as u64 + 10).map(|n| (n * 10, n * 10 + 5)).collect();
        let log = log(&all);
        assert_eq!(log.spans.len(), SPANS_MAX);
        assert!(all.iter().all(|(from, to)| log.touches(*from, *to)));
    }

    #[test]
    fn reads_of_one_stream_are_doubted_for_the_lateness_of_another() {
        let clock = RunClock::start();
        let at = |ms: u64| Nanos::new(ms * 1_000_000);
        let mark = |user, kernel: Option<u64>| ReadMark { end: user, user: at(user), kernel: kernel.map(at) };
        // Prompt, prompt after a pause from 12 to 20, late itself, unstamped, prompt.
        let marks =
            [mark(10, Some(10)), mark(20, Some(20)), mark(30, Some(25)), mark(32, None), mark(40, Some(40))];
        assert!(touched(&marks, at(5), clock).is_empty());
        note(clock.monotonic_at(at(12)), clock.monotonic_at(at(20)));
        note(clock.monotonic_at(at(25)), clock.monotonic_at(at(33)));
        assert_eq!(touched(&marks, at(5), clock), [1, 4]);
        assert!(touched(&marks[..1], at(5), clock).is_empty());
    }
}
