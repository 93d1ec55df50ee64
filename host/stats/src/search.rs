//! The search for the highest rate that meets the objectives, as a machine that only says what to measure next.
//!
//! Knows rates and what a probe at each said. Measuring, cooling down and warming up are the caller's.

use crate::attainment::Decision;
use crate::interval::OutOfRange;
use crate::isotonic::isotonic_falling;

/// Bracketing doubles or halves the rate.
const STRIDE: f64 = 2.0;
/// Bisection ends where the gap on each side of the edge is below this ratio.
const CLOSE_ENOUGH: f64 = 1.05;
/// Rates below the first one divided by this are not tried.
const DEEPEST: f64 = 1024.0;
/// Probes after which the search gives what it has. Bracket, bisection and re-probes take about 15.
const MOST_PROBES: usize = 60;
/// Rates are the same if they differ by less than this fraction.
const SAME: f64 = 1e-9;

/// What a probe at one rate said.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ProbeOutcome {
    /// Whether the objectives were met.
    pub decision: Decision,
    /// Share of good requests minus the target; the worst one of several objectives.
    pub margin: f64,
    /// Independent requests behind the margin; its weight in the fit.
    pub effective: usize,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Step {
    /// Measure at this rate, per second, until the probe decides or reaches its cap.
    Probe(f64),
    /// Measure afresh and longer at this rate: an edge of the answer.
    Confirm(f64),
    /// The search is over.
    Done(RateInterval),
}

/// The answer: between these two rates lies the highest one that meets the objectives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateInterval {
    /// Highest rate that passed with no failure at or below it; `None` if none passed down to the lowest rate tried.
    pub pass: Option<f64>,
    /// Lowest rate that failed; `None` if none failed up to the highest rate allowed.
    pub fail: Option<f64>,
    /// Whether a confirming run at `pass` passed.
    pub confirmed: bool,
    /// False if a rate above a failing one passed, even when both were probed again: a cliff, or noise.
    pub monotone: bool,
    /// Where the falling fit through all margins (see [`isotonic_falling`]) crosses 0, inside the interval; a
    /// description, not a bound.
    pub fitted: Option<f64>,
    /// Probes and confirming runs made.
    pub runs: usize,
}

#[derive(Debug, Clone, Copy)]
struct Point {
    rate: f64,
    outcome: ProbeOutcome,
    probed: u32,
    confirmed: bool,
}

/// A search in the logarithm of the rate: double until a rate fails, bisect until the passing and the failing edge are
/// within 5 % of the next rate measured, probe again what contradicts a falling curve, then confirm both edges. A
/// confirming run that contradicts its probe replaces it and the search goes on.
///
/// ```
/// use benchhost_stats::{Decision, ProbeOutcome, RateSearch, Step};
///
/// let mut search = RateSearch::new(1.0, 1000.0)?;
/// let answer = loop {
///     match search.next() {
///         Step::Probe(rate) | Step::Confirm(rate) => {
///             let decision = if rate <= 37.0 { Decision::Pass } else { Decision::Fail };
///             search.tell(rate, ProbeOutcome { decision, margin: (37.0 - rate) / 37.0, effective: 100 });
///         }
///         Step::Done(answer) => break answer,
///     }
/// };
/// assert!(answer.pass.unwrap() <= 37.0 && 37.0 < answer.fail.unwrap() && answer.confirmed);
/// assert!(answer.fail.unwrap() / answer.pass.unwrap() < 1.05);
/// # Ok::<(), benchhost_stats::OutOfRange>(())
/// ```
#[derive(Debug, Clone)]
pub struct RateSearch {
    from: f64,
    highest: f64,
    /// In ascending order of rate.
    points: Vec<Point>,
    runs: usize,
}

impl RateSearch {
    /// Begins at the rate `from` and never goes above `highest`, both per second and above 0.
    pub fn new(from: f64, highest: f64) -> Result<Self, OutOfRange> {
        if !(from > 0.0 && from.is_finite()) {
            return Err(OutOfRange { what: "first rate", value: from, allowed: "above 0 and finite" });
        }
        if !(highest >= from && highest.is_finite()) {
            return Err(OutOfRange {
                what: "highest rate",
                value: highest,
                allowed: "not below the first rate",
            });
        }
        Ok(Self { from, highest, points: Vec::new(), runs: 0 })
    }

