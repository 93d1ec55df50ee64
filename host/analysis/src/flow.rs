//! When output tokens arrived: those in the declared window, and its course. Takes one request at a time and keeps sums
//! only. Knows events and a window.

use benchhost_model::{Outcome, Record};
use benchhost_stats::Window;

/// The output events of one request.
#[derive(Debug, Clone, Copy, Default)]
pub struct EventTimes<'a> {
    /// The first event's time on the run's clock, then the gap to each next, in nanoseconds.
    pub at: &'a [u64],
    /// Tokens of each event; empty where any is unknown.
    pub tokens: &'a [u32],
    /// Whether the event shared a read with a later one because the program was late, so that its own time is not known;
    /// empty: that is true of none.
    pub censored: &'a [bool],
}

/// Parts of a window in which the course of the throughput is told: a second each, at least 60 in all.
const LONGEST_PART_NS: u64 = 1_000_000_000;
const FEWEST_PARTS: u64 = 60;
const MOST_PARTS: u64 = 100_000;

/// A token count may differ from the events' by this share before its times count as spread.
const UNTOLD: f64 = 0.01;

/// Tokens by their arrival.
#[derive(Debug, Default)]
pub(crate) struct Flow {
    window: Option<Window>,
    /// Of completed requests, in the window.
    pub(crate) inside: f64,
    /// Of failed requests and of users who left, in the window.
    pub(crate) wasted: f64,
    /// Of failed requests and of users who left, measured ones, whenever.
    pub(crate) wasted_measured: f64,
    /// A completed request that touches the window has no token count.
    pub(crate) unknown: bool,
    /// A failed request with output has no token count.
    pub(crate) wasted_unknown: bool,
    /// Completed requests that touch the window and whose tokens were spread.
    pub(crate) spread: u64,
    parts: Vec<Window>,
    tokens: Vec<f64>,
}

/// How the tokens of a request lie on the clock.
enum Course<'a> {
    /// Of each event.
    Events(&'a [u64], Vec<f64>),
    /// So many at the first moment, the rest evenly until the second.
    Even { from: u64, to: u64, first: f64, rest: f64 },
}

impl Flow {
    pub(crate) fn new(window: Option<Window>) -> Self {
        let parts = window.map_or_else(Vec::new, |w| {
            let length = w.end_ns() - w.start_ns();
            let count = (length / LONGEST_PART_NS).clamp(FEWEST_PARTS, MOST_PARTS).min(length);
            w.parts(usize::try_from(count).unwrap_or(0))
        });
        Self { window, tokens: vec![0.0; parts.len()], parts, ..Self::default() }
    }

    /// Tokens a second in each part of the window, in order.
    pub(crate) fn course(&self) -> Vec<f64> {
        self.parts.iter().zip(&self.tokens).map(|(part, tokens)| tokens / part.seconds()).collect()
    }

    /// Takes one request, whatever its phase: throughput is the server's, not the plan's. Says how many of its tokens count
    /// for the window.
    pub(crate) fn add(&mut self, record: &Record, events: Option<EventTimes<'_>>) -> f64 {
        let before = self.inside;
        self.take(record, events);
        // Sums of some 10⁹ tokens leave this exact to a millionth of one.
        self.inside - before
    }

    fn take(&mut self, record: &Record, events: Option<EventTimes<'_>>) {
        let wasted = match record.outcome {
            Outcome::Completed => false,
            Outcome::Failed | Outcome::HungUp => true,
            Outcome::Cut | Outcome::Shed | Outcome::Unbuildable => return,
        };
        let (Some(first), Some(last)) = (record.t_first_ns, record.t_last_ns) else { return };
        let touches = self.window.is_some_and(|w| last.get() >= w.start_ns() && first.get() < w.end_ns());
        let measured = record.phase == benchhost_model::Phase::Measured;
        let of_interest = touches || (wasted && measured);
        if !of_interest {
            return;
        }
        let told = events.map_or(&[][..], |e| e.tokens);
        let counted = (!told.is_empty()).then(|| told.iter().map(|n| f64::from(*n)).sum::<f64>());
        let Some(tokens) = record.output_tokens.map(f64::from).or(counted) else {
            *(if wasted { &mut self.wasted_unknown } else { &mut self.unknown }) = true;
            return;
        };
        if wasted && measured {
            self.wasted_measured += tokens;
        }
        if !touches {
            return;
        }
        let (course, spread) = course(record, events, tokens, (first.get(), last.get()));
        self.spread += u64::from(spread && !wasted);
        match course {
            Course::Events(at, tokens) => {
                let mut now = 0_u64;
                for (gap, tokens) in at.iter().zip(tokens) {
                    now = now.saturating_add(*gap);
                    self.at(now, tokens, wasted);
                }
            }
            Course::Even { from, to, first, rest } => {
                self.at(from, first, wasted);
                self.evenly(from, to, rest, wasted);
            }
        }
    }

