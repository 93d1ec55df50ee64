//! The parts of a load: warm-up, measured, drain. Decides to which part a session belongs and when the measured part is
//! over. Knows moments and counts; not what a session is, nor whether it was answered.

use std::time::Duration;

use benchhost_model::{Nanos, Phase};

/// The parts of one load. They follow one another without a pause, so that the measured part meets a server that is
/// under the same load before and after.
///
/// A session belongs to the part in which it is launched (closed loop, batch) or due (open loop); its further turns
/// belong to the same. In an open loop a part that lasts for a time begins where the one before it ended, at the load's
/// start for the first; beginning it with its first arrival would count one arrival too many. After a part that is
/// counted it begins with its first due time. In the other patterns it begins with its first launch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Phases {
    /// Before measuring.
    pub warmup: Span,
    /// The part that figures are made of.
    pub measured: Span,
    /// After it.
    pub drain: DrainLoad,
}

impl Phases {
    /// All is measured, for as long as jobs come.
    pub const ENDLESS: Self = Self { warmup: Span::None, measured: Span::Endless, drain: DrainLoad::Quiet };
}

/// How long a part lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// There is none.
    None,
    /// So many sessions.
    Sessions(u32),
    /// So long.
    For(Duration),
    /// Until jobs end, or [`crate::Control::end_measuring`].
    Endless,
}

/// What is offered while the last measured requests are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DrainLoad {
    /// The same load, until every measured request has ended; then the host hangs up on what remains. Otherwise the
    /// last measured requests would meet an emptying server, which flatters the tail.
    #[default]
    Loaded,
    /// Nothing.
    Quiet,
}

/// Where a load stands among its parts.
#[derive(Debug)]
pub(crate) struct Programme {
    phases: Phases,
    /// Moments are due times: they come ahead of time, and parts follow one another without a gap.
    by_due_time: bool,
    /// The part of the next session, as far as counts and moments that came tell.
    part: Phase,
    /// Sessions given to that part.
    taken: u32,
    /// Where that part begins, once that is known.
    anchor: Option<Nanos>,
    warm_end: Option<Nanos>,
    measured_end: Option<Nanos>,
    measured_from: Option<Nanos>,
    last_measured: Option<Nanos>,
    /// No further session comes.
    no_more: bool,
    /// Sessions ended before the measured part's time did.
    fell_short: bool,
    stopped: Option<Nanos>,
}

impl Programme {
    pub(crate) fn new(phases: Phases, by_due_time: bool) -> Self {
        Self {
            phases,
            by_due_time,
            part: Phase::Warmup,
            taken: 0,
            anchor: None,
            warm_end: None,
            measured_end: None,
            measured_from: None,
            last_measured: None,
            no_more: false,
            fell_short: false,
            stopped: None,
        }
    }

    /// The load begins.
    pub(crate) fn begin(&mut self, start: Nanos) {
        self.enter(Phase::Warmup, self.by_due_time.then_some(start));
    }

    /// The part of the next session, whose moment is `at`. Moments do not fall. `scheduled` is when the session was
    /// meant to begin, which in a closed loop is a little before its launch.
    pub(crate) fn next(&mut self, at: Nanos, scheduled: Nanos) -> Phase {
        while let Some(end) = self.end().filter(|end| at >= *end) {
            self.enter(after(self.part), self.by_due_time.then_some(end));
        }
        if self.anchor.is_none() {
            self.anchored(at, scheduled);
        }
        let part = self.part;
        self.taken += 1;
        if part == Phase::Measured {
            self.last_measured = Some(at);
        }
        if self.span() == Span::Sessions(self.taken) {
            self.enter(after(part), None);
        }
        part
    }

    /// A part begins; so does the one after it if it is empty.
    fn enter(&mut self, part: Phase, anchor: Option<Nanos>) {
        (self.part, self.taken, self.anchor) = (part, 0, None);
        match self.span() {
            Span::None | Span::Sessions(0) | Span::For(Duration::ZERO) => self.enter(after(part), anchor),
            _ => {
                if let Some(at) = anchor {
                    self.anchored(at, at);
                }
            }
        }
    }