    /// What to measure next. Asking twice gives the same answer.
    pub fn next(&self) -> Step {
        if self.runs >= MOST_PROBES {
            return Step::Done(self.answer());
        }
        if let Some(step) = self.contradiction().or_else(|| self.bracket()).or_else(|| self.bisection()) {
            return Step::Probe(step);
        }
        self.confirmation().map_or_else(|| Step::Done(self.answer()), Step::Confirm)
    }

    /// Takes the outcome of a probe or a confirming run, whichever [`RateSearch::next`] asked for. A rate that was not
    /// asked for counts as a probe; one that is not above 0 and finite is ignored.
    pub fn tell(&mut self, rate: f64, outcome: ProbeOutcome) {
        if !(rate > 0.0 && rate.is_finite()) {
            return;
        }
        let confirming = matches!(self.next(), Step::Confirm(asked) if same(asked, rate));
        self.runs += 1;
        if let Some(point) = self.points.iter_mut().find(|point| same(point.rate, rate)) {
            point.probed += 1;
            if confirming {
                // The longer run has the say.
                point.confirmed = true;
                point.outcome = outcome;
            } else {
                point.outcome = together(point.outcome, outcome);
            }
            return;
        }
        let place = self.points.partition_point(|point| point.rate < rate);
        self.points.insert(place, Point { rate, outcome, probed: 1, confirmed: false });
    }

    /// A rate to probe again: a pass above a failure, the one with fewer requests behind it first.
    fn contradiction(&self) -> Option<f64> {
        let fails = self.points.iter().position(|point| point.is(Decision::Fail))?;
        let passes = self.points.iter().rposition(|point| point.is(Decision::Pass))?;
        if passes < fails {
            return None;
        }
        let pair = [&self.points[fails], &self.points[passes]];
        let again = pair.into_iter().filter(|point| point.probed < 2 && !point.confirmed);
        again.min_by_key(|point| point.outcome.effective).map(|point| point.rate)
    }

    /// A rate outside of those tried, while the edge is not between two of them.
    fn bracket(&self) -> Option<f64> {
        let (Some(first), Some(last)) = (self.points.first(), self.points.last()) else {
            return Some(self.from);
        };
        let (pass, fail) = self.edges();
        if pass.is_none() && fail.is_some() {
            // A lower rate has fewer requests in its time. Where the lowest was undecided, one below it is no better off.
            let lower = first.rate / STRIDE;
            return (first.is(Decision::Fail) && lower >= self.from / DEEPEST).then_some(lower);
        }
        // Upwards also while nothing is decided: a higher rate has more requests to decide on.
        let at_the_top = same(last.rate, self.highest);
        (fail.is_none() && !at_the_top).then(|| (last.rate * STRIDE).min(self.highest))
    }

    /// The middle of a gap beside an edge that is still too wide.
    fn bisection(&self) -> Option<f64> {
        let (pass, fail) = self.edges();
        let beside_pass = pass.and_then(|at| Some((at, at + 1)).filter(|gap| gap.1 < self.points.len()));
        let beside_fail = fail.and_then(|at| at.checked_sub(1).map(|below| (below, at)));
        // Without a pass or a failure the bracket has ended at its limit and there is no edge on that side.
        let gaps = if pass.is_some() && fail.is_some() { [beside_pass, beside_fail] } else { [None, None] };
        gaps.into_iter().flatten().find_map(|(below, above)| {
            let (low, high) = (self.points[below].rate, self.points[above].rate);
            (high / low >= CLOSE_ENOUGH).then(|| (low * high).sqrt())
        })
    }

    /// An edge that has no confirming run yet.
    fn confirmation(&self) -> Option<f64> {
        let (pass, fail) = self.edges();
        [pass, fail].into_iter().flatten().map(|at| self.points[at]).find(|p| !p.confirmed).map(|p| p.rate)
    }

    /// Positions of the highest pass below every failure, and of the lowest failure.
    fn edges(&self) -> (Option<usize>, Option<usize>) {
        let fail = self.points.iter().position(|point| point.is(Decision::Fail));
        let below = &self.points[..fail.unwrap_or(self.points.len())];
        (below.iter().rposition(|point| point.is(Decision::Pass)), fail)
    }

