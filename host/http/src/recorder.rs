//! Gathers a timeline while an exchange runs. Pure bookkeeping: no socket, no limit but the body's cap.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use benchhost_model::{Ending, Nanos, ReadMark, Timeline, TransportFailure};
use hyper::StatusCode;

use crate::clock::RunClock;
use crate::hang_up::{EventCount, HangUp};
use crate::head::Head;
use crate::lateness;
use crate::stamps::Stamps;

/// What the answers so far say of the next: enough to give it its memory in one piece. A body that grows by doubling is
/// copied each time, and answers that began together double together, which holds up all streams of a thread.
#[derive(Debug, Default)]
pub(crate) struct Expectation {
    body: AtomicUsize,
    marks: AtomicUsize,
}

/// More is not set aside at once, however long an earlier answer was. Memory that no byte reaches costs nothing.
const BODY_AHEAD_MAX: usize = 1024 * 1024;

impl Expectation {
    fn learn(&self, timeline: &Timeline) {
        self.body.fetch_max(timeline.body.len().min(BODY_AHEAD_MAX), Relaxed);
        self.marks.fetch_max(timeline.marks.len().min(BODY_AHEAD_MAX / size_of::<ReadMark>()), Relaxed);
    }
}

/// A timeline in the making.
pub(crate) struct Recorder {
    timeline: Timeline,
    expected: Arc<Expectation>,
    clock: RunClock,
    /// Most bytes of the body that are kept.
    cap: usize,
    /// Bytes of the body that have a mark.
    marked: usize,
    /// When the user has seen enough, if ever.
    enough: Option<EventCount>,
}

impl Recorder {
    pub(crate) fn new(
        scheduled: Nanos,
        clock: RunClock,
        (cap, expected): (usize, Arc<Expectation>),
        hang_up: Option<HangUp>,
    ) -> Self {
        let enough = match hang_up {
            Some(HangUp::AfterEvents { events, separator }) => Some(EventCount::new(events, separator)),
            Some(HangUp::After(_)) | None => None,
        };
        Self {
            timeline: Timeline::never_sent(scheduled, clock.now()),
            expected,
            clock,
            cap,
            marked: 0,
            enough,
        }
    }

    /// An attempt begins on a connection that is usable now.
    pub(crate) fn attempt(&mut self, reused: bool, now: Nanos) {
        self.timeline.attempts += 1;
        self.timeline.connection_reused = reused;
        self.timeline.connected = self.timeline.connected.or(Some(now));
    }

    /// The attempt wrote nothing, because the connection turned out to be closed: it does not count.
    pub(crate) fn forget_attempt(&mut self) {
        self.timeline.attempts = self.timeline.attempts.saturating_sub(1);
        if self.timeline.attempts == 0 {
            self.timeline.connected = None;
        }
    }

    /// Keeps the send time of the first attempt that wrote anything.
    pub(crate) fn sent(&mut self, stamps: &Stamps) {
        self.timeline.sent = self.timeline.sent.or(stamps.first_write());
    }

    /// The response's head is there.
    pub(crate) fn head(&mut self, head: Head, at: Option<Nanos>) {
        self.timeline.headers_at = at;
        self.timeline.status = Some(head.status);
        self.timeline.headers = head.headers;
        if !self.is_success() {
            self.cap = self.cap.min(ERROR_BODY_CAP);
            return;
        }
        self.timeline.body.reserve_exact(self.expected.body.load(Relaxed).min(self.cap));
        self.timeline.marks.reserve_exact(self.expected.marks.load(Relaxed));
    }

    /// Bytes of the body. False: the cap is reached, and what is beyond it was dropped.
    #[inline]
    pub(crate) fn push(&mut self, data: &[u8]) -> bool {
        let room = self.cap.saturating_sub(self.timeline.body.len());
        let kept = data.get(..room).unwrap_or(data);
        self.timeline.body.extend_from_slice(kept);
        kept.len() == data.len()
    }

