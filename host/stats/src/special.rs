//! Special functions the distributions need. Private: nothing here checks its arguments.
//!
//! Written here because three functions do not justify a dependency.

/// Natural logarithm of Γ(x), x > 0. Stirling's series (DLMF 5.11.1) after shifting x above 10 by Γ(x+1) = xΓ(x).
pub(crate) fn ln_gamma(x: f64) -> f64 {
    let (mut shifted, mut product) = (x, 1.0);
    while shifted < 10.0 {
        product *= shifted;
        shifted += 1.0;
    }
    // B_2k / (2k (2k−1)) for k = 1..6; the first omitted term is below 1e-15 for x ≥ 10.
    let coefficients = [
        1.0 / 12.0,
        -1.0 / 360.0,
        1.0 / 1260.0,
        -1.0 / 1680.0,
        1.0 / 1188.0,
        -691.0 / 360_360.0,
        1.0 / 156.0,
    ];
    let inverse_square = shifted.powi(-2);
    let series =
        coefficients.iter().rev().fold(0.0, |sum, coefficient| sum * inverse_square + coefficient) / shifted;
    let half_ln_two_pi = 0.5 * std::f64::consts::TAU.ln();
    (shifted - 0.5) * shifted.ln() - shifted + half_ln_two_pi + series - product.ln()
}

/// Regularised incomplete beta function `I_x(a, b)`, a and b > 0, 0 ≤ x ≤ 1 (DLMF 8.17).
pub(crate) fn beta_inc(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    // The continued fraction converges fast below the mean of the distribution; above it, use DLMF 8.17.4.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - beta_inc_fraction(1.0 - x, b, a);
    }
    beta_inc_fraction(x, a, b)
}

/// DLMF 8.17.22, evaluated by the modified Lentz method.
fn beta_inc_fraction(x: f64, a: f64, b: f64) -> f64 {
    const TINY: f64 = 1e-300;
    // Convergence takes about sqrt(max(a, b)) terms; the bound only guards against an endless loop.
    const MAX_TERMS: u32 = 100_000;
    let ln_front = a * x.ln() + b * (-x).ln_1p() + ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b);
    let away_from_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let (mut value, mut numerator, mut denominator) = (1.0, 1.0, 0.0);
    let mut step = |coefficient: f64| {
        denominator = 1.0 / away_from_zero(1.0 + coefficient * denominator);
        numerator = away_from_zero(1.0 + coefficient / numerator);
        let change = numerator * denominator;
        value *= change;
        ((change - 1.0).abs(), value)
    };
    let (mut term, mut fraction) = (0_u32, 1.0);
    while term < MAX_TERMS {
        let m = f64::from(term);
        if term > 0 {
            step(m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m)));
        }
        let (change, latest) = step(-(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0)));
        fraction = latest;
        if change < 1e-15 {
            break;
        }
        term += 1;
    }
    (ln_front.exp() / (a * fraction)).clamp(0.0, 1.0)
}

/// Finds where the rising function `f` crosses zero between `low` and `high`, to the last bits of f64.
pub(crate) fn bisect(mut low: f64, mut high: f64, f: impl Fn(f64) -> f64) -> f64 {
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if f(middle) < 0.0 { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(got: f64, want: f64, tolerance: f64) {
        assert!((got - want).abs() <= tolerance * want.abs().max(1.0), "got {got}, want {want}");
    }

    #[test]
    fn ln_gamma_meets_factorials_and_the_half() {
        close(ln_gamma(1.0), 0.0, 1e-14);
        close(ln_gamma(0.5), 0.5 * std::f64::consts::PI.ln(), 1e-14);
        let mut factorial = 1.0_f64;
        for n in 1..30 {
            factorial *= f64::from(n);
            close(ln_gamma(f64::from(n) + 1.0), factorial.ln(), 2e-14);
        }
    }

    #[test]
    fn beta_inc_meets_closed_forms() {
        for x in [0.0, 1e-9, 0.1, 0.37, 0.5, 0.9, 0.999_999, 1.0_f64] {
            close(beta_inc(x, 1.0, 1.0), x, 1e-14);
            close(beta_inc(x, 3.0, 1.0), x.powi(3), 1e-14);
            close(beta_inc(x, 2.0, 2.0), x * x * (3.0 - 2.0 * x), 1e-14);
            close(beta_inc(x, 0.5, 0.5), std::f64::consts::FRAC_2_PI * x.sqrt().asin(), 1e-13);
            close(beta_inc(x, 7.5, 2.25) + beta_inc(1.0 - x, 2.25, 7.5), 1.0, 1e-13);
        }
    }

    #[test]
    fn beta_inc_meets_a_binomial_sum_with_many_trials() {
        // P(Bin(10000, 0.99) >= 9900) = I_0.99(9900, 101), summed term by term in logarithms.
        let (n, p) = (10_000.0, 0.99_f64);
        let term = |k: f64| {
            (ln_gamma(n + 1.0) - ln_gamma(k + 1.0) - ln_gamma(n - k + 1.0)
                + k * p.ln()
                + (n - k) * (1.0 - p).ln())
            .exp()
        };
        let sum: f64 = (9900..=10_000).map(|k| term(f64::from(k))).sum();
        close(beta_inc(p, 9900.0, 101.0), sum, 1e-9);
    }
}