    fn answer(&self) -> RateInterval {
        let (pass, fail) = self.edges();
        let highest_pass = self.points.iter().rposition(|point| point.is(Decision::Pass));
        RateInterval {
            pass: pass.map(|at| self.points[at].rate),
            fail: fail.map(|at| self.points[at].rate),
            confirmed: pass.is_some_and(|at| self.points[at].confirmed),
            monotone: highest_pass == pass,
            fitted: pass.zip(fail).and_then(|(pass, fail)| self.crossing(pass, fail)),
            runs: self.runs,
        }
    }

    /// Where the falling fit crosses 0, by a line in the logarithm of the rate, kept between the two edges.
    fn crossing(&self, pass: usize, fail: usize) -> Option<f64> {
        let margins: Vec<(f64, f64)> =
            self.points.iter().map(|p| (p.outcome.margin, p.outcome.effective as f64)).collect();
        let fit = isotonic_falling(&margins);
        let above = fit.iter().position(|&margin| margin < 0.0)?;
        let below = above.checked_sub(1)?;
        let (low, high) = (self.points[below].rate.ln(), self.points[above].rate.ln());
        let share = fit[below] / (fit[below] - fit[above]);
        let at = (low + share * (high - low)).exp();
        at.is_finite().then(|| at.clamp(self.points[pass].rate, self.points[fail].rate))
    }
}

impl Point {
    fn is(&self, decision: Decision) -> bool {
        self.outcome.decision == decision
    }
}

/// Two probes of one rate: what they agree on stands, what they do not is undecided.
fn together(left: ProbeOutcome, right: ProbeOutcome) -> ProbeOutcome {
    let effective = left.effective.saturating_add(right.effective);
    let share = if effective == 0 { 0.5 } else { right.effective as f64 / effective as f64 };
    ProbeOutcome {
        decision: if left.decision == right.decision { left.decision } else { Decision::Undecided },
        margin: left.margin + share * (right.margin - left.margin),
        effective,
    }
}

