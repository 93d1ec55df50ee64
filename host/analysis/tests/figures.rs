//! A load point from rows to row: what holds together across figures, whatever the rows are.

use benchhost_analysis::{Collector, EventTimes, GpuFigures, Options, PointFacts, PointKey, QuantilesNs};
use benchhost_model::{
    LoadPoint, Nanos, Outcome, Phase, Record, Steadiness, SummaryRow, Verdict, WindowKind,
};
use proptest::prelude::*;

const MS: u64 = 1_000_000;

fn at(ms: u64) -> Nanos {
    Nanos::new(ms * MS)
}

/// A request whose answer has `tokens` tokens, 10 ms apart.
fn answered(load: LoadPoint, send_ms: u64, ttft_ms: u64, tokens: u32) -> Record {
    let first = send_ms + ttft_ms;
    let last = first + 10 * u64::from(tokens.saturating_sub(1));
    Record {
        load,
        outcome: Outcome::Completed,
        t_sched_ns: at(send_ms),
        t_send_ns: Some(at(send_ms)),
        t_first_ns: Some(at(first)),
        t_last_ns: Some(at(last)),
        t_end_ns: Some(at(last)),
        input_tokens: Some(20),
        output_tokens: Some(tokens),
        n_first_tokens: Some(1),
        events: tokens,
        ..Record::blank()
    }
}

fn times(record: &Record) -> Vec<u64> {
    let first = record.t_first_ns.map_or(0, Nanos::get);
    std::iter::once(first).chain(std::iter::repeat(10 * MS)).take(record.events as usize).collect()
}

fn summary(records: &[Record], facts: Option<PointFacts>, objectives: &[&str]) -> SummaryRow {
    let objectives = objectives.iter().map(|o| o.parse().expect("an objective")).collect();
    let options = Options { objectives, gpu_price_usd_per_hour: Some(3.6) };
    let mut collector = Collector::new(options, facts.into_iter().collect());
    for record in records {
        let gaps = times(record);
        collector.push(record, Some(EventTimes { at: &gaps, tokens: &[], censored: &[] }));
    }
    collector
        .finish(&mut |from, until| GpuFigures {
            energy_j: Some((until - from) as f64 / 1e9 * 100.0),
            ..GpuFigures::default()
        })
        .remove(0)
}

fn facts(load: LoadPoint, from_ms: u64, until_ms: u64) -> PointFacts {
    PointFacts {
        key: PointKey { load, ..PointKey::of(&Record::blank()) },
        measured_from_ns: Some(from_ms * MS),
        measured_until_ns: Some(until_ms * MS),
        asked_rate: matches!(load, LoadPoint::Rate(_)).then_some(load.value()),
        ..PointFacts::default()
    }
}

/// Two users from 0 to 60 s, each request 100 ms: 20 ms to the first of nine tokens.
fn closed_loop() -> Vec<Record> {
    let load = LoadPoint::Concurrency(2);
    (0..1200_u64)
        .map(|i| {
            let send = i / 2 * 100;
            let phase = match send {
                0..10_000 => Phase::Warmup,
                10_000..50_000 => Phase::Measured,
                _ => Phase::Drain,
            };
            Record { phase, ..answered(load, send, 20, 9) }
        })
        .collect()
}

#[test]
fn a_steady_closed_loop_has_every_figure_and_no_complaint() {
    let load = LoadPoint::Concurrency(2);
    let facts = PointFacts {
        slip_gen: Some(QuantilesNs { p99_ns: 20_000, ..QuantilesNs::default() }),
        ..facts(load, 10_000, 50_000)
    };
    let row = summary(&closed_loop(), Some(facts), &["ttft=20ms", "tpot=10ms"]);
    assert_eq!((row.window, row.duration_s, row.counts.scheduled), (WindowKind::Declared, Some(40.0), 800));
    assert_eq!(
        (row.req_s, row.out_tok_s, row.in_tok_s, row.total_tok_s),
        (Some(20.0), Some(180.0), Some(400.0), Some(580.0))
    );
    assert_eq!(
        (row.ttft.p50, row.ttft.p99, row.tpot.p50, row.itl.p99),
        (Some(20.0), Some(20.0), Some(10.0), Some(10.0))
    );
    assert_eq!(
        (row.tps_user_p50, row.tokens_per_chunk_mean, row.tokens_per_chunk_p99),
        (Some(100.0), Some(1.0), Some(1.0))
    );
    assert_eq!(
        (row.slo_attainment, row.goodput_req_s, row.goodput_tok_s),
        (Some(1.0), Some(20.0), Some(180.0))
    );
    assert_eq!((row.steady.verdict, row.verdict), (Steadiness::Steady, Some(Verdict::Valid)));
    assert_eq!(
        (row.in_flight_mean, row.little.map(|l| l.broken()), row.response_law.map(|l| l.broken())),
        (Some(2.0), Some(false), Some(false))
    );
    assert!(row.warnings.is_empty(), "{:?}", row.warnings);
    // $3.60 an hour is $0.001 a second; 180 tokens in that.
    assert!((row.usd_per_mtok_out.unwrap() - 1e3 / 180.0).abs() < 1e-9);
    assert_eq!(row.usd_per_mtok_goodput, row.usd_per_mtok_out);
    assert!((row.j_per_out_tok.unwrap() - 100.0 / 180.0).abs() < 1e-9);
}

