//! Which stamp an event may claim, and what it is worth. Pure: marks and offsets in, times out.

use benchhost_model::{Nanos, StampSource, Timeline};

use crate::lateness::LATE;

/// When an event arrived, and how well that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribution {
    /// The kernel's stamp of its read where there is one, else the program's.
    pub at: Nanos,
    /// Which of the two.
    pub source: StampSource,
    /// How much later the program had it than the kernel. `None` without a kernel stamp.
    pub lag: Option<Nanos>,
    /// Whether its read brought a later event as well.
    pub shared: Shared,
}

/// What an event's read brought besides.
///
/// A read has one stamp: that of its last byte. So an event that shares its read with a later one arrived then or
/// earlier, after the read before. Which of the two cannot be seen in the read's stamps, but in how promptly the client
/// read: if no bytes of any stream waited a millisecond for its I/O thread since the read before, these did not wait
/// for one another either, so the server or the network sent them together.
///
/// What cannot be seen at all: a thread that was late by a few events of one stream while no other stream of it had
/// anything. Exact times of merged events would need the packets themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shared {
    /// It is the last event of its read: the stamp is its own.
    No,
    /// It came together with a later event: the client was prompt.
    Together,
    /// The client was late by 1 ms or more, with this read or another of its thread, so the event may have arrived
    /// earlier than its stamp says. No figure may use the gap to the event after it.
    Censored,
    /// Without a kernel stamp nobody can tell whether the client was late. To be counted as the caller counts
    /// [`Shared::Censored`]: a doubt is not a measurement.
    Unknown,
}

impl Shared {
    /// The stamp is that of a later event, and the client may be to blame.
    pub fn is_doubtful(self) -> bool {
        matches!(self, Self::Censored | Self::Unknown)
    }
}

/// The stamps of events. `ends`: for each, the offset in the body one past its last byte, rising. An offset beyond the
/// marks takes the last of them; a timeline without marks gives its end, by the program's clock.
pub fn attribution(timeline: &Timeline, ends: &[u64]) -> Vec<Attribution> {
    let marks = &timeline.marks;
    let last = marks.len().saturating_sub(1);
    let mut at = 0;
    let reads: Vec<usize> = ends
        .iter()
        .map(|end| {
            while at < last && marks.get(at).is_some_and(|mark| mark.end < *end) {
                at += 1;
            }
            at
        })
        .collect();
    let followers = reads.iter().skip(1).map(Some).chain([None]);
    let events = reads.iter().zip(followers);
    events.map(|(read, follower)| attribute(timeline, *read, follower == Some(read))).collect()
}

fn attribute(timeline: &Timeline, read: usize, followed: bool) -> Attribution {
    let Some(mark) = timeline.marks.get(read) else {
        let shared = if followed { Shared::Unknown } else { Shared::No };
        return Attribution { at: timeline.ended, source: StampSource::User, lag: None, shared };
    };
    let (at, source) = mark.best();
    let lag = mark.kernel.map(|kernel| mark.user - kernel);
    let shared = match lag {
        _ if !followed => Shared::No,
        None => Shared::Unknown,
        Some(lag) if lag < LATE && !is_doubted(timeline, read) => Shared::Together,
        Some(_) => Shared::Censored,
    };
    Attribution { at, source, lag, shared }
}

/// Whether bytes of other streams waited for the thread while those of this read came.
fn is_doubted(timeline: &Timeline, read: usize) -> bool {
    u32::try_from(read).is_ok_and(|read| timeline.late_marks.binary_search(&read).is_ok())
}

#[cfg(test)]
mod tests {
    use benchhost_model::ReadMark;

    use super::*;

    /// End offset, user stamp and kernel stamp of each read.
    fn timeline(reads: &[(u64, u64, Option<u64>)]) -> Timeline {
        let mut timeline = Timeline::never_sent(Nanos::ZERO, Nanos::new(9_000_000));
        timeline.marks = reads
            .iter()
            .map(|(end, user, kernel)| ReadMark {
                end: *end,
                user: Nanos::new(*user),
                kernel: kernel.map(Nanos::new),
            })
            .collect();
        timeline
    }

    fn shared(reads: &[(u64, u64, Option<u64>)], ends: &[u64]) -> Vec<Shared> {
        attribution(&timeline(reads), ends).iter().map(|event| event.shared).collect()
    }

    #[test]
    fn an_event_with_a_read_of_its_own_has_its_stamp() {
        let all = attribution(&timeline(&[(10, 5_000, Some(3_000)), (20, 9_000, None)]), &[10, 20]);
        let own = |at, source, lag: Option<u64>| Attribution {
            at: Nanos::new(at),
            source,
            lag: lag.map(Nanos::new),
            shared: Shared::No,
        };
        assert_eq!(all, [own(3_000, StampSource::Kernel, Some(2_000)), own(9_000, StampSource::User, None)]);
    }

    #[test]
    fn events_of_one_read_came_together_if_the_client_was_prompt_and_are_censored_if_it_was_late() {
        let prompt = [(30, 2_000_000, Some(1_000_001))];
        assert_eq!(shared(&prompt, &[10, 20, 30]), [Shared::Together, Shared::Together, Shared::No]);
        let late = [(30, 2_000_000, Some(1_000_000))];
        assert_eq!(shared(&late, &[10, 20, 30]), [Shared::Censored, Shared::Censored, Shared::No]);
    }

    #[test]
    fn a_prompt_read_is_doubted_where_the_thread_was_late_with_others() {
        let mut timeline = timeline(&[(20, 5_000, Some(4_000)), (40, 9_000, Some(8_000))]);
        timeline.late_marks = vec![1];
        let all: Vec<_> =
            attribution(&timeline, &[10, 20, 30, 40]).iter().map(|event| event.shared).collect();
        assert_eq!(all, [Shared::Together, Shared::No, Shared::Censored, Shared::No]);
    }

    #[test]
    fn without_a_kernel_stamp_nobody_can_tell() {
        let all = shared(&[(30, 2_000_000, None)], &[10, 30]);
        assert_eq!(all, [Shared::Unknown, Shared::No]);
        assert!(all[0].is_doubtful() && !all[1].is_doubtful() && !Shared::Together.is_doubtful());
    }

    #[test]
    fn an_event_is_shared_only_with_events_that_end_in_its_read() {
        // The second event begins in the first read and ends in the second, with the third.
        let reads = [(15, 1_000, Some(900)), (30, 2_000, Some(1_900)), (31, 3_000, Some(2_900))];
        let all = attribution(&timeline(&reads), &[10, 20, 30]);
        let seen: Vec<_> = all.iter().map(|event| (event.at.get(), event.shared)).collect();
        assert_eq!(seen, [(900, Shared::No), (1_900, Shared::Together), (1_900, Shared::No)]);
    }

    #[test]
    fn an_offset_beyond_the_body_takes_the_last_mark_and_no_marks_give_the_end() {
        let reads = [(10, 1_000, Some(900))];
        let all = attribution(&timeline(&reads), &[10, 99]);
        assert_eq!((all[1].at.get(), all[0].shared), (900, Shared::Together));
        let none = attribution(&timeline(&[]), &[5]);
        assert_eq!(
            (none[0].at.get(), none[0].source, none[0].shared),
            (9_000_000, StampSource::User, Shared::No)
        );
        assert!(attribution(&timeline(&reads), &[]).is_empty());
    }
}
