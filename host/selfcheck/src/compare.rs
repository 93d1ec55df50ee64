//! Sets recorded timelines beside what the server wrote into them. Pure.

use benchhost_http::{RunClock, Shared, attribution};
use benchhost_load::Finished;
use benchhost_model::{Ending, ReadMark, Timeline};

use crate::errors::{Errors, StampErrors, difference};
use crate::told::{Answer, Told, read};

/// A stretch of the machine's monotonic clock, nanoseconds; the end not included.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub(crate) from: u64,
    pub(crate) until: u64,
}

impl Window {
    fn holds(self, at: u64) -> bool {
        (self.from..self.until).contains(&at)
    }
}

/// What a load's timelines say.
#[derive(Debug, Default)]
pub(crate) struct Compared {
    /// Answers that were sent in the window, and of them those that failed or came short.
    pub(crate) answers: u64,
    pub(crate) failed: u64,
    /// Events over the whole load, and those written within the window.
    pub(crate) all_events: u64,
    pub(crate) events: u64,
    /// Of the window's: stamped by the kernel; sharing a read with a later one.
    pub(crate) kernel_stamped: u64,
    pub(crate) together: u64,
    pub(crate) censored: u64,
    pub(crate) kernel: Figures,
    pub(crate) user: Figures,
}

/// Errors under one kind of stamp.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    receive: Errors,
    receive_apart: Errors,
    receive_first: Errors,
    ttft: Errors,
    gap: Errors,
    tpot: Errors,
    e2e: Errors,
}

/// One event: what the server says, and what was recorded.
#[derive(Debug, Clone, Copy)]
struct Seen {
    written: u64,
    stamp: u64,
    /// No other event came with the same read.
    apart: bool,
}

/// Compares what was sent and written within `window`.
pub(crate) fn compare(finished: &[Finished], clock: RunClock, window: Window, events: u32) -> Compared {
    let mut compared = Compared::default();
    for Finished { timeline, .. } in finished {
        let answer = read(&timeline.body);
        compared.all_events += answer.events.len() as u64;
        compared.count_shared(timeline, &answer, window);
        let at = |stamp| clock.monotonic_at(stamp);
        let user = seen(timeline, &answer, |mark| Some(at(mark.user)));
        let kernel = seen(timeline, &answer, |mark| mark.kernel.map(at));
        compared.user.events(user.as_deref(), window);
        compared.kernel.events(kernel.as_deref(), window);
        let Some(sent) = timeline.sent.map(at).filter(|sent| window.holds(*sent)) else { continue };
        compared.answers += 1;
        let whole = timeline.ending == Ending::Complete
            && timeline.failure.is_none()
            && answer.events.len() == events as usize;
        // What was cut because the check was over did not fail.
        compared.failed += u64::from(!whole && timeline.ending != Ending::Cancelled);
        let request = Request { sent, arrived: answer.arrived, whole };
        compared.user.request(user.as_deref(), request);
        compared.kernel.request(kernel.as_deref(), request);
    }
    compared
}

/// The events with their stamps; nothing if one of them has none.
fn seen(timeline: &Timeline, answer: &Answer, stamp: impl Fn(&ReadMark) -> Option<u64>) -> Option<Vec<Seen>> {
    let marks: Vec<&ReadMark> =
        answer.events.iter().map(|event| timeline.mark_for(event.end)).collect::<Option<_>>()?;
    let same = |a: usize, b: usize| marks.get(a).zip(marks.get(b)).is_some_and(|(a, b)| a.end == b.end);
    answer
        .events
        .iter()
        .zip(&marks)
        .enumerate()
        .map(|(at, (event, mark))| {
            let apart = !same(at, at + 1) && !at.checked_sub(1).is_some_and(|before| same(at, before));
            Some(Seen { written: event.written, stamp: stamp(mark)?, apart })
        })
        .collect()
}

#[derive(Debug, Clone, Copy)]
struct Request {
    sent: u64,
    arrived: Option<u64>,
    whole: bool,
}

impl Compared {
    fn count_shared(&mut self, timeline: &Timeline, answer: &Answer, window: Window) {
        let ends: Vec<u64> = answer.events.iter().map(|event| event.end).collect();
        for (Told { written, end }, attributed) in answer.events.iter().zip(attribution(timeline, &ends)) {
            if !window.holds(*written) {
                continue;
            }
            self.events += 1;
            self.kernel_stamped +=
                u64::from(timeline.mark_for(*end).is_some_and(|mark| mark.kernel.is_some()));
            match attributed.shared {
                Shared::No => {}
                Shared::Together => self.together += 1,
                Shared::Censored | Shared::Unknown => self.censored += 1,
            }
        }
    }
}

impl Figures {
    fn events(&mut self, seen: Option<&[Seen]>, window: Window) {
        let seen = seen.unwrap_or_default();
        for event in seen.iter().filter(|event| window.holds(event.written)) {
            self.receive.add(event.stamp, event.written);
            if event.apart {
                self.receive_apart.add(event.stamp, event.written);
            }
        }
        if let Some(first) = seen.first().filter(|first| window.holds(first.written)) {
            self.receive_first.add(first.stamp, first.written);
        }
        for pair in seen.windows(2) {
            if let [before, after] = pair
                && window.holds(before.written)
                && window.holds(after.written)
            {
                let measured = difference(after.stamp, before.stamp);
                self.gap.push(measured.saturating_sub(difference(after.written, before.written)));
            }
        }
    }

