//! The figures of the live line, kept while answers are decoded. They are for watching only: results are computed from
//! the recorded rows.

use std::collections::VecDeque;
use std::time::Duration;

use benchhost_model::{Nanos, Outcome, Record};
use benchhost_tui::{Figures, Lag, Recent};
use hdrhistogram::Histogram;

/// Tokens of answers that ended this long ago still count for tokens a second.
const RECENT: Duration = Duration::from_secs(10);
/// Histograms reach from a microsecond to an hour; what is beyond counts as an hour.
const LOW_NS: u64 = 1_000;
const HIGH_NS: u64 = 3_600_000_000_000;
/// Values within a hundredth.
const DIGITS: u8 = 2;

/// Answers whose latencies make the medians of the last ten seconds: so many are found in microseconds.
const MOST: usize = 1024;

/// What is known of all answers of a load point.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Totals {
    /// Completed requests a second, from the first sending to the last end.
    pub(super) requests_s: Option<f64>,
    /// Output tokens a second, over the same time.
    pub(super) tokens_s: Option<f64>,
    /// Within 1 %, as all latencies here.
    pub(super) ttft_p50_ns: Option<u64>,
    pub(super) ttft_p90_ns: Option<u64>,
    pub(super) tpot_p50_ns: Option<u64>,
}

/// Counts answers as they are decoded.
#[derive(Debug)]
pub(super) struct Tally {
    // None of these bounds can be refused; if one were, the figure would stay out of the line.
    ttft: Option<Histogram<u32>>,
    tpot: Option<Histogram<u32>>,
    receiving: Option<Histogram<u32>>,
    sending: Option<Histogram<u32>>,
    recent: VecDeque<Answer>,
    /// When the first answer was asked for, on the clock of the load point.
    first: Option<Duration>,
    /// The first sending and the last end, on the clock of the run.
    spanned: Option<(Nanos, Nanos)>,
    completed: u64,
    tokens: u64,
}

/// An answer that was decoded not long ago.
#[derive(Debug)]
struct Answer {
    /// When it was decoded.
    at: Duration,
    completed: bool,
    tokens: u64,
    ttft_ns: Option<u64>,
    itl_ns: Option<u64>,
}

impl Tally {
    pub(super) fn new() -> Self {
        let histogram = || Histogram::new_with_bounds(LOW_NS, HIGH_NS, DIGITS).ok();
        Self {
            ttft: histogram(),
            tpot: histogram(),
            receiving: histogram(),
            sending: histogram(),
            recent: VecDeque::new(),
            first: None,
            spanned: None,
            completed: 0,
            tokens: 0,
        }
    }

    /// Counts `row`, decoded at `at` (since the load point began).
    pub(super) fn take(&mut self, at: Duration, row: &Record, lags: &[Option<Nanos>]) {
        let ttft = row.t_send_ns.zip(row.t_first_ns).map(|(sent, first)| first - sent);
        if let Some(ttft) = ttft {
            count(&mut self.ttft, ttft);
        }
        if let Some(tpot) = row.tpot_ms {
            count(&mut self.tpot, Nanos::new(ns(tpot)));
        }
        for lag in lags.iter().flatten() {
            count(&mut self.receiving, *lag);
        }
        if let Some(sent) = row.t_send_ns {
            count(&mut self.sending, sent - row.t_slot_ns.unwrap_or(row.t_sched_ns));
            let end = row.t_end_ns.unwrap_or(sent);
            self.first.get_or_insert(at.saturating_sub(Duration::from_nanos((end - sent).get())));
            let (from, to) = self.spanned.unwrap_or((sent, end));
            self.spanned = Some((from.min(sent), to.max(end)));
        }
        let completed = row.outcome == Outcome::Completed;
        let tokens = row.output_tokens.map_or(0, u64::from);
        self.completed += u64::from(completed);
        self.tokens += tokens;
        let (ttft_ns, itl_ns) = (ttft.map(Nanos::get), row.itl_mean_ms.map(ns));
        self.recent.push_back(Answer { at, completed, tokens, ttft_ns, itl_ns });
        self.forget(at);
    }

