//! How far the program itself may have bent each latency: an upper bound from what was observed in the run and what the
//! selfcheck found at its load. Knows rows and facts.
//!
//! A kernel stamp does not depend on when the program woke up, so a latency between such stamps is bounded by what the
//! selfcheck found. Where a stamp is the program's own, its lag behind the kernel comes on top. Without a selfcheck the
//! lag stands in for it: it is larger than the error of a kernel stamp. Latencies from the schedule also hold the
//! program's own lateness in sending; those from the send do not.

use benchhost_model::{
    BoundTerm, Distribution, HarnessBound, HarnessError, NS_PER_MS, PointFacts, QuantilesNs, SummaryRow,
};

use crate::kept::Kept;

/// A bound above this share of a figure leaves too little of the figure.
const RESOLUTION: f64 = 0.02;

/// Everything that is known of the program's error. `row` holds the latencies that the bounds are held against.
pub(crate) fn error(rows: &[Kept], facts: &PointFacts, row: &SummaryRow) -> HarnessError {
    let answered: Vec<&Kept> = rows.iter().filter(|r| r.measured() && r.events > 0).collect();
    let seen = Seen::of(&answered, facts);
    let events: u64 = answered.iter().map(|r| u64::from(r.events)).sum();
    let share = |get: fn(&Kept) -> u32| {
        (events > 0).then(|| answered.iter().map(|r| u64::from(get(r))).sum::<u64>() as f64 / events as f64)
    };
    let observed = seen.first.is_some();
    let bound = |figure: &Distribution, terms: Option<Vec<BoundTerm>>| terms.map(|t| held(figure, t));
    HarnessError {
        ttft: bound(&row.ttft, seen.of_first()),
        ttft_sched: bound(&row.ttft_sched, seen.late(seen.of_first())),
        tpot: bound(&row.tpot, seen.of_token()),
        itl: bound(&row.itl, seen.of_gap()),
        e2e: bound(&row.e2e, seen.of_last()),
        e2e_sched: bound(&row.e2e_sched, seen.late(seen.of_last())),
        lag_first_p50_ms: rank(answered.iter().filter_map(|r| r.lag_first()), 0.5),
        lag_first_p99_ms: seen.first,
        lag_max_p99_ms: seen.largest,
        lag_max_ms: rank(answered.iter().filter_map(|r| r.lag_max()), 1.0),
        // A file without lags does not know which events were late.
        censored_share: share(|r| r.censored).filter(|s| observed || *s > 0.0),
        together_share: share(|r| r.together).filter(|s| observed || *s > 0.0),
        kernel_stamps_share: (!answered.is_empty())
            .then(|| answered.iter().filter(|r| r.kernel).count() as f64 / answered.len() as f64),
        slip_gen_p99_ms: facts.slip_gen.map(|q| q.p99_ns as f64 / NS_PER_MS),
        io_busy_p99: facts.io.iter().filter_map(|io| io.busy_p99).max_by(f64::total_cmp),
    }
}

/// 99th percentiles in ms of what bounds are made of.
struct Seen<'a> {
    facts: &'a PointFacts,
    /// Every stamp is the kernel's.
    kernel: bool,
    first: Option<f64>,
    largest: Option<f64>,
    /// Lags of the first and the last event together, for each token between them.
    token: Option<f64>,
}

impl<'a> Seen<'a> {
    fn of(answered: &[&Kept], facts: &'a PointFacts) -> Self {
        let per_token = answered.iter().filter_map(|r| {
            let both = r.lag_first()?.saturating_add(r.lag_max()?);
            Some(both / u64::from(r.later_tokens()?))
        });
        Self {
            facts,
            kernel: !answered.is_empty() && answered.iter().all(|r| r.kernel),
            first: rank(answered.iter().filter_map(|r| r.lag_first()), 0.99),
            largest: rank(answered.iter().filter_map(|r| r.lag_max()), 0.99),
            token: rank(per_token, 0.99),
        }
    }

    fn of_first(&self) -> Option<Vec<BoundTerm>> {
        self.terms(self.first, |check| check.ttft)
    }

