//! The figures of the live line, kept while answers are decoded. They are for watching only: results are computed from
//! the recorded rows.

use std::collections::VecDeque;
use std::time::Duration;

use benchhost_model::{Nanos, Record};
use hdrhistogram::Histogram;

/// Tokens of answers that ended this long ago still count for tokens a second.
const RECENT: Duration = Duration::from_secs(10);
/// Histograms reach from a microsecond to an hour; what is beyond counts as an hour.
const LOW_NS: u64 = 1_000;
const HIGH_NS: u64 = 3_600_000_000_000;
/// Values within a hundredth.
const DIGITS: u8 = 2;

/// What the live line shows of the answers so far.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Figures {
    /// Median time to first token, within 1 %.
    pub(super) ttft_p50_ns: Option<u64>,
    /// Output tokens a second, of answers that ended in the last ten seconds.
    pub(super) tokens_s: Option<f64>,
    /// 99th percentile of how late this program was.
    pub(super) lag: Option<Lag>,
}

/// How late this program was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lag {
    /// From the kernel's stamp of an event to the program's own, in nanoseconds.
    Receiving(u64),
    /// From the time a request was due to its sending, in nanoseconds, where the kernel stamps nothing.
    Sending(u64),
}

/// Counts answers as they are decoded.
#[derive(Debug)]
pub(super) struct Tally {
    // None of these bounds can be refused; if one were, the figure would stay out of the line.
    ttft: Option<Histogram<u32>>,
    receiving: Option<Histogram<u32>>,
    sending: Option<Histogram<u32>>,
    /// When an answer was decoded, and its tokens.
    recent: VecDeque<(Duration, u64)>,
    /// When the first answer was asked for.
    first: Option<Duration>,
}

impl Tally {
    pub(super) fn new() -> Self {
        let histogram = || Histogram::new_with_bounds(LOW_NS, HIGH_NS, DIGITS).ok();
        Self {
            ttft: histogram(),
            receiving: histogram(),
            sending: histogram(),
            recent: VecDeque::new(),
            first: None,
        }
    }

    /// Counts `row`, decoded at `at` (since the load point began).
    pub(super) fn take(&mut self, at: Duration, row: &Record, lags: &[Option<Nanos>]) {
        if let (Some(sent), Some(first)) = (row.t_send_ns, row.t_first_ns) {
            count(&mut self.ttft, first - sent);
        }
        for lag in lags.iter().flatten() {
            count(&mut self.receiving, *lag);
        }
        if let Some(sent) = row.t_send_ns {
            count(&mut self.sending, sent - row.t_slot_ns.unwrap_or(row.t_sched_ns));
            let length = row.t_end_ns.map_or(Duration::ZERO, |end| Duration::from_nanos((end - sent).get()));
            self.first.get_or_insert(at.saturating_sub(length));
        }
        if let Some(tokens) = row.output_tokens {
            self.recent.push_back((at, u64::from(tokens)));
        }
        self.forget(at);
    }

    /// The figures at `now` (since the load point began).
    pub(super) fn figures(&mut self, now: Duration) -> Figures {
        self.forget(now);
        let receiving = quantile(self.receiving.as_ref(), 0.99).map(Lag::Receiving);
        let sending = || quantile(self.sending.as_ref(), 0.99).map(Lag::Sending);
        let lag = receiving.or_else(sending);
        Figures { ttft_p50_ns: quantile(self.ttft.as_ref(), 0.5), tokens_s: self.tokens_s(now), lag }
    }

    /// Nothing in the first second: a rate over less means little.
    fn tokens_s(&self, now: Duration) -> Option<f64> {
        let over = now.saturating_sub(self.first?).min(RECENT);
        if over < Duration::from_secs(1) {
            return None;
        }
        let tokens: u64 = self.recent.iter().map(|(_, tokens)| tokens).sum();
        Some(tokens as f64 / over.as_secs_f64())
    }

    fn forget(&mut self, now: Duration) {
        while self.recent.front().is_some_and(|(at, _)| now.saturating_sub(*at) > RECENT) {
            self.recent.pop_front();
        }
    }
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
        assert_eq!(tally.figures(Duration::from_secs(1)).tokens_s, Some(100.0), "sent at 0 s");
        tally.take(Duration::from_secs(4), &row(5, 300), &[]);
        assert_eq!(tally.figures(Duration::from_secs(4)).tokens_s, Some(100.0));
        assert_eq!(tally.figures(Duration::from_secs(12)).tokens_s, Some(30.0), "the first is too old");
        assert_eq!(tally.figures(Duration::from_mins(1)).tokens_s, Some(0.0), "a server that stands still");
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
