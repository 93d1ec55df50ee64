//! Rules that end the measuring of a load point before its time: a figure known well enough, a rate that is decided. They
//! look at rows as they are recorded, at a few checkpoints, and only ever tell the load to stop.

use std::sync::atomic::{AtomicBool, Ordering};

use benchhost_load::Control;
use benchhost_model::{Nanos, Outcome, Record};
use benchhost_stats::{
    Attainment, Decision, OutOfRange, ProbeOutcome, Quantile, Series, StopRule, StopStep, Stopping, backlog,
};

use crate::plan::{Bound, Figure, Until};

/// The rules on how long to measure at the least: a minute, but not more than half of the longest time.
const LEAST_SECONDS: f64 = 60.0;
/// And twenty requests of median length.
const LEAST_LENGTHS: f64 = 20.0;
/// A growing backlog is looked for after each of so many requests …
const BACKLOG_EVERY: usize = 25;
/// … over ten windows, once those are at least this long altogether.
const BACKLOG_SECONDS: f64 = 5.0;
const BACKLOG_WINDOWS: usize = 10;

/// What watches a load point.
pub(crate) enum Watch<'a> {
    /// Nothing: counts or time end it.
    Nothing,
    /// A stop rule.
    Until(UntilWatch, &'a AtomicBool),
    /// The probe of a search.
    Probe(ProbeWatch, &'a AtomicBool),
}

impl Watch<'_> {
    /// Takes a measured row, and ends the measuring if that decides.
    pub(crate) fn see(&mut self, row: &Record, control: &Control) {
        match self {
            Self::Nothing => {}
            Self::Until(watch, decided) => {
                if watch.see(row) && !decided.swap(true, Ordering::AcqRel) {
                    control.end_measuring();
                }
            }
            Self::Probe(watch, decided) => match watch.see(row, control.progress().in_flight) {
                Decision::Undecided => {}
                _ if decided.swap(true, Ordering::AcqRel) => {}
                Decision::Pass => control.end_measuring(),
                // What is in flight of a rate that is too high would take long to end, and tells nothing more.
                Decision::Fail => control.stop(),
            },
        }
    }
}

/// Rows in the order of their schedule, as far as those before them have ended.
///
/// Slow requests end late. Of those scheduled in the last moments only the fast ones have ended, and figures of these
/// would flatter; so a look takes only requests that are older than the longest one seen.
#[derive(Debug)]
struct Settled<T> {
    rows: Vec<(Nanos, T)>,
    longest: Nanos,
    latest: Nanos,
}

impl<T: Copy> Settled<T> {
    const fn new() -> Self {
        Self { rows: Vec::new(), longest: Nanos::ZERO, latest: Nanos::ZERO }
    }

    fn add(&mut self, row: &Record, value: T) {
        let end = row.t_end_ns.unwrap_or(row.t_sched_ns);
        self.longest = self.longest.max(end - row.t_sched_ns);
        self.latest = self.latest.max(end);
        self.rows.push((row.t_sched_ns, value));
    }

    fn len(&self) -> usize {
        self.rows.len()
    }

    /// The settled part.
    fn values(&self) -> Vec<T> {
        let horizon = self.latest - self.longest;
        self.sorted().into_iter().filter(|(at, _)| *at <= horizon).map(|(_, value)| value).collect()
    }

    fn all(&self) -> Vec<T> {
        self.sorted().into_iter().map(|(_, value)| value).collect()
    }

    fn sorted(&self) -> Vec<(Nanos, T)> {
        let mut rows = self.rows.clone();
        rows.sort_by_key(|(at, _)| *at);
        rows
    }

    /// Seconds from the first schedule to the last end.
    fn seconds(&self) -> f64 {
        let first = self.rows.iter().map(|(at, _)| *at).min().unwrap_or(Nanos::ZERO);
        (self.latest - first).as_secs()
    }
}

/// Watches one figure.
pub(crate) struct UntilWatch {
    figure: Figure,
    rule: StopRule,
    stopping: Stopping,
    /// Half of the longest time.
    at_most_least: f64,
    settled: Settled<f64>,
    lengths: Vec<f64>,
    /// What the last look said, for a run that ends without having met it.
    said: Option<StopStep>,
}