    /// The figures at `now` (since the load point began).
    pub(super) fn figures(&mut self, now: Duration) -> Figures {
        self.forget(now);
        let per_s = |total: u64, over: f64| total as f64 / over;
        let over = self.recent_s(now);
        let tokens = self.recent.iter().map(|answer| answer.tokens).sum();
        let completed = self.recent.iter().filter(|answer| answer.completed).count() as u64;
        let recent = Recent {
            tokens_s: over.map(|over| per_s(tokens, over)),
            requests_s: over.map(|over| per_s(completed, over)),
            ttft_p50_ns: self.recent_median(|answer| answer.ttft_ns),
            itl_p50_ns: self.recent_median(|answer| answer.itl_ns),
        };
        Figures { ttft_p50_ns: quantile(self.ttft.as_ref(), 0.5), lag: self.lag(), recent }
    }

    /// 99th percentile of how late this program was.
    pub(super) fn lag(&self) -> Option<Lag> {
        let receiving = quantile(self.receiving.as_ref(), 0.99).map(Lag::Receiving);
        receiving.or_else(|| quantile(self.sending.as_ref(), 0.99).map(Lag::Sending))
    }

    /// Of all answers.
    pub(super) fn totals(&self) -> Totals {
        let over = self.spanned.map(|(from, to)| (to - from).get() as f64 / 1e9).filter(|s| *s > 0.0);
        Totals {
            requests_s: over.map(|s| self.completed as f64 / s),
            tokens_s: over.filter(|_| self.tokens > 0).map(|s| self.tokens as f64 / s),
            ttft_p50_ns: quantile(self.ttft.as_ref(), 0.5),
            ttft_p90_ns: quantile(self.ttft.as_ref(), 0.9),
            tpot_p50_ns: quantile(self.tpot.as_ref(), 0.5),
        }
    }

    /// Seconds that are looked back; none in the first second: a rate over less means little.
    fn recent_s(&self, now: Duration) -> Option<f64> {
        let over = now.saturating_sub(self.first?).min(RECENT);
        (over >= Duration::from_secs(1)).then_some(over.as_secs_f64())
    }

    fn recent_median(&self, figure: impl Fn(&Answer) -> Option<u64>) -> Option<u64> {
        let mut values: Vec<u64> = self.recent.iter().rev().take(MOST).filter_map(figure).collect();
        let middle = values.len().checked_sub(1)? / 2;
        Some(*values.select_nth_unstable(middle).1)
    }