    fn at(&mut self, now: u64, tokens: f64, wasted: bool) {
        if !self.window.is_some_and(|w| w.contains(now)) {
            return;
        }
        if wasted {
            self.wasted += tokens;
            return;
        }
        self.inside += tokens;
        let part = self.part_of(now);
        if let Some(sum) = self.tokens.get_mut(part) {
            *sum += tokens;
        }
    }

    fn part_of(&self, now: u64) -> usize {
        self.parts.partition_point(|part| part.end_ns() <= now)
    }

    /// `tokens` evenly over the time between two moments.
    fn evenly(&mut self, from: u64, to: u64, tokens: f64, wasted: bool) {
        let Some(window) = self.window else { return };
        if to <= from {
            return self.at(from, tokens, wasted);
        }
        let (begin, end) = (from.max(window.start_ns()), to.min(window.end_ns()));
        if begin >= end {
            return;
        }
        let density = tokens / (to - from) as f64;
        let inside = density * (end - begin) as f64;
        if wasted {
            self.wasted += inside;
            return;
        }
        self.inside += inside;
        let touched = self.part_of(begin)..=self.part_of(end - 1);
        for (sum, part) in
            self.tokens.iter_mut().zip(&self.parts).take(touched.end() + 1).skip(*touched.start())
        {
            let overlap = end.min(part.end_ns()).saturating_sub(begin.max(part.start_ns()));
            *sum += density * overlap as f64;
        }
    }
}

/// How `tokens` of a request lie on the clock, and whether that is a guess.
fn course<'a>(
    record: &Record,
    events: Option<EventTimes<'a>>,
    tokens: f64,
    (first, last): (u64, u64),
) -> (Course<'a>, bool) {
    let n_first = f64::from(record.n_first_tokens.unwrap_or(1)).min(tokens);
    let Some(events) = events.filter(|e| !e.at.is_empty()) else {
        let (to, guess) = (last.max(first), tokens > n_first && last > first);
        return (Course::Even { from: first, to, first: n_first, rest: tokens - n_first }, guess);
    };
    let count = events.at.len();
    let sum: f64 = events.tokens.iter().map(|n| f64::from(*n)).sum();
    if events.tokens.len() == count && sum > 0.0 {
        // The total is the server's statement; a stop token without text is in it and in no event.
        let scale = tokens / sum;
        let each = events.tokens.iter().map(|n| f64::from(*n) * scale).collect();
        return (Course::Events(events.at, each), (tokens - sum).abs() > (UNTOLD * tokens).max(1.0));
    }
    if count == 1 {
        return (Course::Events(events.at, vec![tokens]), false);
    }
    #[expect(clippy::float_cmp, reason = "both are whole numbers")]
    let one_each = tokens == count as f64;
    let n_first = if one_each { 1.0 } else { n_first };
    let mut each = vec![(tokens - n_first) / (count - 1) as f64; count];
    each[0] = n_first;
    (Course::Events(events.at, each), !one_each)
}

#[cfg(test)]
mod tests {
    use super::*;
    use benchhost_model::{Nanos, Phase};

    const MS: u64 = 1_000_000;

    fn row(first_ms: u64, last_ms: u64, tokens: u32) -> Record {
        Record {
            outcome: Outcome::Completed,
            t_first_ns: Some(Nanos::new(first_ms * MS)),
            t_last_ns: Some(Nanos::new(last_ms * MS)),
            output_tokens: Some(tokens),
            n_first_tokens: Some(1),
            ..Record::blank()
        }
    }

