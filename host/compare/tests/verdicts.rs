//! Every verdict from rows of known truth, on both sides of its limit.

mod synthetic;

use benchhost_compare::{
    Allowed, Aspect, Decision, Fact, MarginWish, Margins, Row, Settings, Sheet, Side, Word, compare,
};
use synthetic::Truth;

fn side(sheet: &Sheet) -> Side<'_> {
    Side { sheet, config: sheet.groups[0].config.clone(), facts: &[] }
}

fn decide(base: Truth, new: Truth, settings: &Settings) -> Decision {
    let (base, new) = (base.sheet(), new.sheet());
    compare(&side(&base), &side(&new), settings).expect("comparable")
}

fn row<'a>(decision: &'a Decision, metric: &str) -> &'a Row {
    decision.groups[0].rows.iter().find(|r| r.metric == metric).expect("a row")
}

/// Little noise, so that the truth decides.
fn quiet(seed: u64) -> Truth {
    Truth { between: 0.0005, inside: 0.01, neighbours: 0.0, seed, ..Truth::default() }
}

fn margins(list: &[&str]) -> Margins {
    Margins::new(list.iter().map(|m| m.parse::<MarginWish>().unwrap()).collect())
}

#[test]
fn a_change_beyond_the_margin_is_a_regression_one_below_it_is_not() {
    let plain = Settings::default();
    for (tpot, word, regressed) in [
        (10.3, Word::Regressed, true),
        (10.1, Word::Equivalent, false),
        (9.7, Word::Improved, false),
        (10.0, Word::Equivalent, false),
    ] {
        let decision = decide(quiet(1), Truth { tpot_ms: tpot, ..quiet(2) }, &plain);
        assert_eq!(row(&decision, "tpot_p50").word, word, "{tpot}: {:?}", row(&decision, "tpot_p50"));
        assert_eq!(decision.regressed(), regressed, "{tpot}: {}", decision.sentence);
        assert!(!decision.open(), "{tpot}: {}", decision.sentence);
    }
}

#[test]
fn a_trade_is_told_from_both_ends() {
    let traded = Truth { tpot_ms: 10.5, ttft_ms: 0.8 * quiet(2).ttft_ms, ..quiet(2) };
    let decision = decide(quiet(1), traded, &Settings::default());
    let (worse, better) = decision.sentence.split_once(" It is better in 1: ").expect("both");
    assert!(worse.contains("tpot_p50 +5") && better.starts_with("ttft_p99 -"), "{}", decision.sentence);
}

#[test]
fn the_margin_given_decides() {
    let wide = Settings { margins: margins(&["5%"]), ..Settings::default() };
    let slower = Truth { tpot_ms: 10.3, ..quiet(2) };
    assert_eq!(row(&decide(quiet(1), slower, &wide), "tpot_p50").word, Word::Equivalent);
    let narrow = Settings { margins: margins(&["tpot_p50=0.5%"]), ..Settings::default() };
    let a_little = Truth { tpot_ms: 10.1, ..quiet(2) };
    assert_eq!(row(&decide(quiet(1), a_little, &narrow), "tpot_p50").word, Word::Regressed);
    let unknown = Settings { margins: margins(&["speed=1%"]), ..Settings::default() };
    let (a, b) = (quiet(1).sheet(), quiet(2).sheet());
    let refused = compare(&side(&a), &side(&b), &unknown).unwrap_err();
    assert!(refused.mistake && refused.hints[0].contains("tpot_p50"), "{refused:?}");
}

#[test]
fn drift_is_a_change_below_a_margin_that_its_interval_reaches() {
    // Between-run noise of 0.6 % makes the interval of a 1.6 % change reach 2 % but not 0.
    let noisy = |tpot_ms, seed| Truth { tpot_ms, between: 0.006, ..quiet(seed) };
    let words: Vec<Word> = (0..40)
        .map(|i| {
            row(&decide(noisy(10.0, 2 * i + 1), noisy(10.16, 2 * i + 2), &Settings::default()), "tpot_p50")
                .word
                .clone()
        })
        .collect();
    assert!(words.contains(&Word::Drift), "{words:?}");
    assert!(!words.contains(&Word::Improved), "{words:?}");
}

