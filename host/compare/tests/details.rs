//! Whole distributions, single prompts, events, several results as one side, and what is said of the work.

mod synthetic;

use std::collections::BTreeMap;

use benchhost_analysis::{EventTimes, GpuFigures, Options};
use benchhost_compare::{
    Decision, Detail, Gatherer, LatencyDetail, Row, Settings, Sheet, Side, Word, compare,
};
use benchhost_model::{Record, Steadiness};
use synthetic::{Random, Truth};

fn side(sheet: &Sheet) -> Side<'_> {
    Side { sheet, config: sheet.groups[0].config.clone(), facts: &[] }
}

/// Rows changed on their way.
fn sheet_of(truth: Truth, mut change: impl FnMut(&mut Record)) -> Sheet {
    let mut gatherer = Gatherer::new(Options::default(), Vec::new()).with_names();
    truth.rows(|row| {
        let mut row = row.clone();
        change(&mut row);
        gatherer.push(&row);
    });
    gatherer.finish(&mut |_, _| GpuFigures::default())
}

fn decide(base: &Sheet, new: &Sheet, settings: &Settings) -> Decision {
    compare(&side(base), &side(new), settings).expect("comparable")
}

fn detailed() -> Settings {
    Settings { details: true, ..Settings::default() }
}

fn row<'a>(decision: &'a Decision, metric: &str) -> &'a Row {
    decision.groups[0].rows.iter().find(|r| r.metric == metric).expect("a row")
}

fn latency<'a>(decision: &'a Decision, metric: &str) -> &'a LatencyDetail {
    let detail: &Detail = decision.groups[0].detail.as_ref().expect("details");
    detail.latencies.iter().find(|l| l.metric == metric).expect("a latency")
}

/// Little noise, so that the truth decides.
fn quiet(seed: u64) -> Truth {
    Truth { between: 0.0005, inside: 0.05, neighbours: 0.0, seed, ..Truth::default() }
}

#[test]
fn a_slower_middle_with_a_better_tail_is_seen_at_the_percentiles() {
    let tail =
        |seed, ttft_ms, tail| Truth { requests: 1500, ttft_ms, tail, between: 0.0, ..quiet(seed) }.sheet();
    for runs in [5, 1] {
        let cut = |mut sheet: Sheet| {
            sheet.groups[0].runs.truncate(runs);
            sheet
        };
        let decision = decide(&cut(tail(1, 50.0, 1.0)), &cut(tail(2, 53.0, 0.7)), &detailed());
        let ttft = latency(&decision, "ttft");
        let at = |p: f64| {
            let found = ttft.shift.iter().find(|point| (point.quantile.get() - p).abs() < 1e-9);
            found.and_then(|point| point.relative).expect("a percentile")
        };
        let ((middle, of_middle), (far, of_far)) = (at(0.5), at(0.99));
        assert!((middle - 0.06).abs() < 0.01 && of_middle.low > 0.0, "{runs}: {middle} {of_middle:?}");
        assert!(far < -0.2 && of_far.high < 0.0, "{runs}: {far} {of_far:?}");
        assert_eq!((ttft.shift.len(), ttft.shift_note.as_str()), (20, ""));
        // Nothing moved here, and the bands hold for all percentiles at once.
        let tpot = latency(&decision, "tpot");
        assert!(tpot.shift.iter().all(|p| p.difference.1.contains(0.0)), "{runs}: {:?}", tpot.shift);
    }
}

#[test]
fn percentiles_that_the_data_cannot_support_are_left_out_and_said() {
    let few = |seed| Truth { runs: 1, requests: 120, ..quiet(seed) }.sheet();
    let decision = decide(&few(1), &few(2), &detailed());
    let ttft = latency(&decision, "ttft");
    assert!(ttft.shift.len() < 20 && !ttft.shift.is_empty(), "{}", ttft.shift.len());
    assert!(ttft.shift_note.contains("left out"), "{}", ttft.shift_note);
    let fewer = |seed| Truth { runs: 1, requests: 4, ..quiet(seed) }.sheet();
    let decision = decide(&fewer(1), &fewer(2), &detailed());
    let ttft = latency(&decision, "ttft");
    assert!(ttft.shift.is_empty() && ttft.shift_note.starts_with("too few"), "{}", ttft.shift_note);
    assert_eq!((ttft.curves.0.len(), ttft.curves.1.len()), (4, 4), "what was seen can be drawn all the same");
    assert!(decide(&fewer(1), &fewer(2), &Settings::default()).groups[0].detail.is_none());
}