    fn of_token(&self) -> Option<Vec<BoundTerm>> {
        self.terms(self.token, |check| check.tpot)
    }

    fn of_gap(&self) -> Option<Vec<BoundTerm>> {
        self.terms(self.largest, |check| check.gap)
    }

    fn of_last(&self) -> Option<Vec<BoundTerm>> {
        self.terms(self.largest, |check| check.e2e)
    }

    fn terms(
        &self,
        lag: Option<f64>,
        found: fn(&benchhost_model::SelfCheckFacts) -> Option<QuantilesNs>,
    ) -> Option<Vec<BoundTerm>> {
        let check = self.facts.selfcheck.as_ref().and_then(found).map(|q| q.p99_ns as f64 / NS_PER_MS);
        let check = check.map(|ms| term("selfcheck_p99", ms));
        let lag = lag.filter(|_| !self.kernel || check.is_none()).map(|ms| term("lag_p99", ms));
        // The clocks' offset is part of what a selfcheck finds.
        let clock = self.facts.clock.residual_ns.filter(|_| check.is_none() && lag.is_some());
        let clock = clock.map(|ns| term("clock_offset", ns as f64 / NS_PER_MS));
        let terms: Vec<BoundTerm> = check.into_iter().chain(lag).chain(clock).collect();
        (!terms.is_empty()).then_some(terms)
    }

    /// The same from the schedule. Without knowing how late requests went out there is no bound.
    fn late(&self, terms: Option<Vec<BoundTerm>>) -> Option<Vec<BoundTerm>> {
        let mut terms = terms?;
        terms.push(term("slip_gen_p99", self.facts.slip_gen?.p99_ns as f64 / NS_PER_MS));
        Some(terms)
    }
}

fn term(name: &str, ms: f64) -> BoundTerm {
    BoundTerm { term: name.to_owned(), ms }
}

fn held(figure: &Distribution, terms: Vec<BoundTerm>) -> HarnessBound {
    let ms = terms.iter().map(|t| t.ms).sum();
    let statistics = [("p50", figure.p50), ("p90", figure.p90), ("p99", figure.p99)];
    let small = |value: Option<f64>| value.is_some_and(|value| ms > RESOLUTION * value);
    let below = statistics.iter().filter(|(_, value)| small(*value)).map(|(name, _)| (*name).to_owned());
    HarnessBound { ms, terms, below_resolution: below.collect() }
}