    fn request(&mut self, seen: Option<&[Seen]>, request: Request) {
        let (Some([first, ..]), Some(arrived)) = (seen, request.arrived) else { return };
        let error = |event: &Seen| {
            difference(event.stamp, request.sent).saturating_sub(difference(event.written, arrived))
        };
        self.ttft.push(error(first));
        if let (true, Some([_, .., last])) = (request.whole, seen) {
            self.e2e.push(error(last));
            let gaps = i64::try_from(seen.map_or(0, <[Seen]>::len)).unwrap_or(i64::MAX) - 1;
            let measured = difference(last.stamp, first.stamp);
            self.tpot.push(measured.saturating_sub(difference(last.written, first.written)) / gaps.max(1));
        }
    }

    /// Sums up.
    pub(crate) fn summed(&self) -> StampErrors {
        StampErrors {
            receive: self.receive.summed(),
            receive_apart: self.receive_apart.summed(),
            receive_first: self.receive_first.summed(),
            ttft: self.ttft.summed(),
            gap: self.gap.summed(),
            tpot: self.tpot.summed(),
            e2e: self.e2e.summed(),
        }
    }
}

#[cfg(test)]
mod tests {
    use benchhost_model::{Nanos, Phase};

    use super::*;

    /// An answer whose events were written and seen at these times (`None`: the kernel gave no stamp), in reads of their own
    /// unless two stamps are equal.
    fn finished(sent: u64, arrived: u64, events: &[(u64, u64, Option<u64>)], clock: RunClock) -> Finished {
        let at = |absolute: u64| clock.at_monotonic(absolute);
        let mut timeline = Timeline::never_sent(Nanos::ZERO, Nanos::ZERO);
        timeline.sent = Some(at(sent));
        timeline.ending = Ending::Complete;
        for (number, (written, user, kernel)) in events.iter().enumerate() {
            let arrival = if number == 0 { format!("\"sim_arrival_ns\":{arrived},") } else { String::new() };
            timeline
                .body
                .extend_from_slice(format!("data: {{{arrival}\"sim_write_ns\":{written}}}\n\n").as_bytes());
            let mark = ReadMark { end: timeline.body.len() as u64, user: at(*user), kernel: kernel.map(at) };
            match timeline.marks.last_mut() {
                Some(last) if last.user == mark.user => *last = mark,
                _ => timeline.marks.push(mark),
            }
        }
        Finished { id: 1, phase: Phase::Measured, timeline }
    }

    fn base(clock: RunClock) -> u64 {
        clock.monotonic_at(Nanos::ZERO)
    }

    #[test]
    fn each_figure_is_measured_minus_true() {
        let clock = RunClock::start();
        let t = base(clock);
        let events = [
            (t + 1000, t + 1040, Some(t + 1004)),
            (t + 2000, t + 2010, Some(t + 2003)),
            (t + 3000, t + 3100, Some(t + 3005)),
        ];
        let answer = finished(t + 90, t + 100, &events, clock);
        let compared = compare(&[answer], clock, Window { from: t, until: t + 10_000 }, 3);
        assert_eq!(
            (compared.answers, compared.failed, compared.events, compared.kernel_stamped),
            (1, 0, 3, 3)
        );
        let (user, kernel) = (compared.user.summed(), compared.kernel.summed());
        let max = |errors: Option<crate::ErrorQuantiles>| errors.unwrap().abs.max_ns;
        assert_eq!((max(user.receive), max(kernel.receive), max(user.receive_first)), (100, 5, 40));
        // Sent 10 before it arrived, seen 40 (4) after it was written.
        assert_eq!((max(user.ttft), max(kernel.ttft)), (50, 14));
        // Gaps 970 and 1090 by the user's stamps, true 1000 each.
        assert_eq!((max(user.gap), max(kernel.gap)), (90, 2));
        assert_eq!((max(user.tpot), max(kernel.e2e), max(user.e2e)), (30, 15, 110));
    }

    #[test]
    fn events_of_one_read_are_not_apart_and_what_lies_outside_the_window_does_not_count() {
        let clock = RunClock::start();
        let t = base(clock);
        let events = [
            (t + 500, t + 501, None),
            (t + 1000, t + 1500, None),
            (t + 1400, t + 1500, None),
            (t + 2000, t + 2001, None),
        ];
        let answer = finished(t + 90, t + 100, &events, clock);
        let compared = compare(&[answer], clock, Window { from: t + 600, until: t + 10_000 }, 4);
        assert_eq!((compared.all_events, compared.events, compared.kernel_stamped), (4, 3, 0));
        // It was sent before the window.
        assert_eq!((compared.answers, compared.user.summed().ttft), (0, None));
        assert_eq!(compared.together + compared.censored, 1);
        let user = compared.user.summed();
        assert_eq!((user.receive.unwrap().abs.count, user.receive_apart.unwrap().abs.max_ns), (3, 1));
        assert_eq!(compared.kernel.summed(), StampErrors::default());
    }

    #[test]
    fn an_answer_that_came_short_failed_and_one_that_was_hung_up_on_did_not() {
        let clock = RunClock::start();
        let t = base(clock);
        let short = finished(t + 90, t + 100, &[(t + 500, t + 501, None)], clock);
        let mut cut = short.clone();
        cut.timeline.ending = Ending::Cancelled;
        let compared = compare(&[short, cut], clock, Window { from: t, until: t + 10_000 }, 4);
        assert_eq!((compared.answers, compared.failed), (2, 1));
        assert_eq!(compared.user.summed().e2e, None);
    }
}