#[test]
fn the_prompt_that_suffers_is_named_and_the_others_are_counted() {
    let base = sheet_of(quiet(1), |_| {});
    let new = sheet_of(quiet(2), |row| {
        let factor = match row.item.as_str() {
            "item-17" => 3.0,
            "item-33" => 2.0,
            item if item.ends_with('4') => 0.5,
            _ => 1.0,
        };
        row.ttft_ms = row.ttft_ms.map(|ms| ms * factor);
    });
    let decision = decide(&base, &new, &detailed());
    let prompts = &latency(&decision, "ttft").prompts;
    assert_eq!((prompts.pairs, prompts.why_none.as_str()), (400, ""));
    let worst: Vec<&str> = prompts.worst.iter().take(2).map(|p| p.item.as_str()).collect();
    assert_eq!(worst, ["item-17", "item-33"]);
    assert!((prompts.worst[0].new / prompts.worst[0].base - 1.0 - prompts.worst[0].change).abs() < 1e-12);
    assert!((prompts.worst[0].change - 2.0).abs() < 1.0, "{:?}", prompts.worst[0]);
    // 40 items end in 4. Slow ones of one in twenty chance, averaged over five runs, move some others as well.
    assert!(prompts.faster >= 40 && prompts.slower >= 2, "{} {}", prompts.faster, prompts.slower);
    assert!((prompts.change).abs() < 0.05 && prompts.interval.is_some(), "{}", prompts.change);
    // Without names it is still counted.
    let nameless = decide(&quiet(1).sheet(), &quiet(2).sheet(), &detailed());
    assert!(latency(&nameless, "ttft").prompts.worst.iter().all(|p| p.item.is_empty()));
    let foreign = Settings { foreign: true, ..detailed() };
    assert!(latency(&decide(&base, &new, &foreign), "ttft").prompts.why_none.contains("no names"));
}

#[test]
fn at_a_saturated_load_latencies_are_missing_and_rates_are_compared() {
    let base = quiet(1).sheet();
    let mut new = Truth { ttft_ms: 500.0, tpot_ms: 11.0, ..quiet(2) }.sheet();
    new.groups[0].runs[3].summary.steady.verdict = Steadiness::Saturated;
    new.groups[0].runs[3].summary.steady.why = "the backlog grew".into();
    let decision = decide(&base, &new, &detailed());
    for metric in ["ttft_p50", "ttft_p99", "tpot_p50", "e2e_p50"] {
        let row = row(&decision, metric);
        assert!(matches!(&row.word, Word::Missing(why) if why.contains("saturated")), "{metric}: {row:?}");
        assert!(!row.gates && row.change.is_none(), "{metric}: {row:?}");
    }
    assert_eq!(row(&decision, "out_tok_s").word, Word::Regressed, "{:?}", row(&decision, "out_tok_s"));
    assert!(decision.health.iter().any(|h| h.contains("1 of 5 runs saturated: the backlog grew")));
    let ttft = latency(&decision, "ttft");
    assert!(ttft.shift.is_empty() && ttft.curves.0.is_empty() && ttft.shift_note.contains("saturated"));
    assert!(ttft.prompts.pairs == 0 && ttft.prompts.why_none.contains("saturated"));
}

#[test]
fn strict_margins_ask_for_the_whole_interval() {
    let strict = Settings { strict_margin: true, ..Settings::default() };
    let noisy = |tpot_ms, seed| Truth { tpot_ms, between: 0.004, ..quiet(seed) }.sheet();
    let (mut plain_only, mut both) = (0, 0);
    for pair in 0..12 {
        let (base, new) = (noisy(10.0, 2 * pair + 1), noisy(10.26, 2 * pair + 2));
        let plain = row(&decide(&base, &new, &Settings::default()), "tpot_p50").clone();
        let held = row(&decide(&base, &new, &strict), "tpot_p50").clone();
        assert_eq!(plain.change, held.change);
        let (low, _) = held.change.and_then(|c| c.interval).expect("an interval");
        assert_eq!(held.word == Word::Regressed, low > 0.02 && plain.word == Word::Regressed, "{held:?}");
        plain_only += u32::from(plain.word == Word::Regressed && held.word != Word::Regressed);
        both += u32::from(held.word == Word::Regressed);
    }
    assert!(plain_only > 0 && both > 0, "{plain_only} {both}");
    let one = |tpot_ms, seed| Truth { runs: 1, requests: 1500, tpot_ms, ..quiet(seed) }.sheet();
    let (base, new) = (one(10.0, 1), one(11.0, 2));
    assert_eq!(row(&decide(&base, &new, &strict), "tpot_p50").word, Word::IndicativeWorse);
    assert!(decide(&base, &new, &strict).notes.iter().any(|n| n.starts_with("strict margins")));
}

