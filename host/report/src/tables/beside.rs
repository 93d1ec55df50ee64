//! How far a figure may be off: over repeats the one farthest from their mean, of a single run the farther end of the
//! interval that came with it. Makes no interval of its own.

use benchhost_model::SummaryRow;

use super::summary::Figure;
use crate::numbers::beside;
use crate::series::Spread;

/// The ends of a figure's interval within a run.
pub(super) type Ends = fn(&SummaryRow) -> Option<[f64; 2]>;

/// What a figure's interval is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Basis {
    /// Several repeats.
    Repeats,
    /// The requests of one run.
    Run,
}

/// `±1.1`; `None` where nothing is known of it.
pub(super) fn off(figure: &Figure<'_>, repeats: &[&SummaryRow]) -> Option<String> {
    let (mean, half, _) = distance(figure, repeats)?;
    beside(mean, half)
}

/// What it would be made of.
pub(super) fn basis(figure: &Figure<'_>, repeats: &[&SummaryRow]) -> Option<Basis> {
    distance(figure, repeats).map(|(.., basis)| basis)
}

/// Mean of the repeats, how far it may be off, and by what.
fn distance(figure: &Figure<'_>, repeats: &[&SummaryRow]) -> Option<(f64, f64, Basis)> {
    let having: Vec<&SummaryRow> =
        repeats.iter().copied().filter(|r| (figure.pick)(r).is_some_and(f64::is_finite)).collect();
    let spread = Spread::of(having.iter().map(|r| (figure.pick)(r)))?;
    let farther = |[low, high]: [f64; 2]| (high - spread.mean).max(spread.mean - low);
    match having.as_slice() {
        [one] => Some((spread.mean, farther((figure.ends?)(one)?), Basis::Run)),
        // A bound of the program's own error has no spread worth a word.
        _ if figure.name == super::summary::HARNESS => None,
        _ => Some((spread.mean, farther([spread.low, spread.high]), Basis::Repeats)),
    }
}

#[cfg(test)]
mod tests {
    use benchhost_model::SummaryRow;

    use crate::fixtures::row;
    use crate::tables::{TableStyle, summary_table};

    fn with_interval() -> SummaryRow {
        let mut one = row("vllm", "fp16", 8);
        one.ttft.p50_ci = Some([34.0, 39.0]);
        one.ttft.p99_ci = Some([70.1, 120.3]);
        one.e2e.p50_ci = Some([480.0, 499.0]);
        one
    }

    #[test]
    fn one_run_has_the_farther_end_of_its_interval_below_each_percentile() {
        insta::assert_snapshot!(summary_table(&[with_interval()], TableStyle::Plain), @"
        vllm · fp16 · empathetic
                      requests                TTFT ms  TTFT ms  harness  TPOT ms  e2e ms
        concurrency  ok/failed  req/s  tok/s      p50      p99     ≤ ms      p50     p50
        ────────────────────────────────────────────────────────────────────────────────
                  8      100/0   16.3  1,043     36.0     79.2   0.0600     7.47     491
                                                 ±3.0    ±41.1                       ±11
        100 scheduled: 100 completed
        harness error ≤ TPOT 0.00400 ms · e2e 0.110 ms

        ±: of one run the farther end of the 95 % interval of its requests, if they
          support one.
        harness ≤: how far this program may have bent TTFT, at most.
        TTFT: send to first output · TPOT: time per later token · e2e: send to last
        ");
    }

    #[test]
    fn repeats_have_the_one_farthest_from_the_mean() {
        let mut slower = with_interval();
        slower.repeat = 2;
        slower.req_s = slower.req_s.map(|r| r + 1.0);
        slower.ttft.p50 = Some(40.0);
        let text = summary_table(&[with_interval(), slower], TableStyle::Markdown);
        let line = text.lines().find(|l| l.starts_with("|           8 |")).unwrap();
        assert!(line.contains(" 16.8 ±0.5 |") && line.contains(" 38.0 ±2.0 |"), "{text}");
        assert!(line.contains(" 0.0600 |"), "a bound has no spread: {text}");
        assert!(text.contains("±: of repeats the one farthest from their mean."));
    }
}