    /// All of a read was pushed. True: the user has seen enough.
    #[inline]
    pub(crate) fn mark(&mut self, stamps: &Stamps) -> bool {
        let fresh = self.timeline.body.get(self.marked..).unwrap_or_default();
        if fresh.is_empty() {
            return false;
        }
        let enough = self.enough.as_mut().is_some_and(|count| count.is_reached(fresh));
        self.marked = self.timeline.body.len();
        merge(&mut self.timeline.marks, stamps.mark(self.marked as u64));
        enough
    }

    /// Bytes of the body so far.
    pub(crate) fn body_len(&self) -> usize {
        self.timeline.body.len()
    }

    /// The most bytes it keeps.
    pub(crate) fn cap(&self) -> usize {
        self.cap
    }

    /// The status is one for which the body ought to be an answer.
    pub(crate) fn is_success(&self) -> bool {
        self.status().is_some_and(|status| status.is_success())
    }

    pub(crate) fn status(&self) -> Option<StatusCode> {
        self.timeline.status.and_then(|status| StatusCode::from_u16(status).ok())
    }

    /// The value of a response header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.timeline.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The user left.
    pub(crate) fn hung_up(&mut self) {
        self.timeline.hung_up = true;
    }

    /// The finished timeline. To be called on the thread that read, which knows when it was late.
    pub(crate) fn finish(self, ending: Ending, failure: Option<TransportFailure>, ended: Nanos) -> Timeline {
        if ending == Ending::Complete && self.is_success() {
            self.expected.learn(&self.timeline);
        }
        let start = self.timeline.sent.unwrap_or(Nanos::ZERO);
        let late_marks = lateness::touched(&self.timeline.marks, start, self.clock);
        Timeline { ended, ending, failure, late_marks, ..self.timeline }
    }
}

/// An error's body is for people; this is more than any of them reads.
const ERROR_BODY_CAP: usize = 1024 * 1024;

/// Several pieces of one read share its mark: text that TLS had decrypted, or what came with the head.
fn merge(marks: &mut Vec<ReadMark>, mark: ReadMark) {
    match marks.last_mut() {
        Some(last) if last.user == mark.user && last.kernel == mark.kernel => last.end = mark.end,
        _ => marks.push(mark),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::Framing;

    fn answer(expected: &Arc<Expectation>, status: u16, body: &[u8], ending: Ending) -> Timeline {
        let clock = RunClock::start();
        let mut record = Recorder::new(clock.now(), clock, (4096, Arc::clone(expected)), None);
        let head = Head { status, headers: Vec::new(), framing: Framing::ToClose, keep_alive: false };
        record.head(head, Some(clock.now()));
        record.push(body);
        record.mark(&Stamps::new(clock, Arc::default()));
        record.finish(ending, None, clock.now())
    }

    #[test]
    fn an_answer_gets_the_memory_of_the_longest_whole_one_before_and_no_more_than_its_cap() {
        let expected = Arc::default();
        answer(&expected, 200, &[b'x'; 3000], Ending::Complete);
        assert_eq!(answer(&expected, 200, b"y", Ending::Complete).body.capacity(), 3000);
        answer(&expected, 200, &[b'x'; 4000], Ending::Cut);
        answer(&expected, 500, &[b'x'; 4000], Ending::Complete);
        assert_eq!(answer(&expected, 200, b"y", Ending::Complete).body.capacity(), 3000);
        assert!(answer(&expected, 500, b"no", Ending::Complete).body.capacity() < 3000);
        expected.body.store(BODY_AHEAD_MAX, Relaxed);
        assert_eq!(answer(&expected, 200, b"y", Ending::Complete).body.capacity(), 4096);
    }

    #[test]
    fn a_mark_covers_what_came_since_the_last_and_nothing_new_leaves_none() {
        let clock = RunClock::start();
        let mut record = Recorder::new(clock.now(), clock, (4, Arc::default()), None);
        let stamps = Stamps::new(clock, Arc::default());
        assert!(!record.mark(&stamps) && record.timeline.marks.is_empty());
        assert!(record.push(b"abc"));
        record.mark(&stamps);
        record.mark(&stamps);
        assert!(!record.push(b"de"), "the cap is reached");
        record.mark(&stamps);
        let ends: Vec<u64> = record.timeline.marks.iter().map(|mark| mark.end).collect();
        assert_eq!((ends, &record.timeline.body[..]), (vec![3, 4], &b"abcd"[..]));
    }
}