impl UntilWatch {
    /// `longest` is the time after which the load point ends anyway, in seconds.
    pub(crate) fn new(until: Until, longest: f64) -> Result<Self, OutOfRange> {
        let rule = StopRule::new(Quantile::new(until.figure.share())?, until.within)?;
        Ok(Self {
            figure: until.figure,
            rule,
            stopping: rule.start(),
            at_most_least: longest / 2.0,
            settled: Settled::new(),
            lengths: Vec::new(),
            said: None,
        })
    }

    fn see(&mut self, row: &Record) -> bool {
        let Some(value) =
            self.figure.metric.under(row.load).of(row).filter(|_| row.outcome == Outcome::Completed)
        else {
            return false;
        };
        self.settled.add(row, value);
        self.lengths.push((row.t_end_ns.unwrap_or(row.t_sched_ns) - row.t_sched_ns).as_secs());
        if !self.stopping.due(self.settled.len()) {
            return false;
        }
        let values = self.settled.values();
        let least = LEAST_SECONDS.max(LEAST_LENGTHS * self.median_length()).min(self.at_most_least);
        let (Ok(series), elapsed) = (Series::new(values), self.settled.seconds()) else { return false };
        // The rule's own least time is fixed when it begins; ours depends on the requests.
        let step = self.stopping.look(&series, if elapsed >= least { f64::MAX } else { 0.0 });
        if !matches!(step, StopStep::Wait { .. }) {
            self.said = Some(step);
        }
        matches!(step, StopStep::Met { .. })
    }

    /// Of the requests so far, in seconds.
    fn median_length(&mut self) -> f64 {
        let middle = self.lengths.len() / 2;
        if middle == 0 {
            return 0.0;
        }
        *self.lengths.select_nth_unstable_by(middle, f64::total_cmp).1
    }

    /// In words, what was reached, where the aim was not.
    pub(crate) fn missed(&self) -> Option<String> {
        let aim = format!("{} within {} %", self.figure, shown(self.rule.relative() * 100.0));
        match self.said {
            Some(StopStep::Met { .. }) => None,
            Some(StopStep::Continue { half_width, .. }) => Some(format!(
                "the aim {aim} was not reached: it is known within {} %",
                shown(half_width * 100.0)
            )),
            Some(StopStep::Unresolved { effective, needed, .. }) => Some(format!(
                "the aim {aim} was not reached: the requests are worth {effective} independent ones, {needed} are needed"
            )),
            Some(StopStep::Wait { .. }) | None => Some(format!(
                "the aim {aim} was not reached: only {} requests were measured",
                self.settled.len()
            )),
        }
    }
}

fn shown(percent: f64) -> String {
    format!("{percent:.1}")
}

/// Watches a rate.
pub(crate) struct ProbeWatch {
    bounds: Vec<(Bound, Attainment)>,
    /// A confirming run goes on to its end.
    to_the_end: bool,
    /// For each request, which bounds it kept.
    settled: Settled<Seen>,
    in_flight: Vec<(Nanos, f64)>,
    next_look: usize,
    /// Looks in a row that saw the backlog grow; one alone may be chance.
    growing: u32,
    grew: bool,
}

impl ProbeWatch {
    /// At most 64 bounds.
    pub(crate) fn new(bounds: &[Bound], to_the_end: bool) -> Result<Self, OutOfRange> {
        let rules = bounds.iter().map(|bound| Ok((*bound, Attainment::at_least(bound.figure.share())?)));
        let bounds = rules.collect::<Result<Vec<_>, OutOfRange>>()?;
        let mut watch = Self {
            bounds,
            to_the_end,
            settled: Settled::new(),
            in_flight: Vec::new(),
            next_look: 0,
            growing: 0,
            grew: false,
        };
        watch.next_look = watch.look_after(0);
        Ok(watch)
    }

    fn look_after(&self, count: usize) -> usize {
        let next = self
            .bounds
            .iter()
            .filter_map(|(_, rule)| rule.looks(usize::MAX >> 16).into_iter().find(|look| *look > count));
        next.min().unwrap_or(usize::MAX)
    }