    /// The newest part begins at `at`.
    fn anchored(&mut self, at: Nanos, scheduled: Nanos) {
        self.anchor = Some(at);
        let end = match self.span() {
            Span::For(length) => Some(at + Nanos::from(length)),
            _ => None,
        };
        match self.part {
            Phase::Warmup => self.warm_end = earlier(self.warm_end, end),
            Phase::Measured => {
                self.measured_end = earlier(self.measured_end, end);
                self.measured_from = Some(scheduled.min(at));
            }
            Phase::Drain => {}
        }
    }

    /// The newest part's span; draining has no end of its own.
    fn span(&self) -> Span {
        match self.part {
            Phase::Warmup => self.phases.warmup,
            Phase::Measured => self.phases.measured,
            Phase::Drain => Span::Endless,
        }
    }

    /// When the newest part ends, if its end is a moment.
    fn end(&self) -> Option<Nanos> {
        match self.part {
            Phase::Warmup => self.warm_end,
            Phase::Measured => self.measured_end,
            Phase::Drain => None,
        }
    }

    /// When the measured part ends, if its end is a moment.
    pub(crate) fn measured_end(&self) -> Option<Nanos> {
        self.measured_end
    }

    /// The measured part, and what is left of the warm-up, end at `now` if they have not ended before.
    pub(crate) fn end_measuring(&mut self, now: Nanos) {
        self.warm_end = earlier(self.warm_end, Some(now));
        self.measured_end = earlier(self.measured_end, Some(now));
    }

    /// No further session will come.
    pub(crate) fn no_more(&mut self, now: Nanos) {
        let in_time = self.measured_end.is_none_or(|end| now < end);
        self.fell_short |= in_time && self.stopped.is_none() && !self.is_settled(now);
        self.no_more = true;
    }

    /// Nothing was sent any more from `now` on.
    pub(crate) fn stopped(&mut self, now: Nanos) {
        self.stopped = earlier(self.stopped, Some(now));
    }

    /// No session to come will belong to the measured part.
    pub(crate) fn is_settled(&self, now: Nanos) -> bool {
        let by_time = !self.by_due_time && self.measured_end.is_some_and(|end| now >= end);
        self.part == Phase::Drain || self.no_more || by_time
    }

    /// The measured part has no further session and no further time.
    pub(crate) fn is_over(&self, now: Nanos) -> bool {
        self.is_settled(now) && (self.no_more || self.measured_end.is_none_or(|end| now >= end))
    }

    /// The part that a session launched or refused now would belong to.
    pub(crate) fn part(&self) -> Phase {
        self.part
    }

    /// From where to where it was measured, if at all.
    pub(crate) fn window(&self) -> Option<(Nanos, Nanos)> {
        let from = self.measured_from?;
        let until =
            if self.fell_short { self.last_measured } else { self.measured_end.or(self.last_measured) };
        let until = earlier(until, self.stopped)?;
        (until >= from).then_some((from, until))
    }
}

fn after(part: Phase) -> Phase {
    if part == Phase::Warmup { Phase::Measured } else { Phase::Drain }
}

