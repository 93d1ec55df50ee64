//! Numbers for people: the one place where a figure becomes digits. Three significant digits, separators to 99,999, then
//! k, M, G, T; never a digit the reader has to count zeros for. Knows nothing of what a number means.

/// What stands where the data cannot support a figure.
pub(crate) const NOTHING: &str = "–";

/// Minus of the same width as plus, unlike the hyphen.
const MINUS: char = '−';

/// A figure with three significant digits, integers below 100,000 in full: `0.0123`, `1.23`, `59.0`, `4,164`, `123k`.
/// Anything that is not finite is [`NOTHING`].
pub(crate) fn figure(value: f64) -> String {
    if !value.is_finite() {
        return NOTHING.to_owned();
    }
    let size = value.abs();
    let text = if size == 0.0 {
        "0".to_owned()
    } else if !(0.000_095..999.5e12).contains(&size) {
        format!("{size:.1e}")
    } else if size < 99_999.5 {
        let whole = size.log10().floor();
        // 9.996 has three digits as 10.0, not as 10.00.
        let rounded_up = size >= 10_f64.powf(whole + 1.0) - 0.5 * 10_f64.powf(whole - 2.0);
        fixed(size, decimals(whole + f64::from(u8::from(rounded_up))))
    } else {
        scaled(size)
    };
    if value < 0.0 { format!("{MINUS}{text}") } else { text }
}

/// Decimals that show three significant digits of a number whose first digit is at 10^`whole`.
fn decimals(whole: f64) -> usize {
    (0..=6).find(|&d| f64::from(d) >= 2.0 - whole).map_or(6, |d: u8| usize::from(d))
}

/// `123k`, `1.23M`, …
fn scaled(size: f64) -> String {
    let units = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];
    // A number that would round to `1000k` is `1.00M`.
    let (unit, letter) = units.into_iter().find(|(unit, _)| size >= unit * 0.9995).unwrap_or((1e3, "k"));
    let part = size / unit;
    let places = if part < 9.995 { 2 } else { usize::from(part < 99.95) };
    format!("{part:.places$}{letter}")
}

/// `value` with exactly `places` decimals and separators in the integer part.
fn fixed(value: f64, places: usize) -> String {
    let plain = format!("{value:.places$}");
    match plain.split_once('.') {
        Some((whole, part)) => format!("{}.{part}", separated(whole)),
        None => separated(&plain),
    }
}

/// How far a figure may be off, with the decimals that [`figure`] gives `value`: `±1.1`; one digit where those would say
/// nothing. `None` for what is not finite.
pub(crate) fn beside(value: f64, half: f64) -> Option<String> {
    if !value.is_finite() || !half.is_finite() {
        return None;
    }
    let shown = figure(value);
    if shown.contains(|c: char| c.is_ascii_alphabetic()) {
        return Some(format!("±{}", figure(half)));
    }
    let places = shown.split_once('.').map_or(0, |(_, part)| part.len());
    let text = fixed(half.abs(), places);
    let nothing = text.bytes().all(|b| matches!(b, b'0' | b'.'));
    if nothing && half != 0.0 {
        let digit = (1..=9).map(|more| format!("{:.*}", places + more, half.abs()));
        return digit
            .into_iter()
            .find(|t| t.bytes().any(|b| (b'1'..=b'9').contains(&b)))
            .map(|t| format!("±{t}"));
    }
    Some(format!("±{text}"))
}

