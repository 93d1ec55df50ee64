//! What a schedule turned out to be: its rate and how unevenly it came. A process has the rate asked for only on
//! average; what a server met is this.

use benchhost_model::Nanos;

/// Figures of the arrivals that came. Missing where there are too few to tell.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Realised {
    /// Arrivals.
    pub count: u64,
    /// Gaps a second: arrivals but one, over the time from the first to the last.
    pub rate: Option<f64>,
    /// Standard deviation of the gaps over their mean: 0 for equal gaps, about 1 for a Poisson process.
    pub cv: Option<f64>,
    /// Variance of the counts in spans of 1 s over their mean (index of dispersion): about 1 for a Poisson process.
    pub idc_1s: Option<f64>,
    /// The same for 10 s. Where this is larger than for 1 s, bursts last longer than a second.
    pub idc_10s: Option<f64>,
}

/// Fewer whole spans than this say nothing about a variance.
const FEWEST_SPANS: u64 = 10;

/// The figures of `arrivals`, which do not fall.
pub fn realised(arrivals: &[Nanos]) -> Realised {
    let (Some(first), Some(last)) = (arrivals.first(), arrivals.last()) else { return Realised::default() };
    let count = arrivals.len() as u64;
    let span = (*last - *first).as_secs();
    let gaps = || arrivals.windows(2).filter_map(|pair| Some((*pair.get(1)? - *pair.first()?).as_secs()));
    let mean = (span > 0.0).then(|| span / (count - 1) as f64);
    let cv = mean.filter(|_| count > 2).map(|mean| {
        let squares: f64 = gaps().map(|gap| (gap - mean).powi(2)).sum();
        (squares / (count - 2) as f64).sqrt() / mean
    });
    Realised {
        count,
        rate: mean.map(|mean| 1.0 / mean),
        cv,
        idc_1s: dispersion(arrivals, *first, *last, 1_000_000_000),
        idc_10s: dispersion(arrivals, *first, *last, 10_000_000_000),
    }
}

/// Over whole spans of `span` nanoseconds from the first arrival on.
fn dispersion(arrivals: &[Nanos], first: Nanos, last: Nanos, span: u64) -> Option<f64> {
    let spans = (last - first).get() / span;
    if spans < FEWEST_SPANS {
        return None;
    }
    let (mut sum, mut squares) = (0.0, 0.0);
    let mut add = |count: u64| {
        sum += count as f64;
        squares += (count as f64).powi(2);
    };
    let (mut at, mut inside) = (0, 0);
    for arrival in arrivals {
        let of = (*arrival - first).get() / span;
        if of >= spans {
            break;
        }
        // Spans without an arrival count as zero, which adds nothing to either sum.
        if of > at {
            add(std::mem::take(&mut inside));
            at = of;
        }
        inside += 1;
    }
    add(inside);
    let n = spans as f64;
    let mean = sum / n;
    Some((squares - n * mean * mean) / (n - 1.0) / mean)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::{Process, Profile, schedule};

    fn of(process: &str, rate: &str, seconds: u64) -> Realised {
        let (process, profile): (Process, Profile) = (process.parse().unwrap(), rate.parse().unwrap());
        let until = Nanos::new(seconds * 1_000_000_000);
        realised(&schedule(process, profile, 2).take_while(|at| *at < until).collect::<Vec<_>>())
    }

    #[test]
    fn equal_gaps_have_no_spread() {
        let even = of("constant", "10", 200);
        assert!((even.rate.unwrap() - 10.0).abs() < 1e-9 && even.cv.unwrap() < 1e-6, "{even:?}");
        assert!(even.idc_1s.unwrap().abs() < 1e-9 && even.idc_10s.unwrap().abs() < 1e-9);
    }

    #[test]
    fn a_poisson_process_has_a_dispersion_of_one_at_every_span() {
        let poisson = of("poisson", "50", 4000);
        // Four standard errors: sqrt(2 / (spans - 1)) of a dispersion, 1 / sqrt(gaps) of the rest.
        assert!((poisson.rate.unwrap() / 50.0 - 1.0).abs() < 4.0 / 2e5_f64.sqrt());
        assert!((poisson.cv.unwrap() - 1.0).abs() < 4.0 / 2e5_f64.sqrt());
        assert!((poisson.idc_1s.unwrap() - 1.0).abs() < 4.0 * (2.0 / 4000.0_f64).sqrt());
        assert!((poisson.idc_10s.unwrap() - 1.0).abs() < 4.0 * (2.0 / 400.0_f64).sqrt());
    }

    #[test]
    fn two_states_have_the_dispersion_of_their_formula() {
        // Variance of counts in t over their mean, for rates a, b with rates of leaving r, s: 1 + 2 (a - b)^2 r s /
        // ((r + s)^2 (a s + b r)) * (1 - (1 - e^-(r+s)t) / ((r + s) t)) (Fischer and Meier-Hellstern 1993).
        let (burst, calm, burst_s, calm_s) = (5.0, 0.5, 2.0, 8.0);
        let mean = (burst * burst_s + calm * calm_s) / (burst_s + calm_s) / 20.0;
        let (a, b, r, s) = (burst / mean, calm / mean, 1.0 / burst_s, 1.0 / calm_s);
        let expected = |t: f64| {
            let leave: f64 = r + s;
            1.0 + 2.0 * (a - b).powi(2) * r * s / (leave * leave * (a * s + b * r))
                * (1.0 - (1.0 - (-leave * t).exp()) / (leave * t))
        };
        let long = of("mmpp:burst=5,calm=0.5,burst-s=2,calm-s=8", "20", 60_000);
        for (seen, t) in [(long.idc_1s.unwrap(), 1.0), (long.idc_10s.unwrap(), 10.0)] {
            assert!((seen / expected(t) - 1.0).abs() < 0.1, "{t} s: {seen}, expected {}", expected(t));
        }
    }

    #[test]
    fn too_few_arrivals_say_nothing() {
        assert_eq!(realised(&[]), Realised::default());
        assert_eq!(realised(&[Nanos::new(5)]), Realised { count: 1, ..Realised::default() });
        let together = realised(&[Nanos::new(5), Nanos::new(5), Nanos::new(5)]);
        assert_eq!((together.count, together.rate, together.cv), (3, None, None));
        let short = of("poisson", "50", 9);
        assert!(short.idc_1s.is_none() && short.idc_10s.is_none() && short.cv.is_some());
    }
}
