//! Gathers a timeline while an exchange runs. Pure bookkeeping: no socket, no clock, no limit but the body's cap.

use benchhost_model::{Ending, Nanos, ReadMark, Timeline, TransportFailure};
use hyper::body::Incoming;
use hyper::{Response, StatusCode};

use crate::stamped::Stamps;

/// A timeline in the making.
pub(crate) struct Recorder {
    timeline: Timeline,
    /// Most bytes of the body that are kept.
    cap: usize,
}

impl Recorder {
    pub(crate) fn new(scheduled: Nanos, now: Nanos, cap: usize) -> Self {
        Self { timeline: Timeline::never_sent(scheduled, now), cap }
    }

    /// An attempt begins on a connection.
    pub(crate) fn attempt(&mut self, reused: bool) {
        self.timeline.attempts += 1;
        self.timeline.connection_reused = reused;
    }

    /// The attempt wrote nothing, because the connection turned out to be closed: it does not count.
    pub(crate) fn forget_attempt(&mut self) {
        self.timeline.attempts = self.timeline.attempts.saturating_sub(1);
    }

    /// Keeps the send time of the first attempt that wrote anything.
    pub(crate) fn sent(&mut self, stamps: &Stamps) {
        self.timeline.sent = self.timeline.sent.or(stamps.first_write());
    }

    /// The response's head is there.
    pub(crate) fn head(&mut self, head: &Response<Incoming>, at: Option<Nanos>) {
        self.timeline.headers_at = at;
        self.timeline.status = Some(head.status().as_u16());
        self.timeline.headers = head
            .headers()
            .iter()
            .map(|(name, value)| {
                (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
            })
            .collect();
        if !head.status().is_success() {
            self.cap = self.cap.min(ERROR_BODY_CAP);
        }
    }

    /// Bytes of the body. False: the cap is reached, and what is beyond it was dropped.
    pub(crate) fn push(&mut self, data: &[u8], stamps: &Stamps) -> bool {
        let room = self.cap.saturating_sub(self.timeline.body.len());
        let kept = data.get(..room).unwrap_or(data);
        if !kept.is_empty() {
            self.timeline.body.extend_from_slice(kept);
            let mark = stamps.mark(self.timeline.body.len() as u64);
            merge(&mut self.timeline.marks, mark);
        }
        kept.len() == data.len()
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

    /// The finished timeline.
    pub(crate) fn finish(self, ending: Ending, failure: Option<TransportFailure>, ended: Nanos) -> Timeline {
        Timeline { ended, ending, failure, ..self.timeline }
    }
}

/// An error's body is for people; this is more than any of them reads.
const ERROR_BODY_CAP: usize = 1024 * 1024;

/// Several frames of one read share its mark.
fn merge(marks: &mut Vec<ReadMark>, mark: ReadMark) {
    match marks.last_mut() {
        Some(last) if last.user == mark.user && last.kernel == mark.kernel => last.end = mark.end,
        _ => marks.push(mark),
    }
}
