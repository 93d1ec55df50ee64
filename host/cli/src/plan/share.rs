//! Shares as people write them: `95%` or `0.95`.

/// Above 0 and at most 1; the error says what is accepted.
pub(super) fn parse(text: &str) -> Result<f64, String> {
    let text = text.trim();
    let (number, whole) = text.strip_suffix('%').map_or((text, 1.0), |n| (n, 100.0));
    let value = number.trim().parse::<f64>().ok().map(|v| v / whole);
    value
        .filter(|v| *v > 0.0 && *v <= 1.0)
        .ok_or_else(|| format!("`{text}` is not a share; write `95%` or `0.95`, above 0 and at most 1"))
}

/// As a percentage that [`parse`] reads back.
pub(super) fn format(share: f64) -> String {
    // A share of 0.07 times 100 is not 7: the shortest decimal that reads back is looked for.
    let percent = share * 100.0;
    let short =
        (0..=12).map(|digits| format!("{percent:.digits$}")).find(|t| parse(&format!("{t}%")) == Ok(share));
    short.map_or_else(|| share.to_string(), |t| format!("{t}%"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_read_back_exactly() {
        for share in [0.95, 0.07, 1.0, 0.001, 1.0 / 3.0, 0.999, 1e-9] {
            assert_eq!(parse(&format(share)), Ok(share), "{}", format(share));
        }
        assert_eq!(format(0.07), "7%");
        assert_eq!(parse("5%"), Ok(0.05));
        for bad in ["", "%", "0", "-5%", "1.5", "101%", "NaN", "inf", "five"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