/// Sixty tokens in events of so many, each as long apart as `gap_ms` says.
fn with_events(truth: Truth, tokens: u32, gap_ms: f64) -> Sheet {
    let mut gatherer = Gatherer::new(Options::default(), Vec::new());
    let mut random = Random::new(truth.seed);
    truth.rows(|row| {
        let count = (60 / tokens) as usize;
        let first = row.t_first_ns.map_or(0, benchhost_model::Nanos::get);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "milliseconds")]
        let gap = (gap_ms * 1e6 * (1.0 + 0.01 * random.share())) as u64;
        let at: Vec<u64> = std::iter::once(first).chain(std::iter::repeat_n(gap, count - 1)).collect();
        gatherer.push_with_events(row, EventTimes { at: &at, tokens: &vec![tokens; count], censored: &[] });
    });
    gatherer.finish(&mut |_, _| GpuFigures::default())
}

#[test]
fn gaps_between_events_are_compared_where_both_sides_have_them() {
    let has = |d: &Decision, metric: &str| d.groups[0].rows.iter().any(|r| r.metric == metric);
    let single = decide(&with_events(quiet(1), 1, 10.0), &with_events(quiet(2), 1, 10.5), &detailed());
    let p50 = row(&single, "itl_p50");
    assert_eq!((p50.word.clone(), p50.gates), (Word::Regressed, false), "{p50:?}");
    assert!((p50.change.unwrap().estimate - 0.05).abs() < 0.005, "{p50:?}");
    assert_eq!(row(&single, "itl_p99").word, Word::Equivalent);
    assert!(!has(&single, "icl_p50"), "a token an event: gaps say nothing more");
    let detail = single.groups[0].detail.as_ref().unwrap();
    assert!(!detail.gaps.0.is_empty() && !detail.gaps.1.is_empty());
    // Three tokens an event: the same time for a token, three times the gap.
    let chunked = decide(&with_events(quiet(1), 1, 10.0), &with_events(quiet(2), 3, 30.0), &detailed());
    assert_eq!(row(&chunked, "itl_p50").word, Word::Equivalent, "{:?}", row(&chunked, "itl_p50"));
    let gap = row(&chunked, "icl_p50");
    assert!((gap.change.unwrap().estimate - 2.0).abs() < 0.05 && gap.word == Word::Regressed, "{gap:?}");
    let lone = decide(&with_events(quiet(1), 1, 10.0), &quiet(2).sheet(), &detailed());
    assert!(matches!(&row(&lone, "itl_p50").word, Word::Missing(why) if why.contains("5 of 5 new runs")));
    assert!(lone.groups[0].detail.as_ref().unwrap().gaps.0.is_empty());
    let none = decide(&quiet(1).sheet(), &quiet(2).sheet(), &detailed());
    assert!(!has(&none, "itl_p50") && !has(&none, "icl_p99"));
    let one = |seed| with_events(Truth { runs: 1, ..quiet(seed) }, 1, 10.0);
    let one = decide(&one(1), &one(2), &detailed());
    assert!(row(&one, "itl_p50").note.contains("no interval"), "{:?}", row(&one, "itl_p50"));
}

#[test]
fn the_longest_gap_of_each_request_is_compared() {
    let stalled = |seed, ms: f64| {
        let mut random = Random::new(seed + 99);
        sheet_of(quiet(seed), move |row| row.icl_max_ms = Some(ms * (1.0 + 0.1 * random.share())))
    };
    let decision = decide(&stalled(1, 20.0), &stalled(2, 40.0), &Settings::default());
    for metric in ["icl_max_p50", "icl_max_p99"] {
        let row = row(&decision, metric);
        assert!(row.word == Word::Regressed && !row.gates, "{row:?}");
        assert!((row.change.unwrap().estimate - 1.0).abs() < 0.02, "{row:?}");
    }
}