fn same(left: f64, right: f64) -> bool {
    (left - right).abs() <= SAME * left.abs().max(right.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(decision: Decision, margin: f64) -> ProbeOutcome {
        ProbeOutcome { decision, margin, effective: 100 }
    }

    /// Runs a search against a rule and returns the answer with all steps.
    fn run(mut search: RateSearch, mut server: impl FnMut(f64) -> Decision) -> (RateInterval, Vec<Step>) {
        let mut steps = Vec::new();
        loop {
            let step = search.next();
            steps.push(step);
            match step {
                Step::Probe(rate) | Step::Confirm(rate) => {
                    search.tell(rate, outcome(server(rate), 50.0 - rate));
                }
                Step::Done(answer) => return (answer, steps),
            }
        }
    }

    fn sharp(capacity: f64) -> impl FnMut(f64) -> Decision {
        move |rate| if rate <= capacity { Decision::Pass } else { Decision::Fail }
    }

    #[test]
    fn any_capacity_is_bracketed_within_five_percent_in_few_runs() {
        for capacity in [0.003, 0.5, 1.0, 1.01, 7.3, 100.0, 999.0] {
            let (answer, steps) = run(RateSearch::new(1.0, 1e6).unwrap(), sharp(capacity));
            let (pass, fail) = (answer.pass.unwrap(), answer.fail.unwrap());
            assert!(pass <= capacity && capacity < fail && fail / pass < 1.05, "{capacity}: {answer:?}");
            assert!(answer.confirmed && answer.monotone && steps.len() < 25, "{capacity}: {}", steps.len());
            let confirms: Vec<_> = steps.iter().filter(|step| matches!(step, Step::Confirm(_))).collect();
            assert_eq!(confirms, [&Step::Confirm(pass), &Step::Confirm(fail)]);
        }
    }

    #[test]
    fn limits_leave_the_interval_open() {
        let (all_pass, _) = run(RateSearch::new(1.0, 10.0).unwrap(), |_| Decision::Pass);
        assert_eq!((all_pass.pass, all_pass.fail, all_pass.confirmed), (Some(10.0), None, true));
        let (none, _) = run(RateSearch::new(1.0, 10.0).unwrap(), |_| Decision::Fail);
        assert_eq!((none.pass, none.confirmed), (None, false));
        assert!(none.fail.unwrap() < 0.001);
        let (grey, steps) = run(RateSearch::new(1.0, 10.0).unwrap(), |_| Decision::Undecided);
        assert_eq!((grey.pass, grey.fail), (None, None));
        assert!(steps.len() < 20);
    }

    #[test]
    fn rates_too_low_to_decide_lead_upwards_and_never_down() {
        // Below 5 a second a probe has too few requests.
        let dim = |capacity: f64| {
            move |rate: f64| if rate < 5.0 { Decision::Undecided } else { sharp(capacity)(rate) }
        };
        let (answer, steps) = run(RateSearch::new(1.0, 1e4).unwrap(), dim(37.0));
        assert!(
            answer.pass.unwrap() <= 37.0 && answer.fail.unwrap() > 37.0 && answer.confirmed,
            "{answer:?}"
        );
        assert!(steps.iter().all(|step| !matches!(step, Step::Probe(rate) if *rate < 1.0)));
        let (answer, steps) = run(RateSearch::new(1.0, 1e4).unwrap(), dim(0.1));
        assert_eq!(answer.pass, None);
        assert!(answer.fail.is_some() && steps.len() < 10, "{steps:?}");
    }

    #[test]
    fn a_grey_zone_stays_inside_the_interval() {
        let (answer, _) = run(RateSearch::new(1.0, 1e4).unwrap(), |rate| match rate {
            r if r < 40.0 => Decision::Pass,
            r if r > 60.0 => Decision::Fail,
            _ => Decision::Undecided,
        });
        let (pass, fail) = (answer.pass.unwrap(), answer.fail.unwrap());
        assert!((38.0..40.0).contains(&pass) && (60.0..63.1).contains(&fail), "{answer:?}");
        assert!((answer.fitted.unwrap() - 50.0).abs() < 5.0, "{answer:?}");
    }

    #[test]
    fn a_probe_that_failed_by_chance_is_made_again() {
        let mut bad_luck = true;
        let (answer, steps) = run(RateSearch::new(1.0, 1e4).unwrap(), |rate| {
            if rate > 3.0 && bad_luck {
                bad_luck = false;
                return Decision::Fail;
            }
            sharp(50.0)(rate)
        });
        // 4 failed once; confirming it as the failing edge shows that it passes.
        assert!(answer.pass.unwrap() <= 50.0 && answer.fail.unwrap() > 50.0, "{answer:?}");
        assert!(steps.len() < 35);
    }

    #[test]
    fn a_cliff_with_a_pass_behind_it_is_said() {
        let mut search = RateSearch::new(10.0, 40.0).unwrap();
        search.tell(10.0, outcome(Decision::Pass, 0.01));
        search.tell(20.0, outcome(Decision::Fail, -0.2));
        search.tell(40.0, outcome(Decision::Pass, 0.01));
        assert!(matches!(search.next(), Step::Probe(rate) if rate > 15.0), "one of the pair is probed again");
        let hole = |rate: f64| if (18.0..25.0).contains(&rate) { Decision::Fail } else { Decision::Pass };
        let (answer, _) = run(search, hole);
        assert!(!answer.monotone && answer.pass.unwrap() < 18.0 && answer.fail.unwrap() < 20.0, "{answer:?}");
    }

    #[test]
    fn any_answers_end_the_search() {
        // Answers without any sense, from a small congruential generator.
        for seed in 0..200_u32 {
            let mut state = seed;
            let (answer, steps) = run(RateSearch::new(1.0, 100.0).unwrap(), |_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                [Decision::Pass, Decision::Fail, Decision::Undecided][(state >> 16) as usize % 3]
            });
            assert!(steps.len() <= MOST_PROBES + 1);
            if let (Some(pass), Some(fail)) = (answer.pass, answer.fail) {
                assert!(pass < fail);
            }
        }
    }

    #[test]
    fn refuses_impossible_rates_and_ignores_impossible_answers() {
        for (from, highest) in [(0.0, 1.0), (-1.0, 1.0), (f64::NAN, 1.0), (2.0, 1.0), (1.0, f64::INFINITY)] {
            assert!(RateSearch::new(from, highest).is_err());
        }
        let mut search = RateSearch::new(1.0, 10.0).unwrap();
        search.tell(f64::NAN, outcome(Decision::Pass, 0.0));
        assert_eq!(search.next(), Step::Probe(1.0));
    }
}
