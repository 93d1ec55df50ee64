//! What came over the wire for one request, and when: bytes and read marks. Knows nothing of what the bytes mean.

use crate::{Ending, Failure, Nanos};

/// Where a stamp came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StampSource {
    /// The kernel stamped the segment when it arrived.
    Kernel,
    /// The program read the clock right after the read returned.
    User,
}

/// The moment at which the body's bytes up to `end` (exclusive) had arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadMark {
    /// Offset in the body one past the last byte that this read delivered.
    pub end: u64,
    /// When the program had it.
    pub user: Nanos,
    /// When the kernel had it, where known.
    pub kernel: Option<Nanos>,
}

impl ReadMark {
    /// The best stamp there is, and its source.
    pub fn best(&self) -> (Nanos, StampSource) {
        match self.kernel {
            Some(at) => (at, StampSource::Kernel),
            None => (self.user, StampSource::User),
        }
    }
}

/// Why the transport gave up, in the terms of [`Failure`], with the cause in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransportFailure {
    /// The class.
    pub failure: Failure,
    /// The cause, for people.
    pub detail: String,
}

/// Everything observed about one exchange. All times are on the run's clock.
#[derive(Debug, Clone, PartialEq)]
pub struct Timeline {
    /// When it was due.
    pub scheduled: Nanos,
    /// When a cap let it go, if one held it.
    pub slot: Option<Nanos>,
    /// When the first attempt had a usable connection.
    pub connected: Option<Nanos>,
    /// Just before the first byte of the first attempt was written. `None`: never sent.
    pub sent: Option<Nanos>,
    /// When the response's head had been read.
    pub headers_at: Option<Nanos>,
    /// The status, once there is one.
    pub status: Option<u16>,
    /// Response headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body with the transfer coding removed.
    pub body: Vec<u8>,
    /// One mark a read, offsets rising, times not falling.
    pub marks: Vec<ReadMark>,
    /// Indices of marks, rising, whose own lag is below 1 ms although the I/O thread was late by 1 ms or more with some
    /// stream since the mark before: bytes of such a read may have waited for its last. Empty while the client keeps up.
    pub late_marks: Vec<u32>,
    /// When the body ended, or waiting did.
    pub ended: Nanos,
    /// How it ended.
    pub ending: Ending,
    /// The transport's failure, if any.
    pub failure: Option<TransportFailure>,
    /// The host hung up because the plan wanted a user who leaves.
    pub hung_up: bool,
    /// Which I/O thread ran it, from 0.
    pub io_thread: u16,
    /// 1, or 2 when a reused connection died before the first response byte and a fresh one was tried.
    pub attempts: u32,
    /// The successful (or last) attempt ran on a connection used before.
    pub connection_reused: bool,
}

impl Timeline {
    /// A request that was scheduled and never sent.
    pub fn never_sent(scheduled: Nanos, now: Nanos) -> Self {
        Self {
            scheduled,
            slot: None,
            connected: None,
            sent: None,
            headers_at: None,
            status: None,
            headers: Vec::new(),
            body: Vec::new(),
            marks: Vec::new(),
            late_marks: Vec::new(),
            ended: now,
            ending: Ending::Cancelled,
            failure: None,
            hung_up: false,
            io_thread: 0,
            attempts: 0,
            connection_reused: false,
        }
    }

    /// The mark of the read that delivered the byte before `end`, found in logarithmic time.
    pub fn mark_for(&self, end: u64) -> Option<&ReadMark> {
        let at = self.marks.partition_point(|m| m.end < end);
        self.marks.get(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_belongs_to_the_read_that_completed_it() {
        let mut timeline = Timeline::never_sent(Nanos::ZERO, Nanos::ZERO);
        let mark = |end, at| ReadMark { end, user: Nanos::new(at), kernel: None };
        timeline.marks = vec![mark(10, 100), mark(20, 200), mark(30, 300)];
        assert_eq!(timeline.mark_for(10).map(|m| m.user), Some(Nanos::new(100)));
        assert_eq!(timeline.mark_for(11).map(|m| m.user), Some(Nanos::new(200)));
        assert_eq!(timeline.mark_for(31), None);
    }
}