    fn forget(&mut self, now: Duration) {
        while self.recent.front().is_some_and(|answer| now.saturating_sub(answer.at) > RECENT) {
            self.recent.pop_front();
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a latency; what is none becomes 0"
)]
fn ns(ms: f64) -> u64 {
    (ms * 1e6) as u64
}

fn count(histogram: &mut Option<Histogram<u32>>, value: Nanos) {
    if let Some(histogram) = histogram {
        histogram.saturating_record(value.get());
    }
}

fn quantile(histogram: Option<&Histogram<u32>>, share: f64) -> Option<u64> {
    histogram.filter(|h| !h.is_empty()).map(|h| h.value_at_quantile(share))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn row(ttft_ms: u64, tokens: u32) -> Record {
        Record {
            t_sched_ns: Nanos::ZERO,
            t_send_ns: Some(Nanos::new(2 * MS)),
            t_first_ns: Some(Nanos::new((2 + ttft_ms) * MS)),
            t_end_ns: Some(Nanos::new(1002 * MS)),
            output_tokens: Some(tokens),
            outcome: Outcome::Completed,
            tpot_ms: Some(7.0),
            itl_mean_ms: Some(ttft_ms as f64 / 2.0),
            ..Record::blank()
        }
    }

    #[test]
    fn an_empty_tally_has_no_figures() {
        assert_eq!(Tally::new().figures(Duration::from_secs(100)), Figures::default());
    }

    #[test]
    fn the_median_is_that_of_all_answers_within_a_hundredth() {
        let mut tally = Tally::new();
        for ttft in 1..=999 {
            tally.take(Duration::from_secs(ttft), &row(ttft, 1), &[]);
        }
        let p50 = tally.figures(Duration::from_secs(999)).ttft_p50_ns.unwrap();
        assert!(p50.abs_diff(500 * MS) <= 5 * MS, "{p50}");
    }

    #[test]
    fn tokens_a_second_look_back_ten_seconds_and_no_further_than_the_first_request() {
        let mut tally = Tally::new();
        tally.take(Duration::from_secs(1), &row(5, 100), &[]);
        assert_eq!(tally.figures(Duration::from_secs(1)).recent.tokens_s, Some(100.0), "sent at 0 s");
        tally.take(Duration::from_secs(4), &row(5, 300), &[]);
        assert_eq!(tally.figures(Duration::from_secs(4)).recent.tokens_s, Some(100.0));
        assert_eq!(
            tally.figures(Duration::from_secs(12)).recent.tokens_s,
            Some(30.0),
            "the first is too old"
        );
        assert_eq!(
            tally.figures(Duration::from_mins(1)).recent.tokens_s,
            Some(0.0),
            "a server that stands still"
        );
    }

    #[test]
    fn medians_of_the_last_ten_seconds_forget_and_look_at_no_more_than_they_must() {
        let mut tally = Tally::new();
        tally.take(Duration::from_secs(1), &row(500, 1), &[]);
        tally.take(Duration::from_secs(5), &row(10, 1), &[]);
        tally.take(Duration::from_secs(5), &row(20, 1), &[]);
        let recent = tally.figures(Duration::from_secs(6)).recent;
        assert_eq!((recent.ttft_p50_ns, recent.itl_p50_ns), (Some(20 * MS), Some(10 * MS)));
        let recent = tally.figures(Duration::from_secs(12)).recent;
        assert_eq!(
            (recent.ttft_p50_ns, recent.itl_p50_ns),
            (Some(10 * MS), Some(5 * MS)),
            "the lower of two"
        );
        assert_eq!(recent.requests_s, Some(0.2));
        let recent = tally.figures(Duration::from_mins(1)).recent;
        assert_eq!((recent.ttft_p50_ns, recent.requests_s), (None, Some(0.0)), "no answer has no latency");
        for _ in 0..MOST {
            tally.take(Duration::from_secs(61), &row(30, 1), &[]);
        }
        assert_eq!(tally.figures(Duration::from_secs(61)).recent.ttft_p50_ns, Some(30 * MS));
    }

    #[test]
    fn totals_reach_from_the_first_sending_to_the_last_end() {
        assert_eq!(Tally::new().totals(), Totals::default());
        let mut tally = Tally::new();
        let later = |row: Record| Record {
            t_send_ns: Some(Nanos::new(1002 * MS)),
            t_end_ns: Some(Nanos::new(4002 * MS)),
            t_first_ns: None,
            ..row
        };
        tally.take(Duration::from_secs(4), &later(row(0, 50)), &[]);
        tally.take(Duration::from_secs(1), &row(100, 30), &[]);
        let failed = Record { outcome: Outcome::Failed, output_tokens: None, tpot_ms: None, ..row(100, 0) };
        tally.take(Duration::from_secs(1), &failed, &[]);
        let totals = tally.totals();
        assert_eq!((totals.requests_s, totals.tokens_s), (Some(0.5), Some(20.0)), "two in four seconds");
        assert!(totals.tpot_p50_ns.unwrap().abs_diff(7 * MS) <= MS / 10, "{totals:?}");
        assert!(totals.ttft_p90_ns.unwrap().abs_diff(100 * MS) <= MS, "{totals:?}");
    }

    #[test]
    fn lag_is_the_kernels_word_and_lateness_only_without_it() {
        let mut tally = Tally::new();
        tally.take(Duration::from_secs(1), &row(5, 1), &[None]);
        let Some(Lag::Sending(late)) = tally.figures(Duration::from_secs(1)).lag else {
            panic!("no lateness")
        };
        assert!(late.abs_diff(2 * MS) < MS / 10, "{late}");
        tally.take(Duration::from_secs(2), &row(5, 1), &[Some(Nanos::new(MS / 2))]);
        let Some(Lag::Receiving(lag)) = tally.figures(Duration::from_secs(2)).lag else { panic!("no lag") };
        assert!(lag.abs_diff(MS / 2) < MS / 100, "{lag}");
    }

    #[test]
    fn values_out_of_range_count_as_its_ends() {
        let mut tally = Tally::new();
        tally.take(Duration::ZERO, &row(u64::MAX / MS / 4, 1), &[Some(Nanos::ZERO)]);
        let figures = tally.figures(Duration::from_secs(2));
        assert!(figures.ttft_p50_ns.unwrap() >= HIGH_NS);
        assert!(matches!(figures.lag, Some(Lag::Receiving(0..=LOW_NS))), "{figures:?}");
    }
}
