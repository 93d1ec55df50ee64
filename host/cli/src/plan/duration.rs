//! Spans as people write them: `500ms`, `10s`, `2m`, `1h`.

use std::time::Duration;

/// Parses a span with its unit; the error says what is accepted.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
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
    let total = value * seconds;
    if total.is_finite() && total > 0.0 && total <= 7.0 * 86_400.0 {
        Ok(Duration::from_secs_f64(total))
    } else {
        Err(format!("`{text}` is not between 0 and 7 days"))
    }
}

/// The shortest form that [`parse`] reads back.
pub(super) fn format(span: Duration) -> String {
    if span.subsec_millis() == 0 && span.as_secs() > 0 {
        format!("{}s", span.as_secs())
    } else {
        format!("{}ms", span.as_millis())
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
        for bad in ["10", "s", "-1s", "0s", "1e9h", "5 apples"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