#[test]
fn the_same_rows_without_facts_say_what_they_are_over() {
    let rows: Vec<Record> = closed_loop().into_iter().filter(|r| r.phase == Phase::Measured).collect();
    let row = summary(&rows, None, &[]);
    assert_eq!((row.window, row.verdict, row.little), (WindowKind::Makespan, None, None));
    assert_eq!(row.duration_s, Some(40.0));
    assert_eq!(row.req_s, row.makespan.req_s);
    assert_eq!(row.harness.ttft, None);
}

#[test]
fn a_saturated_open_loop_has_rates_and_no_latency_of_a_state_it_never_reached() {
    let load = LoadPoint::Rate(12.5);
    let mut free = 0;
    let rows: Vec<Record> = (0..400_u64)
        .map(|i| {
            let due = i * 80;
            let start = due.max(free);
            free = start + 100;
            answered(load, due, start - due + 20, 9)
        })
        .collect();
    let row = summary(&rows, Some(facts(load, 0, 32_000)), &["ttft=1s"]);
    assert_eq!(row.steady.verdict, Steadiness::Saturated);
    assert_eq!((row.ttft.n, row.e2e.p50, row.tps_user_p50), (0, None, None));
    assert!(row.saturated_latencies["ttft"].p50.is_some_and(|ms| ms > 1000.0));
    assert!((row.req_s.unwrap() - 10.0).abs() < 0.1 && row.offered_req_s == Some(12.5));
    assert!(row.slo_attainment.is_some_and(|share| share < 0.5));
    assert!(row.little.is_some_and(|law| law.broken()) && !row.warnings.is_empty());
}

#[test]
fn what_the_program_did_is_held_against_its_limits() {
    let load = LoadPoint::Concurrency(2);
    let late: Vec<Record> = closed_loop()
        .into_iter()
        .map(|r| Record {
            censored: u32::from(r.row % 3 == 0),
            lag_first_ns: Some(5 * MS),
            lag_max_ns: Some(9 * MS),
            ..r
        })
        .collect();
    let row = summary(&late, Some(facts(load, 10_000, 50_000)), &[]);
    assert_eq!(row.verdict, Some(Verdict::Invalid));
    assert_eq!((row.reasons[0].rule.as_str(), row.reasons[0].found), ("censored_share", Some(1.0 / 9.0)));
    let ttft = row.harness.ttft.unwrap();
    assert_eq!((ttft.ms, ttft.below_resolution.join(" ")), (5.0, "p50 p90 p99".to_owned()));
    assert_eq!((row.icl.n, row.icl.censored), (0, Some(800 * 8)));
}