    fn see(&mut self, row: &Record, in_flight: u64) -> Decision {
        // Users who left say nothing of the server.
        if row.outcome == Outcome::HungUp {
            return Decision::Undecided;
        }
        let kept = self.bounds.iter().enumerate().filter(|(_, (bound, _))| keeps(bound, row));
        let kept = kept.fold(0, |bits, (index, _)| bits | 1 << index);
        let ms = self.bounds.first().and_then(|(bound, _)| bound.figure.metric.under(row.load).of(row));
        self.settled.add(row, Seen { kept, ms });
        self.in_flight.push((self.settled.latest, in_flight as f64));
        let count = self.settled.len();
        if count.is_multiple_of(BACKLOG_EVERY) && self.settled.seconds() >= BACKLOG_SECONDS {
            self.growing = if self.is_growing() { self.growing + 1 } else { 0 };
            self.grew |= self.growing >= 2;
        }
        if self.grew && !self.to_the_end {
            return Decision::Fail;
        }
        if self.to_the_end || count < self.next_look {
            return Decision::Undecided;
        }
        self.next_look = self.look_after(count);
        let values = self.settled.values();
        let times = times(&values);
        let decision = Decision::all(
            self.bounds
                .iter()
                .enumerate()
                .map(|(index, (_, rule))| rule.peek(&column(&values, index), &times).decision),
        );
        // A queue that has only begun to grow still meets its bounds; before a backlog could show, nothing has passed.
        match decision {
            Decision::Pass if self.settled.seconds() < BACKLOG_SECONDS => Decision::Undecided,
            decided => decided,
        }
    }

    /// Mean numbers in flight over equal stretches of time.
    fn is_growing(&self) -> bool {
        let (Some((first, _)), Some((last, _))) = (self.in_flight.first(), self.in_flight.last()) else {
            return false;
        };
        let length = ((*last - *first).get() / BACKLOG_WINDOWS as u64).max(1);
        let mut windows = [(0.0, 0_u32); BACKLOG_WINDOWS];
        for (at, value) in &self.in_flight {
            let index = usize::try_from((*at - *first).get() / length).unwrap_or(usize::MAX);
            let window = &mut windows[index.min(BACKLOG_WINDOWS - 1)];
            *window = (window.0 + value, window.1 + 1);
        }
        if windows.iter().any(|(_, n)| *n == 0) {
            return false;
        }
        let means: Vec<f64> = windows.iter().map(|(sum, n)| sum / f64::from(*n)).collect();
        backlog(&means).growing
    }

    /// The last word, over all measured requests.
    pub(crate) fn outcome(&self) -> ProbeOutcome {
        let values = self.settled.all();
        let times = times(&values);
        let judged: Vec<_> = self
            .bounds
            .iter()
            .enumerate()
            .map(|(index, (_, rule))| rule.judge(&column(&values, index), &times))
            .collect();
        let decision =
            if self.grew { Decision::Fail } else { Decision::all(judged.iter().map(|j| j.decision)) };
        let worst = judged.iter().min_by(|a, b| a.margin.total_cmp(&b.margin));
        ProbeOutcome {
            decision,
            margin: worst.map_or(-1.0, |j| j.margin),
            effective: worst.map_or(0, |j| j.effective),
        }
    }

    /// Requests judged.
    pub(crate) fn requests(&self) -> usize {
        self.settled.len()
    }

    /// In-flight requests kept growing.
    pub(crate) const fn grew(&self) -> bool {
        self.grew
    }
}

/// What is kept of a request: which bounds it kept, a bit each, and its latency by the first of them.
#[derive(Debug, Clone, Copy)]
struct Seen {
    kept: u64,
    ms: Option<f64>,
}

fn column(values: &[Seen], index: usize) -> Vec<bool> {
    values.iter().map(|seen| seen.kept >> index & 1 == 1).collect()
}

/// Latencies in order. One bound's are enough: all latencies of a request wait in the same queue.
fn times(values: &[Seen]) -> Vec<f64> {
    values.iter().filter_map(|seen| seen.ms).collect()
}