    fn flow(from_ms: u64, until_ms: u64) -> Flow {
        Flow::new(Window::new(from_ms * MS, until_ms * MS).ok())
    }

    fn near(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-9, "{a}, not {b}");
    }

    #[test]
    fn tokens_count_where_their_events_arrive() {
        let mut flow = flow(100, 200);
        // Events at 50, 100, 199 and 200 ms with 1, 2, 3 and 4 tokens: the second and the third are inside.
        let events =
            EventTimes { at: &[50 * MS, 50 * MS, 99 * MS, MS], tokens: &[1, 2, 3, 4], censored: &[] };
        flow.add(&row(50, 200, 10), Some(events));
        near(flow.inside, 5.0);
        assert_eq!((flow.spread, flow.unknown), (0, false));
        // Sixty parts of 1⅔ ms; two tokens lie in the first and three in the last.
        let course = flow.course();
        assert!((course[0] - 1200.0).abs() < 0.01 && (course[59] - 1800.0).abs() < 0.01, "{course:?}");
        assert!(course[1..59].iter().all(|rate| *rate == 0.0));
    }

    #[test]
    fn unknown_counts_are_spread_over_the_events_after_the_first_and_told() {
        let mut flow = flow(100, 200);
        let events = EventTimes { at: &[90 * MS, 20 * MS, 20 * MS, 100 * MS], tokens: &[], censored: &[] };
        // 1 at 90 ms, 4 each at 110, 130 and 230 ms.
        flow.add(&row(90, 230, 13), Some(events));
        near(flow.inside, 8.0);
        assert_eq!(flow.spread, 1);
        // As many tokens as events: one each, and no guess.
        flow.add(&row(90, 230, 4), Some(events));
        near(flow.inside, 10.0);
        assert_eq!(flow.spread, 1);
    }

    #[test]
    fn without_events_the_tokens_flow_evenly_from_first_to_last() {
        let mut flow = flow(100, 200);
        // 1 at 50 ms, 20 over 50–250 ms: half of those inside.
        flow.add(&row(50, 250, 21), None);
        near(flow.inside, 10.0);
        assert_eq!(flow.spread, 1);
        let course = flow.course();
        assert!(course.iter().all(|rate| (rate - 100.0).abs() < 1e-6), "{course:?}");
    }

    #[test]
    fn a_stop_token_in_the_total_alone_is_no_guess_but_hidden_tokens_are() {
        let mut flow = flow(0, 1000);
        let events = EventTimes { at: &[MS, MS], tokens: &[4, 4], censored: &[] };
        flow.add(&row(1, 2, 9), Some(events));
        near(flow.inside, 9.0);
        assert_eq!(flow.spread, 0);
        flow.add(&row(1, 2, 80), Some(events));
        assert_eq!(flow.spread, 1);
    }

    #[test]
    fn every_phase_counts_failures_are_waste_and_what_was_cut_is_neither() {
        let mut flow = flow(0, 1000);
        for phase in [Phase::Warmup, Phase::Measured, Phase::Drain] {
            flow.add(&Record { phase, ..row(10, 10, 5) }, None);
        }
        near(flow.inside, 15.0);
        flow.add(&Record { outcome: Outcome::HungUp, ..row(10, 10, 7) }, None);
        flow.add(&Record { outcome: Outcome::Failed, ..row(5000, 6000, 7) }, None);
        flow.add(&Record { outcome: Outcome::Cut, ..row(10, 10, 7) }, None);
        near(flow.inside, 15.0);
        near(flow.wasted, 7.0);
        near(flow.wasted_measured, 14.0);
        flow.add(&Record { output_tokens: None, ..row(10, 10, 1) }, None);
        assert!(flow.unknown && !flow.wasted_unknown);
    }

    #[test]
    fn an_endless_answer_costs_no_memory() {
        let mut flow = Flow::new(Window::new(0, u64::MAX).ok());
        flow.add(&row(1, u64::MAX / MS, u32::MAX), None);
        assert!(flow.parts.len() <= 100_000 && flow.inside > 4e9);
    }
}