prop_compose! {
    fn any_row()(
        phase in prop_oneof![Just(Phase::Warmup), Just(Phase::Measured), Just(Phase::Drain)],
        outcome in prop_oneof![
            4 => Just(Outcome::Completed), 1 => Just(Outcome::Failed), 1 => Just(Outcome::HungUp),
            1 => Just(Outcome::Cut), 1 => Just(Outcome::Shed), 1 => Just(Outcome::Unbuildable)
        ],
        send in 0..5000_u64,
        ttft in 0..500_u64,
        tokens in 1..40_u32,
        known in prop::bool::weighted(0.9),
        turn in 0..3_u32,
        open in any::<bool>(),
    ) -> Record {
        let load = if open { LoadPoint::Rate(4.0) } else { LoadPoint::Concurrency(2) };
        let row = Record { phase, outcome, turn, ..answered(load, send, ttft, tokens) };
        let unsent = matches!(outcome, Outcome::Shed | Outcome::Unbuildable);
        Record {
            output_tokens: row.output_tokens.filter(|_| known),
            t_send_ns: row.t_send_ns.filter(|_| !unsent),
            t_first_ns: row.t_first_ns.filter(|_| !unsent),
            t_last_ns: row.t_last_ns.filter(|_| !unsent),
            t_end_ns: row.t_end_ns.filter(|_| !unsent),
            events: if unsent { 0 } else { row.events },
            ..row
        }
    }
}

proptest! {
    #[test]
    fn figures_hold_together(records in prop::collection::vec(any_row(), 1..120), from in 0..3000_u64, length in 0..4000_u64) {
        for load in [LoadPoint::Rate(4.0), LoadPoint::Concurrency(2)] {
            let rows: Vec<Record> = records.iter().filter(|r| r.load == load).cloned().collect();
            if !rows.iter().any(|r| r.phase == Phase::Measured) {
                continue;
            }
            let row = summary(&rows, Some(facts(load, from, from + length)), &["ttft=200ms", "tpot=11ms"]);
            let c = row.counts;
            prop_assert_eq!(c.scheduled, c.completed + c.failed + c.hung_up + c.cut + c.shed + c.unbuildable);
            for o in &row.objectives {
                prop_assert_eq!(o.met + o.missed + o.vacuous + o.lost, c.scheduled - c.hung_up);
            }
            if let (Some(good), Some(all)) = (row.goodput_req_s, row.req_s) {
                prop_assert!(good <= all + 1e-9);
            }
            if let (Some(good), Some(all)) = (row.goodput_tok_s, row.out_tok_s) {
                prop_assert!(good <= all + 1e-6);
            }
            prop_assert!(row.slo_attainment.is_none_or(|share| (0.0..=1.0).contains(&share)));
            let sent = rows.iter().filter(|r| r.outcome == Outcome::Completed).count() as f64;
            if let (Some(rate), Some(seconds)) = (row.req_s, row.duration_s) {
                prop_assert!(rate * seconds <= sent + 1e-6);
            }
            let tokens: f64 = rows.iter().filter(|r| r.outcome == Outcome::Completed).filter_map(|r| r.output_tokens).map(f64::from).sum();
            if let (Some(rate), Some(seconds)) = (row.out_tok_s, row.duration_s) {
                prop_assert!(rate >= 0.0 && rate * seconds <= tokens + 1e-6);
            }
            for d in [&row.ttft, &row.tpot, &row.itl, &row.icl, &row.e2e, &row.e2e_sched, &row.slip] {
                let ladder = [d.min, d.p1, d.p5, d.p25, d.p50, d.p75, d.p90, d.p95, d.p99, d.p999, d.max];
                let known: Vec<f64> = ladder.into_iter().flatten().collect();
                prop_assert!(known.windows(2).all(|pair| pair[0] <= pair[1] + 1e-9), "{:?}", known);
                prop_assert!(d.n_eff.is_none_or(|n| n <= d.n));
                prop_assert!(d.p50_ci.is_none_or(|[low, high]| low <= high));
            }
            prop_assert_eq!(row.turns.iter().map(|t| t.requests).sum::<u64>(), if row.turns.is_empty() { 0 } else { c.scheduled });
            prop_assert!(row.scores.is_empty());
        }
    }
}

#[test]
fn rows_in_any_order_give_the_same_row() {
    let load = LoadPoint::Concurrency(2);
    let rows = closed_loop();
    let mut shuffled = rows.clone();
    shuffled.sort_by_key(|r| (r.t_sched_ns.get() / MS * 7919 % 10_007, r.row));
    let of = |rows: &[Record]| summary(rows, Some(facts(load, 10_000, 50_000)), &["ttft=30ms"]);
    let (a, b) = (of(&rows), of(&shuffled));
    assert_eq!((a.ttft, a.req_s, a.goodput_req_s, a.steady), (b.ttft, b.req_s, b.goodput_req_s, b.steady));
    assert!((a.out_tok_s.unwrap() - b.out_tok_s.unwrap()).abs() < 1e-9);
}