#[test]
fn noise_leaves_it_open_and_says_how_many_runs_would_decide() {
    let noisy = |seed| Truth { between: 0.1, ..quiet(seed) };
    let decisions: Vec<Decision> =
        (0..10).map(|i| decide(noisy(2 * i + 1), noisy(2 * i + 2), &Settings::default())).collect();
    let open: Vec<&Decision> =
        decisions.iter().filter(|d| row(d, "tpot_p50").word == Word::Inconclusive).collect();
    assert!(open.len() >= 9, "{} of 10", open.len());
    assert!(open.iter().all(|d| d.open() && !d.regressed() && d.sentence.starts_with("Not decided")));
    // Where chance put the change beyond the margin, Holm's p took the verdict away instead.
    let notes: Vec<&str> = open.iter().map(|d| row(d, "tpot_p50").note.as_str()).collect();
    let told = notes.iter().filter(|n| n.starts_with("about ") && n.ends_with("runs a side would decide"));
    assert!(told.count() >= 5 && notes.iter().all(|n| !n.is_empty()), "{notes:?}");
}

#[test]
fn four_runs_are_too_few_for_four_figures_and_five_are_enough() {
    let of = |runs| {
        let slower = Truth { tpot_ms: 10.5, runs, ..quiet(2) };
        decide(Truth { runs, ..quiet(1) }, slower, &Settings::default())
    };
    let (four, five) = (of(4), of(5));
    assert_eq!(row(&four, "tpot_p50").word, Word::Inconclusive);
    assert!(row(&four, "tpot_p50").note.contains("5 runs a side"), "{}", row(&four, "tpot_p50").note);
    assert_eq!(row(&five, "tpot_p50").word, Word::Regressed);
    let p = row(&five, "tpot_p50").p.unwrap();
    assert!((p - 2.0 / 252.0).abs() < 1e-12 && row(&five, "tpot_p50").adjusted.unwrap() < 0.05);
    // Alone it gates with four.
    let one = Settings { gates: vec!["tpot_p50".into()], ..Settings::default() };
    let slower = Truth { tpot_ms: 10.5, runs: 4, ..quiet(2) };
    assert!(decide(Truth { runs: 4, ..quiet(1) }, slower, &one).regressed());
}

#[test]
fn up_to_three_runs_indicate_at_most() {
    for runs in [1, 2, 3] {
        for (tpot, word) in
            [(10.5, Word::IndicativeWorse), (9.5, Word::IndicativeBetter), (10.0, Word::IndicativeSame)]
        {
            let new = Truth { tpot_ms: tpot, runs, ..quiet(2) };
            let decision = decide(Truth { runs, ..quiet(1) }, new, &Settings::default());
            assert_eq!(
                row(&decision, "tpot_p50").word,
                word,
                "{runs} {tpot}: {:?}",
                row(&decision, "tpot_p50")
            );
            assert!(!decision.regressed() && decision.open(), "{runs} {tpot}");
            assert!(decision.sentence.starts_with("Too few runs for a verdict"), "{}", decision.sentence);
        }
    }
    // Five against one is one.
    let decision = decide(quiet(1), Truth { runs: 1, tpot_ms: 10.5, ..quiet(2) }, &Settings::default());
    assert_eq!(row(&decision, "tpot_p50").word, Word::IndicativeWorse);
    assert!(!decision.regressed());
}