/// A request that was not answered keeps no bound; one that cannot have the latency by nature (one token has no time
/// between tokens) keeps it.
fn keeps(bound: &Bound, row: &Record) -> bool {
    if row.outcome != Outcome::Completed {
        return false;
    }
    let at_most = bound.at_most.as_secs_f64() * 1e3;
    bound.figure.metric.under(row.load).of(row).map_or(row.events == 1, |ms| ms <= at_most)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use benchhost_analysis::Metric;

    fn row(sched_ms: u64, ttft_ms: f64) -> Record {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small test values")]
        let end = Nanos::new(sched_ms * 1_000_000 + (ttft_ms * 1e6) as u64);
        Record {
            outcome: Outcome::Completed,
            t_sched_ns: Nanos::new(sched_ms * 1_000_000),
            t_end_ns: Some(end),
            ttft_ms: Some(ttft_ms),
            events: 9,
            ..Record::blank()
        }
    }

    fn bound(percent: f64) -> Bound {
        let figure = Figure { metric: Metric::Ttft, percent };
        Bound { figure, at_most: Duration::from_millis(100) }
    }

    /// Numbers between 0 and 1 without a pattern that matters.
    fn scattered(i: u64) -> f64 {
        (i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 11) as f64 / (1_u64 << 53) as f64
    }

    #[test]
    fn a_rate_is_decided_as_soon_as_it_can_be() {
        // A pass waits until a backlog could have shown: five seconds, a hundred requests each.
        for (slow_share, expected, between) in
            [(0.0, Decision::Pass, 500..1200), (0.6, Decision::Fail, 0..200)]
        {
            let mut watch = ProbeWatch::new(&[bound(90.0)], false).unwrap();
            let mut decided = None;
            for i in 0..2000 {
                let ttft = if scattered(i) < slow_share { 150.0 } else { 20.0 };
                let decision = watch.see(&row(i * 10, ttft), 3);
                if decision != Decision::Undecided {
                    decided = Some((decision, i));
                    break;
                }
            }
            let (decision, at) = decided.expect("a decision");
            assert_eq!(decision, expected);
            assert!(between.contains(&at), "{at}");
        }
    }

    #[test]
    fn a_backlog_that_grows_fails_a_rate_and_a_level_one_does_not() {
        for (growing, expected) in [(true, Decision::Fail), (false, Decision::Undecided)] {
            let mut watch = ProbeWatch::new(&[bound(99.0)], false).unwrap();
            let decisions = (0..600_u64).map(|i| {
                let in_flight = if growing { i / 4 } else { 40 + i * 7 % 5 };
                watch.see(&row(i * 20, 50.0), in_flight)
            });
            assert_eq!(
                decisions.into_iter().find(|d| *d == Decision::Fail).unwrap_or(Decision::Undecided),
                expected
            );
        }
    }

    #[test]
    fn failures_count_against_a_rate_and_users_who_left_do_not() {
        let mut watch = ProbeWatch::new(&[bound(90.0)], true).unwrap();
        for i in 0..200 {
            watch.see(&row(i * 10, 20.0), 1);
            watch.see(&Record { outcome: Outcome::HungUp, ..row(i * 10, 20.0) }, 1);
        }
        assert_eq!((watch.outcome().decision, watch.requests()), (Decision::Pass, 200));
        for i in 0..200 {
            watch.see(&Record { outcome: Outcome::Failed, ..row(5 + i * 10, 20.0) }, 1);
        }
        assert_eq!(watch.outcome().decision, Decision::Fail);
        assert!(watch.outcome().margin < -0.3);
    }

    #[test]
    fn what_has_not_settled_is_not_looked_at() {
        let mut settled = Settled::new();
        settled.add(&row(0, 1000.0), 1.0);
        for i in 1..=20 {
            settled.add(&row(i * 100, 10.0), 1.0 + i as f64);
        }
        // The last ended at 2010 ms and the longest took 1000 ms.
        assert_eq!(settled.values().len(), 11);
        assert_eq!(settled.all().len(), 21);
    }

    #[test]
    fn a_stop_rule_waits_for_its_time_and_says_what_it_reached() {
        let until = Until { figure: Figure { metric: Metric::Ttft, percent: 50.0 }, within: 0.05 };
        let run = |longest: f64| {
            let mut watch = UntilWatch::new(until, longest).unwrap();
            let met = (0..5000).find(|i| watch.see(&row(i * 10, 50.0 + 10.0 * scattered(*i))));
            (met, watch.missed())
        };
        let (met, missed) = run(20.0);
        assert!(
            met.is_some_and(|at| (990..3000).contains(&at)),
            "not before half of the longest time: {met:?}"
        );
        assert_eq!(missed, None);
        let (met, missed) = run(600.0);
        assert_eq!(met, None, "5000 requests are 50 s");
        assert!(missed.unwrap().contains("known within"));
    }
}