fn earlier(a: Option<Nanos>, b: Option<Nanos>) -> Option<Nanos> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use benchhost_model::Phase::{Drain, Measured, Warmup};

    fn at(ms: u64) -> Nanos {
        Nanos::new(ms * 1_000_000)
    }

    fn ms(ms: u64) -> Span {
        Span::For(Duration::from_millis(ms))
    }

    fn programme(warmup: Span, measured: Span, by_due_time: bool) -> Programme {
        let mut programme =
            Programme::new(Phases { warmup, measured, drain: DrainLoad::Loaded }, by_due_time);
        programme.begin(at(100));
        programme
    }

    fn parts(programme: &mut Programme, moments: &[u64]) -> Vec<Phase> {
        moments.iter().map(|ms| programme.next(at(*ms), at(*ms))).collect()
    }

    #[test]
    fn counted_parts_take_their_sessions_in_order() {
        for by_due_time in [false, true] {
            let mut programme = programme(Span::Sessions(2), Span::Sessions(3), by_due_time);
            assert_eq!(parts(&mut programme, &[101, 102, 103, 104]), [Warmup, Warmup, Measured, Measured]);
            assert!(!programme.is_settled(at(104)));
            assert_eq!(parts(&mut programme, &[105]), [Measured]);
            assert!(
                programme.is_settled(at(105)) && programme.is_over(at(105)),
                "known with the last of them"
            );
            assert_eq!(parts(&mut programme, &[106]), [Drain]);
            assert_eq!(programme.window(), Some((at(103), at(105))));
        }
    }

    #[test]
    fn timed_parts_of_due_times_follow_without_a_gap() {
        let mut programme = programme(ms(10), ms(20), true);
        assert_eq!(parts(&mut programme, &[109, 110, 129]), [Warmup, Measured, Measured]);
        // Due times come ahead: that one lies beyond the end does not mean that the end has come.
        assert_eq!(parts(&mut programme, &[130]), [Drain]);
        assert!(programme.is_settled(at(112)) && !programme.is_over(at(112)) && programme.is_over(at(130)));
        assert_eq!(programme.window(), Some((at(110), at(130))));
    }

    #[test]
    fn timed_parts_of_launches_begin_with_their_first_launch() {
        let mut programme = programme(ms(10), ms(20), false);
        assert_eq!(parts(&mut programme, &[103, 112, 115, 134]), [Warmup, Warmup, Measured, Measured]);
        assert!(!programme.is_over(at(134)) && programme.is_over(at(135)));
        assert_eq!(parts(&mut programme, &[135]), [Drain]);
        assert_eq!(programme.window(), Some((at(115), at(135))));
    }

    #[test]
    fn a_gap_without_arrivals_can_pass_a_whole_part() {
        let mut programme = programme(ms(10), ms(20), true);
        assert_eq!(parts(&mut programme, &[500]), [Drain]);
        assert_eq!(programme.window(), Some((at(110), at(130))));
    }

    #[test]
    fn empty_parts_are_passed_over() {
        for none in [Span::None, Span::Sessions(0), Span::For(Duration::ZERO)] {
            assert_eq!(parts(&mut programme(none, Span::Sessions(1), true), &[101, 102]), [Measured, Drain]);
            let mut warm_only = programme(Span::Sessions(1), none, false);
            assert_eq!(parts(&mut warm_only, &[101]), [Warmup]);
            assert!(warm_only.is_over(at(101)));
            assert_eq!(warm_only.window(), None);
        }
        assert_eq!(programme(Span::None, ms(5), true).window(), Some((at(100), at(105))));
    }

    #[test]
    fn measuring_can_be_ended_in_every_part() {
        for (warmup, taken) in
            [(Span::Sessions(9), vec![101]), (ms(50), vec![101]), (Span::None, vec![101, 109])]
        {
            for by_due_time in [false, true] {
                for measured in [Span::Sessions(9), ms(500), Span::Endless] {
                    let mut programme = programme(warmup, measured, by_due_time);
                    parts(&mut programme, &taken);
                    programme.end_measuring(at(110));
                    if by_due_time {
                        assert_ne!(
                            parts(&mut programme, &[109])[0],
                            Drain,
                            "due before, though it came late"
                        );
                    }
                    assert_eq!(parts(&mut programme, &[110]), [Drain], "{warmup:?} {measured:?}");
                    assert!(programme.is_over(at(110)));
                    assert!(programme.window().is_none_or(|(_, until)| until == at(110)));
                }
            }
        }
    }

    #[test]
    fn a_window_ends_where_its_sessions_or_the_load_did() {
        let mut short = programme(Span::None, ms(100), true);
        parts(&mut short, &[110, 120]);
        short.no_more(at(121));
        assert!(short.is_over(at(121)));
        assert_eq!(short.window(), Some((at(100), at(120))));
        let mut stopped = programme(Span::None, Span::Sessions(9), true);
        parts(&mut stopped, &[110, 120, 130]);
        stopped.stopped(at(125));
        assert_eq!(stopped.window(), Some((at(100), at(125))));
        let mut warm = programme(Span::Sessions(9), Span::Sessions(9), true);
        parts(&mut warm, &[110]);
        warm.no_more(at(111));
        assert_eq!(warm.window(), None);
        // The lane may close as soon as all that was measured is known.
        let mut whole = programme(Span::None, ms(100), true);
        parts(&mut whole, &[110, 220]);
        whole.no_more(at(111));
        assert_eq!(whole.window(), Some((at(100), at(200))));
    }
}