#[test]
fn one_run_a_side_has_intervals_for_percentiles_rates_and_errors() {
    let one = |tpot_ms, errors, seed| Truth { runs: 1, requests: 1500, tpot_ms, errors, ..quiet(seed) };
    let decision = decide(one(10.0, 0.0, 1), one(11.0, 0.03, 2), &Settings::default());
    for (metric, word) in [
        ("tpot_p50", Word::IndicativeWorse),
        ("tpot_p99", Word::IndicativeOpen),
        ("out_tok_s", Word::IndicativeWorse),
        ("error_rate", Word::IndicativeWorse),
    ] {
        let row = row(&decision, metric);
        assert!(row.change.unwrap().interval.is_some(), "{metric}: {row:?}");
        assert!(row.word == word || metric == "tpot_p99", "{metric}: {row:?}");
    }
}

#[test]
fn errors_are_judged_in_points() {
    let settings = Settings::default();
    let with = |errors, seed| Truth { errors, requests: 2000, ..quiet(seed) };
    let decision = decide(with(0.0, 1), with(0.02, 2), &settings);
    assert_eq!(row(&decision, "error_rate").word, Word::Regressed, "{:?}", row(&decision, "error_rate"));
    assert!(decision.health.iter().any(|h| h.contains("did not complete")));
    let none = decide(with(0.0, 1), with(0.0, 2), &settings);
    assert_eq!(row(&none, "error_rate").word, Word::Equivalent);
}

#[test]
fn other_work_is_said_above_everything() {
    for (output, said) in [(60, false), (59, true), (66, true)] {
        let decision = decide(quiet(1), Truth { output, ..quiet(2) }, &Settings::default());
        assert_eq!(!decision.work.is_empty(), said, "{output}: {:?}", decision.work);
        assert_eq!(
            decision.sentence.starts_with("The sides did different work."),
            said,
            "{}",
            decision.sentence
        );
    }
    let decision =
        decide(Truth { right: 0.9, ..quiet(1) }, Truth { right: 0.6, ..quiet(2) }, &Settings::default());
    assert!(decision.work.iter().any(|w| w.contains("score_exact is worse")), "{:?}", decision.work);
}

#[test]
fn a_score_has_the_direction_of_its_manifest() {
    let settings = Settings { directions: [("exact".to_owned(), false)].into(), ..Settings::default() };
    let decision = decide(Truth { right: 0.9, ..quiet(1) }, Truth { right: 0.6, ..quiet(2) }, &settings);
    assert_eq!(row(&decision, "score_exact").word, Word::Improved, "{:?}", row(&decision, "score_exact"));
    let usual =
        decide(Truth { right: 0.9, ..quiet(1) }, Truth { right: 0.6, ..quiet(2) }, &Settings::default());
    assert_eq!(row(&usual, "score_exact").word, Word::Regressed);
    assert!(!usual.regressed(), "a score does not gate unless it is named");
    let gated = Settings { gates: vec!["score_exact".into()], ..Settings::default() };
    assert!(decide(Truth { right: 0.9, ..quiet(1) }, Truth { right: 0.6, ..quiet(2) }, &gated).regressed());
}

#[test]
fn what_must_agree_is_refused_unless_it_is_meant() {
    let (base, new) = (quiet(1).sheet(), quiet(2).sheet());
    let fact =
        |value: &str| [Fact { aspect: Aspect::Sampling, name: "temperature".into(), value: value.into() }];
    let (cold, warm) = (fact("0"), fact("0.7"));
    let a = Side { facts: &cold, ..side(&base) };
    let b = Side { facts: &warm, ..side(&new) };
    let refused = compare(&a, &b, &Settings::default()).unwrap_err();
    assert!(!refused.mistake && refused.hints[0].contains("--allow sampling"), "{refused:?}");
    let allowed = Settings { allowed: Allowed::new(vec![Aspect::Sampling]), ..Settings::default() };
    let decision = compare(&a, &b, &allowed).unwrap();
    assert_eq!(decision.differences.len(), 1);
    assert!(decision.unchecked.is_empty());
    assert_eq!(compare(&side(&base), &side(&new), &allowed).unwrap().unchecked.len(), 2);
}

