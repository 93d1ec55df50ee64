//! A real pair of results, compared here and by scipy: change, Welch's interval, permutation p and Holm's correction agree.
//! `measured/make.py` made `measured/expected.json`.

use std::path::Path;

use benchhost_analysis::{GpuFigures, Options};
use benchhost_compare::{Gatherer, Settings, Sheet, Side, compare};
use benchhost_store::RequestsReader;
use serde_json::Value;

/// Largest deviation from scipy, relative to the interval's width or to 1 for probabilities.
const TOLERANCE: f64 = 1e-9;
const FIGURES: [&str; 4] = ["ttft_p50", "tpot_p50", "e2e_p50", "error_rate"];

fn read(name: &str) -> Sheet {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/measured").join(name);
    let mut gatherer = Gatherer::new(Options::default(), Vec::new());
    for record in RequestsReader::open(&path).unwrap() {
        gatherer.push(&record.unwrap());
    }
    gatherer.finish(&mut |_, _| GpuFigures::default())
}

#[test]
#[expect(clippy::print_stdout, reason = "the largest deviation is worth seeing")]
fn a_measured_pair_is_compared_as_scipy_compares_it() {
    let (base, new) = (read("base.csv"), read("new.csv"));
    let settings = Settings { gates: FIGURES.map(str::to_owned).to_vec(), ..Settings::default() };
    let config = base.groups[0].config.clone();
    let side = |sheet| Side { sheet, config: config.clone(), facts: &[] };
    let decision = compare(&side(&base), &side(&new), &settings).unwrap();
    let expected: Value = serde_json::from_str(include_str!("measured/expected.json")).unwrap();
    let mut worst = 0.0_f64;
    for figure in FIGURES {
        let row = decision.groups[0].rows.iter().find(|row| row.metric == figure).unwrap();
        let want = &expected[figure];
        let number = |value: &Value| value.as_f64().unwrap();
        let change = row.change.unwrap();
        let (low, high) = change.interval.unwrap();
        let (want_low, want_high) = (number(&want["interval"][0]), number(&want["interval"][1]));
        let width = want_high - want_low;
        let off = [
            (change.estimate - number(&want["change"])) / width,
            (low - want_low) / width,
            (high - want_high) / width,
            row.p.unwrap() - number(&want["p"]),
            row.adjusted.unwrap() - number(&want["adjusted"]),
        ];
        let largest = off.into_iter().map(f64::abs).fold(0.0, f64::max);
        assert!(largest <= TOLERANCE, "{figure}: {off:?}");
        worst = worst.max(largest);
    }
    println!("largest deviation from scipy: {worst:e}");
}