#[test]
fn results_put_together_are_repeats_and_a_copy_is_refused() {
    let one = |seed: u64, tpot_ms: f64| Truth { runs: 1, tpot_ms, ..quiet(seed) }.sheet();
    let side_of = |seeds: std::ops::Range<u64>, tpot_ms: f64| {
        Sheet::together(seeds.map(|seed| one(seed, tpot_ms)).collect()).expect("other runs")
    };
    let (base, new) = (side_of(1..6, 10.0), side_of(11..16, 10.5));
    assert_eq!((base.groups.len(), base.groups[0].runs.len()), (1, 5));
    let decision = decide(&base, &new, &Settings::default());
    assert_eq!((decision.runs, row(&decision, "tpot_p50").word.clone()), ((5, 5), Word::Regressed));
    assert!(decision.regressed());
    let refused = Sheet::together(vec![one(1, 10.0), one(2, 10.0), one(1, 10.0)]).unwrap_err();
    assert!(refused.message.contains("`run-1` is in one side twice"), "{refused:?}");
}

#[test]
fn equal_work_is_rarely_called_different_and_other_work_always() {
    // Right or wrong by chance, five runs a side; without latencies, which cost time and say nothing here.
    let sampled = |right, seed| {
        let truth = Truth { right, between: 0.005, requests: 200, seed, ..Truth::default() };
        sheet_of(truth, |row| {
            (row.ttft_ms, row.ttft_sched_ms, row.tpot_ms) = (None, None, None);
            (row.itl_mean_ms, row.e2e_ms) = (None, None);
        })
    };
    let mut said = 0;
    for pair in 0..400 {
        let (base, new) = (sampled(0.8, 2 * pair + 1), sampled(0.8, 2 * pair + 2));
        let decision = decide(&base, &new, &Settings::default());
        said += usize::from(!decision.work.is_empty());
        assert_eq!(decision.sentence.starts_with("The sides did different work."), !decision.work.is_empty());
    }
    assert!(said <= 6, "{said} of 400 pairs");
    for pair in 0..10 {
        let (base, new) = (sampled(0.8, 2 * pair + 1), sampled(0.6, 2 * pair + 2));
        let decision = decide(&base, &new, &Settings::default());
        assert!(decision.work.iter().any(|w| w.contains("score_exact is worse")), "{:?}", decision.work);
    }
}

#[test]
fn lengths_that_chance_may_have_made_are_told_further_down() {
    let lengths = |seed: u64, mean: f64, sd: f64| {
        let mut random = Random::new(seed + 7);
        sheet_of(Truth { runs: 1, requests: 200, ..quiet(seed) }, move |row| {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few dozen tokens")]
            let tokens = (mean + sd * random.normal()).round().max(1.0) as u32;
            row.output_tokens = row.output_tokens.map(|_| tokens);
        })
    };
    let (mut above, mut below) = (0, 0);
    for pair in 0..40 {
        let decision = decide(
            &lengths(2 * pair + 1, 100.0, 30.0),
            &lengths(2 * pair + 2, 100.0, 30.0),
            &Settings::default(),
        );
        above += usize::from(!decision.work.is_empty());
        below += usize::from(decision.health.iter().any(|h| h.starts_with("not shown to be the same work")));
    }
    assert!(above <= 1 && below > 10, "{above} {below}");
    let decision = decide(&lengths(1, 100.0, 30.0), &lengths(2, 80.0, 30.0), &Settings::default());
    assert!(decision.work[0].contains("answers of the new side are") && decision.work[0].contains("shorter"));
}

#[test]
fn a_score_that_should_be_low_is_worse_when_it_rises() {
    let settings =
        Settings { directions: BTreeMap::from([("exact".to_owned(), false)]), ..Settings::default() };
    let with = |right, seed| Truth { right, ..quiet(seed) }.sheet();
    let decision = decide(&with(0.2, 1), &with(0.6, 2), &settings);
    assert_eq!(row(&decision, "score_exact").word, Word::Regressed);
    assert!(decision.work[0].contains("score_exact is worse"), "{:?}", decision.work);
    let decision = decide(&with(0.6, 1), &with(0.2, 2), &settings);
    assert_eq!(row(&decision, "score_exact").word, Word::Improved);
    assert!(decision.work[0].contains("score_exact is better"), "{:?}", decision.work);
}