#[test]
fn runs_of_another_length_share_their_items() {
    let short = Truth { requests: 300, ..quiet(2) };
    let decision = decide(quiet(1), short, &Settings::default());
    assert!(decision.notes.iter().any(|n| n.contains("300 items in common")), "{:?}", decision.notes);
    assert_eq!(row(&decision, "tpot_p50").word, Word::Equivalent);
}

#[test]
fn a_tail_that_no_run_resolves_is_taken_over_runs_and_requests() {
    let short = |seed, tail| Truth { requests: 90, tail, ..quiet(seed) };
    let decision = decide(short(1, 1.0), short(2, 2.0), &Settings::default());
    let tail = row(&decision, "ttft_p99");
    assert_eq!(tail.basis, Some(benchhost_stats::Basis::RunsAndValues), "{tail:?}");
    assert!(!tail.gates && !tail.word.decided(), "{tail:?}");
    assert!(row(&decision, "ttft_p50").gates);
}

#[test]
fn interleaved_runs_are_paired_from_six_on() {
    // Everything slows down by a tenth from repeat to repeat; the new side is 3 % slower throughout.
    let side = |runs, tpot_ms, seed| Truth { runs, tpot_ms, drift: 0.1, run: "both", ..quiet(seed) };
    let settings = |interleaved| Settings { interleaved, ..Settings::default() };
    for (runs, interleaved, word) in
        [(6, true, Word::Regressed), (6, false, Word::Inconclusive), (5, true, Word::Inconclusive)]
    {
        let decision = decide(
            side(runs, 10.0, 1),
            side(runs, 10.3, 2),
            &Settings { gates: vec!["tpot_p50".into()], ..settings(interleaved) },
        );
        let tpot = row(&decision, "tpot_p50");
        assert_eq!(tpot.word, word, "{runs} {interleaved}: {tpot:?}");
        let paired = tpot.basis == Some(benchhost_stats::Basis::PairedBlocks);
        assert_eq!(paired, interleaved && runs >= 6, "{runs} {interleaved}");
    }
    // Other runs are no pairs, whatever is claimed.
    let alone = Truth { run: "", ..side(6, 10.3, 2) };
    let decision = decide(side(6, 10.0, 1), alone, &settings(true));
    assert_eq!(row(&decision, "tpot_p50").basis, Some(benchhost_stats::Basis::BetweenRuns));
}

#[test]
fn a_margin_below_the_harness_error_is_not_judged_but_a_large_change_is() {
    let late = |ns, ttft_ms, seed| Truth { lag_ns: Some(ns), ttft_ms, ..quiet(seed) };
    // Both programs together: 4 % and 6 % of 50 ms, around the margin of 5 %.
    for (ns, ttft, word) in [
        (1_000_000, 50.0, Word::Equivalent),
        (1_500_000, 50.0, Word::BelowResolution),
        (1_500_000, 60.0, Word::Regressed),
    ] {
        let decision = decide(late(ns, 50.0, 1), late(ns, ttft, 2), &Settings::default());
        let row = row(&decision, "ttft_p50");
        assert_eq!(row.word, word, "{ns} {ttft}: {row:?}");
        assert_eq!(row.note.contains("may have bent"), word == Word::BelowResolution);
    }
    let one = Truth { runs: 1, ..late(1_500_000, 50.0, 1) };
    let decision = decide(one, Truth { seed: 2, ..one }, &Settings::default());
    assert_eq!(row(&decision, "ttft_p50").word, Word::BelowResolution);
}

#[test]
fn results_without_a_load_in_common_say_what_they_have() {
    let base = quiet(1).sheet();
    let mut new = quiet(2).sheet();
    new.groups[0].workload = "others".into();
    let refused = compare(&side(&base), &side(&new), &Settings::default()).unwrap_err();
    assert!(refused.message.contains("in common") && refused.causes[1].contains("others"), "{refused:?}");
    let across = Settings { across_workloads: true, ..Settings::default() };
    assert!(compare(&side(&base), &side(&new), &across).is_ok());
}
