//! The latency distributions of a load point: measured requests by the order of their sending, each followed to its end.
//! Knows rows; what a window is plays no part here.

use benchhost_model::{Distribution, Outcome, SummaryRow};

use crate::distribution::of_requests;
use crate::kept::Kept;
use crate::point::Point;

/// Fills in every distribution and what follows from them. `rows`: those of the point in the order of their sending.
pub(crate) fn fill(row: &mut SummaryRow, point: &Point, rows: &[Kept]) {
    let lost = |r: &&Kept| r.measured() && matches!(r.outcome, Outcome::Failed | Outcome::Shed);
    let failures = rows.iter().filter(lost).count();
    let done = |get: fn(&Kept) -> Option<f64>| values(rows, Kept::completed, get);
    let plain = |get: fn(&Kept) -> Option<f64>| of_requests(done(get), None);
    // Only where a failed request could have had the latency: it is infinitely late.
    let adjusted = |get: fn(&Kept) -> Option<f64>| of_requests(done(get), Some(failures));
    row.ttft = adjusted(Kept::ttft);
    row.ttft_sched = adjusted(Kept::ttft_sched);
    row.ttfat = adjusted(Kept::ttfat);
    row.tpot = adjusted(Kept::tpot);
    row.tpot_n1 = plain(Kept::tpot_n1);
    row.e2e = adjusted(Kept::e2e);
    row.e2e_sched = adjusted(Kept::e2e_sched);
    row.e2e_body = plain(Kept::e2e_body);
    row.norm_latency = plain(Kept::norm_latency);
    let sent = |get: fn(&Kept) -> Option<f64>| of_requests(values(rows, |_| true, get), None);
    row.slip = sent(Kept::slip);
    row.wait_slot = sent(Kept::wait_slot);
    row.wait_conn = sent(Kept::wait_conn);
    row.itl = point.gaps.itl();
    row.icl = point.gaps.icl();
    row.decode_tok_s_p50 = plain(Kept::decode_tok_s).p50;
    let per_second = |ms: Option<f64>| ms.filter(|ms| *ms > 0.0).map(|ms| 1000.0 / ms);
    row.tps_user_p50 = per_second(row.tpot.p50);
    row.tps_user_slow10 = per_second(row.tpot.p90);
    if let Some(chunks) = point.chunks.as_ref().filter(|c| !c.is_empty()) {
        row.tokens_per_chunk_mean = Some(point.chunk_tokens / chunks.len() as f64);
        // The largest rank a percentile needs; below that the largest chunk would be called the 99th percentile.
        row.tokens_per_chunk_p99 = (chunks.len() >= 368).then(|| chunks.value_at_quantile(0.99) as f64);
    }
}

/// Moves the latencies that a growing backlog makes meaningless out of the figures; they stay under names of their own.
pub(crate) fn set_aside(row: &mut SummaryRow) {
    let all: [(&str, &mut Distribution); 11] = [
        ("ttft", &mut row.ttft),
        ("ttft_sched", &mut row.ttft_sched),
        ("ttfat", &mut row.ttfat),
        ("tpot", &mut row.tpot),
        ("tpot_n1", &mut row.tpot_n1),
        ("itl", &mut row.itl),
        ("icl", &mut row.icl),
        ("e2e", &mut row.e2e),
        ("e2e_sched", &mut row.e2e_sched),
        ("e2e_body", &mut row.e2e_body),
        ("norm_latency", &mut row.norm_latency),
    ];
    for (name, figure) in all {
        row.saturated_latencies.insert(name.to_owned(), std::mem::take(figure));
    }
    (row.tps_user_p50, row.tps_user_slow10, row.decode_tok_s_p50) = (None, None, None);
}

/// Values of measured requests, in the order of their sending.
pub(crate) fn values(
    rows: &[Kept],
    keep: impl Fn(&Kept) -> bool,
    get: impl Fn(&Kept) -> Option<f64>,
) -> Vec<f64> {
    rows.iter().filter(|r| r.measured() && keep(r)).filter_map(get).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::EventTimes;
    use benchhost_model::{LoadPoint, Nanos, Phase, Record};

    fn figures(records: &[Record]) -> SummaryRow {
        let mut point = Point::new(&records[0], None);
        for record in records {
            point.push(record, Some(EventTimes { at: &[5, 1_000_000], tokens: &[1, 3], censored: &[] }), 100);
        }
        let mut row = SummaryRow::blank(LoadPoint::Concurrency(1));
        fill(&mut row, &point, &point.rows);
        row
    }

    fn answered(ttft_ms: u64) -> Record {
        let at = |ms: u64| Nanos::new(ms * 1_000_000);
        Record {
            outcome: Outcome::Completed,
            t_sched_ns: at(100),
            t_send_ns: Some(at(102)),
            t_first_ns: Some(at(102 + ttft_ms)),
            t_last_ns: Some(at(202 + ttft_ms)),
            output_tokens: Some(11),
            events: 11,
            ..Record::blank()
        }
    }

    #[test]
    fn each_latency_has_its_own_distribution() {
        let records: Vec<Record> = (0..20).map(|i| answered(10 + i)).collect();
        let row = figures(&records);
        assert_eq!(
            (row.ttft.n, row.ttft.p50, row.ttft.min, row.ttft.max),
            (20, Some(19.5), Some(10.0), Some(29.0))
        );
        assert_eq!(row.ttft_sched.p50, Some(21.5));
        assert_eq!((row.tpot.p50, row.tpot_n1.p50), (Some(10.0), Some(10.0)));
        assert_eq!(
            (row.e2e.p50, row.e2e_sched.p50, row.e2e_body.p50),
            (Some(119.5), Some(121.5), Some(119.5))
        );
        assert_eq!((row.slip.p50, row.wait_slot.p50, row.wait_conn.n), (Some(2.0), Some(0.0), 0));
        assert_eq!((row.tps_user_p50, row.tps_user_slow10), (Some(100.0), None));
        assert_eq!(row.decode_tok_s_p50, Some(110.0));
        assert_eq!((row.icl.n, row.icl.p50, row.itl.n), (20, Some(1.0), 60));
        assert_eq!((row.tokens_per_chunk_mean, row.tokens_per_chunk_p99), (Some(2.0), None));
        assert_eq!(row.ttfat.n, 0);
    }

    #[test]
    fn failures_enter_adjusted_percentiles_and_nothing_else() {
        let mut records: Vec<Record> = (0..20).map(|i| answered(10 + i)).collect();
        records.extend((0..20).map(|_| Record { outcome: Outcome::Failed, ..answered(1) }));
        records.push(Record { outcome: Outcome::HungUp, ..answered(1) });
        records.push(Record { phase: Phase::Warmup, ..answered(1) });
        let row = figures(&records);
        assert_eq!((row.ttft.n, row.ttft.min), (20, Some(10.0)));
        assert!(
            row.ttft.adj_p90.is_none_or(|p| p.get().is_infinite())
                && row.ttft.adj_p50.unwrap().get().is_infinite()
        );
        assert_eq!(row.slip.n, 41);
    }

    #[test]
    fn latencies_of_a_saturated_load_stand_apart() {
        let records: Vec<Record> = (0..20).map(|i| answered(10 + i)).collect();
        let mut row = figures(&records);
        let before = row.clone();
        set_aside(&mut row);
        assert_eq!(
            (row.ttft, row.e2e, row.tps_user_p50),
            (Distribution::default(), Distribution::default(), None)
        );
        assert_eq!(row.saturated_latencies["ttft"], before.ttft);
        assert_eq!(row.slip, before.slip);
    }
}