fn separated(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count with separators, never shortened: `16,384`.
pub(crate) fn count(value: u64) -> String {
    separated(&value.to_string())
}

/// A share with its sign: `+12.3%`, `−4.0%`, `0.0%`.
pub(crate) fn percent(share: f64) -> String {
    let value = share * 100.0;
    if !value.is_finite() {
        return NOTHING.to_owned();
    }
    let size = if value.abs() < 999.95 { format!("{:.1}", value.abs()) } else { figure(value.abs()) };
    let sign = match size.as_str() {
        "0.0" => String::new(),
        _ if value < 0.0 => MINUS.to_string(),
        _ => "+".to_owned(),
    };
    format!("{sign}{size}%")
}

/// Differences of one row with their signs, all with the decimals that the largest needs: `+1.2`, `−0.1`, `0.0`.
pub(crate) fn changes(values: &[f64]) -> Vec<String> {
    let largest = values.iter().filter(|v| v.is_finite()).fold(0.0_f64, |a, v| a.max(v.abs()));
    let places = [1.0, 0.1, 0.01].iter().position(|bound| largest >= *bound).map_or(4, |at| at + 1);
    let places = if largest == 0.0 { 1 } else { places };
    let text = |value: f64| {
        if !value.is_finite() {
            return NOTHING.to_owned();
        }
        let size = value.abs();
        let size = if largest < 999.95 { format!("{size:.places$}") } else { figure(size) };
        let nothing = size.bytes().all(|b| matches!(b, b'0' | b'.'));
        let sign = if nothing { String::new() } else { if value < 0.0 { MINUS } else { '+' }.to_string() };
        format!("{sign}{size}")
    };
    values.iter().map(|v| text(*v)).collect()
}

/// Labels of evenly spaced `ticks`, with the decimals their step needs and one unit for all.
pub(crate) fn ticks(ticks: &[f64]) -> Vec<String> {
    let largest = ticks.iter().fold(0.0_f64, |a, t| a.max(t.abs()));
    let (unit, letter) = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")]
        .into_iter()
        .find(|(unit, _)| largest >= unit * 100.0 || (*unit > 1e3 && largest >= *unit))
        .unwrap_or((1.0, ""));
    let step = ticks.windows(2).map(|w| w[1] - w[0]).fold(f64::INFINITY, f64::min) / unit;
    let places = (0..=4).find(|&d| {
        let shifted = step * 10_f64.powi(d);
        shifted > 0.5 && (shifted - shifted.round()).abs() < 1e-6 * shifted
    });
    let Some(places) = places.filter(|_| largest < 999.5e12).and_then(|d| usize::try_from(d).ok()) else {
        return ticks.iter().map(|t| if *t == 0.0 { "0".to_owned() } else { figure(*t) }).collect();
    };
    ticks
        .iter()
        .map(|t| {
            let sign = if *t < 0.0 { MINUS.to_string() } else { String::new() };
            let letter = if *t == 0.0 { "" } else { letter };
            format!("{sign}{}{letter}", fixed(t.abs() / unit, if *t == 0.0 { 0 } else { places }))
        })
        .collect()
}

/// A load's value or another number the user wrote: all its digits, with separators.
pub(crate) fn exact(value: f64) -> String {
    if !value.is_finite() || value.abs() >= 1e15 {
        return figure(value);
    }
    let plain = value.abs().to_string();
    let text = match plain.split_once('.') {
        Some((whole, part)) => format!("{}.{part}", separated(whole)),
        None => separated(&plain),
    };
    if value < 0.0 { format!("{MINUS}{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_beside_a_figure_has_its_decimals() {
        let cases = [
            (182.4, 3.1, "±3"),
            (22.0, 1.13, "±1.1"),
            (6.29, 0.052, "±0.05"),
            (1044.0, 1203.4, "±1,203"),
            (6.29, 0.0004, "±0.0004"),
            (6.29, 0.0, "±0.00"),
            (123_456.0, 1500.0, "±1,500"),
        ];
        for (value, half, text) in cases {
            assert_eq!(beside(value, half).as_deref(), Some(text), "{value} {half}");
        }
        assert_eq!(beside(1.0, f64::INFINITY), None);
    }

    #[test]
    fn figures_keep_three_digits_and_full_integers() {
        let cases = [
            (0.0, "0"),
            (0.000_01, "1.0e-5"),
            (0.0123, "0.0123"),
            (0.5, "0.500"),
            (1.0, "1.00"),
            (9.994, "9.99"),
            (9.996, "10.0"),
            (0.9996, "1.00"),
            (59.04, "59.0"),
            (99.96, "100"),
            (4164.4, "4,164"),
            (99_999.0, "99,999"),
            (99_999.7, "100k"),
            (123_456.0, "123k"),
            (999_600.0, "1.00M"),
            (1_234_567.0, "1.23M"),
            (3.2e13, "32.0T"),
            (1e18, "1.0e18"),
            (-12.34, "−12.3"),
            (f64::NAN, "–"),
            (f64::INFINITY, "–"),
        ];
        for (value, text) in cases {
            assert_eq!(figure(value), text, "{value}");
        }
    }

    #[test]
    fn no_figure_is_wider_than_eight_characters() {
        for exponent in -320..=308 {
            for digits in [1.0, 1.234_567, 9.995, 9.9999] {
                let text = figure(digits * 10_f64.powi(exponent));
                assert!(text.chars().count() <= 8, "{text}");
            }
        }
    }

    #[test]
    fn percentages_carry_their_sign() {
        assert_eq!(percent(0.123), "+12.3%");
        assert_eq!(percent(-0.04), "−4.0%");
        assert_eq!(percent(-0.0001), "0.0%");
        assert_eq!(percent(12.5), "+1,250%");
    }

    #[test]
    fn differences_carry_their_sign_and_share_their_decimals() {
        assert_eq!(changes(&[1.24, -0.1, 2.4]), ["+1.2", "−0.1", "+2.4"]);
        assert_eq!(changes(&[0.031, -0.004]), ["+0.031", "−0.004"]);
        assert_eq!(changes(&[0.0, 0.0]), ["0.0", "0.0"]);
        assert_eq!(changes(&[0.12, 0.0, f64::NAN]), ["+0.12", "0.00", "–"]);
        assert_eq!(changes(&[-123_456.0]), ["−123k"]);
    }

    #[test]
    fn ticks_share_a_unit_and_the_decimals_of_their_step() {
        assert_eq!(ticks(&[0.0, 2.5, 5.0]), ["0", "2.5", "5.0"]);
        assert_eq!(ticks(&[0.0, 2000.0, 4000.0]), ["0", "2,000", "4,000"]);
        assert_eq!(ticks(&[0.0, 250_000.0, 500_000.0]), ["0", "250k", "500k"]);
        assert_eq!(ticks(&[0.0, 500_000.0, 1_000_000.0]), ["0", "0.5M", "1.0M"]);
        assert_eq!(ticks(&[-0.5, 0.0, 0.5]), ["−0.5", "0", "0.5"]);
        assert_eq!(ticks(&[0.0, 0.000_02, 0.000_04]), ["0", "2.0e-5", "4.0e-5"]);
    }

    #[test]
    fn numbers_the_user_wrote_keep_their_digits() {
        assert_eq!(exact(16384.0), "16,384");
        assert_eq!(exact(0.25), "0.25");
        assert_eq!(exact(1024.5), "1,024.5");
    }

    #[test]
    fn counts_are_never_shortened() {
        assert_eq!(count(0), "0");
        assert_eq!(count(16_384), "16,384");
        assert_eq!(count(1_000_000), "1,000,000");
    }
}
