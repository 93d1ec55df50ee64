//! Spans as people write them: `500ms`, `10s`, `2m`, `1h`.

use std::time::Duration;

/// Nothing a plan waits for is shorter.
const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_hours(7 * 24);

/// Parses a span with its unit, from 1 ms to 7 days; the error says what is accepted.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    Some(spelled(text)?)
        .filter(|span| (SHORTEST..=LONGEST).contains(span))
        .ok_or_else(|| format!("`{}` is not between 1 ms and 7 days", text.trim()))
}

/// As [`parse`], for spans that are compared and not waited for: down to a nanosecond.
pub(super) fn parse_bound(text: &str) -> Result<Duration, String> {
    Some(spelled(text)?)
        .filter(|span| !span.is_zero() && *span <= LONGEST)
        .ok_or_else(|| format!("`{}` is not above 0 and at most 7 days", text.trim()))
}

fn spelled(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let seconds = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(format!("`{text}` is not a span of time; write `500ms`, `10s`, `2m` or `1h`")),
    };
    let value: f64 = number.trim().parse().map_err(|_| format!("`{text}` does not begin with a number"))?;
    Duration::try_from_secs_f64(value * seconds)
        .map_err(|_| format!("`{text}` is not between 1 ms and 7 days"))
}

/// The shortest form that [`parse`] reads back to the nanosecond.
pub(super) fn format(span: Duration) -> String {
    if span.subsec_nanos() == 0 && span.as_secs() > 0 {
        return format!("{}s", span.as_secs());
    }
    let below = format!("{:06}", span.subsec_nanos() % 1_000_000);
    match below.trim_end_matches('0') {
        "" => format!("{}ms", span.as_millis()),
        digits => format!("{}.{digits}ms", span.as_millis()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_required_and_read_back() {
        assert_eq!(parse("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(parse("2m").map(format), Ok("120s".into()));
        assert_eq!(parse("250ms").map(format), Ok("250ms".into()));
        for bad in ["10", "s", "-1s", "0s", "1e9h", "5 apples", "NaNs", "0.4ms", "0.0000001s", "169h"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_written_reads_back_to_the_nanosecond() {
        for text in
            ["1ms", "1.5ms", "1.0004s", "0.1s", "0.0033s", "59.999999999s", "6.999h", "168h", "100.000001ms"]
        {
            let span = parse(text).unwrap();
            assert_eq!(parse(&format(span)), Ok(span), "{text} as {}", format(span));
        }
        assert_eq!(format(Duration::from_micros(1500)), "1.5ms");
    }
}