/// Nearest rank of spans in nanoseconds, in ms.
fn rank(values: impl Iterator<Item = u64>, share: f64) -> Option<f64> {
    let mut values: Vec<u64> = values.collect();
    values.sort_unstable();
    let last = values.len().checked_sub(1)?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count")]
    let at = ((values.len() as f64 * share).ceil() as usize).saturating_sub(1);
    Some(values[at.min(last)] as f64 / NS_PER_MS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use benchhost_model::{LoadPoint, Nanos, Outcome, Record, SelfCheckFacts};

    const US: u64 = 1000;

    fn rows(stamps: &str) -> Vec<Kept> {
        let row = |i: u64| Record {
            outcome: Outcome::Completed,
            t_send_ns: Some(Nanos::ZERO),
            t_first_ns: Some(Nanos::new(20_000 * US)),
            t_last_ns: Some(Nanos::new(120_000 * US)),
            output_tokens: Some(11),
            events: 10,
            stamps: stamps.into(),
            lag_first_ns: Some((i + 1) * US),
            lag_max_ns: Some((i + 1) * 2 * US),
            ..Record::blank()
        };
        (0..100).map(|i| Kept::of(&row(i))).collect()
    }

    fn summary() -> SummaryRow {
        let at = |ms: f64| Distribution { p50: Some(ms), p90: Some(2.0 * ms), ..Distribution::default() };
        SummaryRow {
            ttft: at(20.0),
            tpot: at(10.0),
            ttft_sched: at(20.0),
            ..SummaryRow::blank(LoadPoint::Rate(1.0))
        }
    }

    fn q(p99_us: u64) -> QuantilesNs {
        QuantilesNs { p99_ns: p99_us * US, ..QuantilesNs::default() }
    }

    fn terms(bound: Option<&HarnessBound>) -> Vec<(&str, f64)> {
        bound.into_iter().flat_map(|b| &b.terms).map(|t| (t.term.as_str(), t.ms)).collect()
    }

    fn checked() -> PointFacts {
        let check = SelfCheckFacts { ttft: Some(q(60)), tpot: Some(q(4)), ..SelfCheckFacts::default() };
        PointFacts { selfcheck: Some(check), slip_gen: Some(q(30)), ..PointFacts::default() }
    }

    #[test]
    fn kernel_stamps_are_bounded_by_the_selfcheck_alone() {
        let found = error(&rows("kernel"), &checked(), &summary());
        assert_eq!(terms(found.ttft.as_ref()), [("selfcheck_p99", 0.06)]);
        assert_eq!(terms(found.ttft_sched.as_ref()), [("selfcheck_p99", 0.06), ("slip_gen_p99", 0.03)]);
        assert_eq!(found.ttft_sched.map(|b| b.ms), Some(0.09));
        assert_eq!(terms(found.tpot.as_ref()), [("selfcheck_p99", 0.004)]);
        assert_eq!((found.kernel_stamps_share, found.slip_gen_p99_ms), (Some(1.0), Some(0.03)));
    }

    #[test]
    fn own_stamps_add_their_lag() {
        let found = error(&rows("mixed"), &checked(), &summary());
        assert_eq!(terms(found.ttft.as_ref()), [("selfcheck_p99", 0.06), ("lag_p99", 0.099)]);
        // (99 + 198) µs over the ten tokens after the first.
        assert_eq!(terms(found.tpot.as_ref()), [("selfcheck_p99", 0.004), ("lag_p99", 0.0297)]);
        assert_eq!((found.lag_first_p50_ms, found.lag_max_ms), (Some(0.05), Some(0.2)));
    }

    #[test]
    fn without_a_selfcheck_the_lag_stands_in_and_without_either_nothing_is_claimed() {
        let mut facts = PointFacts::default();
        facts.clock.residual_ns = Some(500);
        let found = error(&rows("kernel"), &facts, &summary());
        assert_eq!(terms(found.ttft.as_ref()), [("lag_p99", 0.099), ("clock_offset", 0.0005)]);
        assert_eq!(terms(found.e2e.as_ref()), [("lag_p99", 0.198), ("clock_offset", 0.0005)]);
        assert!(found.ttft_sched.is_none(), "how late requests went out is not known");
        let silent = Kept::of(&Record { events: 1, ..Record::blank() });
        let found = error(&[silent], &PointFacts::default(), &summary());
        assert!(found.ttft.is_none() && found.censored_share.is_none());
    }

    #[test]
    fn a_figure_is_below_resolution_from_two_percent_on() {
        let of = |p99_us: u64| {
            let check = SelfCheckFacts { ttft: Some(q(p99_us)), ..SelfCheckFacts::default() };
            let facts = PointFacts { selfcheck: Some(check), ..PointFacts::default() };
            error(&rows("kernel"), &facts, &summary()).ttft.unwrap().below_resolution
        };
        assert!(of(400).is_empty(), "2 % of 20 ms");
        assert_eq!(of(401), ["p50"]);
        assert_eq!(of(801), ["p50", "p90"]);
    }

    #[test]
    fn shares_are_of_all_output_events() {
        let mut late =
            Record { events: 10, censored: 5, together: 2, lag_first_ns: Some(1), ..Record::blank() };
        let found = error(&[Kept::of(&late)], &PointFacts::default(), &summary());
        assert_eq!((found.censored_share, found.together_share), (Some(0.5), Some(0.2)));
        late.phase = benchhost_model::Phase::Warmup;
        assert_eq!(error(&[Kept::of(&late)], &PointFacts::default(), &summary()).censored_share, None);
    }
}
