//! Moments as trace files write them, in whole nanoseconds: decimal seconds, or a date and a time of day. Digits beyond the
//! ninth decimal are cut. Must not know files or formats.

const SECOND: i64 = 1_000_000_000;

/// Nanoseconds of a decimal number of seconds, such as `12`, `0.0371` or `1700000000.25`. No exponent.
pub(crate) fn seconds(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let whole: i64 = if whole.is_empty() { 0 } else { number(whole)? };
    let nanos = whole.checked_mul(SECOND)?.checked_add(decimals(fraction)?)?;
    Some(if negative { -nanos } else { nanos })
}

/// Nanoseconds since 1970 of a date and time after ISO 8601: `2023-11-16 18:17:03.9799600`, with a space or a `T`
/// between, and `Z` or an offset such as `+02:00` behind. Without an offset it is taken for UTC: only differences count.
pub(crate) fn date_time(text: &str) -> Option<i64> {
    let (date, rest) = (text.get(..10)?, text.get(10..)?);
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let (clock, offset_s) = match rest.find(['Z', 'z', '+', '-']) {
        Some(at) => (rest[..at].trim_end(), offset(&rest[at..])?),
        None => (rest, 0),
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let mut parts = clock.split(':');
    let (hour, minute, second) =
        (two(parts.next()?)?, two(parts.next()?)?, two(parts.next().unwrap_or("00"))?);
    // 60 is a leap second; it counts as the next minute's first.
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let of_day = hour * 3600 + minute * 60 + second - offset_s;
    days(date)?
        .checked_mul(86_400)?
        .checked_add(of_day)?
        .checked_mul(SECOND)?
        .checked_add(decimals(fraction)?)
}

/// Seconds east of UTC.
fn offset(text: &str) -> Option<i64> {
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return (text.len() == 1).then_some(0),
    };
    let digits: String = text[1..].chars().filter(|c| *c != ':').collect();
    let (hours, minutes) = match digits.len() {
        2 => (two(&digits)?, 0),
        4 => (two(&digits[..2])?, two(&digits[2..])?),
        _ => return None,
    };
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 3600 + minutes * 60))
}

/// Days since 1970-01-01 of `YYYY-MM-DD` in the proleptic Gregorian calendar: years counted from March, so that the leap
/// day is the last (Hinnant, "chrono-compatible low-level date algorithms").
fn days(date: &str) -> Option<i64> {
    let bytes = date.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let (year, month, day) = (number(&date[..4])?, two(&date[5..7])?, two(&date[8..])?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        _ => return None,
    };
    if !(1..=longest).contains(&day) {
        return None;
    }
    let (years, months) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, of_era) = (years.div_euclid(400), years.rem_euclid(400));
    let of_year = (153 * months + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

fn decimals(fraction: &str) -> Option<i64> {
    if !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let digits = fraction.bytes().chain(std::iter::repeat(b'0')).take(9);
    Some(digits.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')))
}

fn two(text: &str) -> Option<i64> {
    if text.len() == 2 { number(text) } else { None }
}

/// Digits only: no sign, no blank.
fn number(text: &str) -> Option<i64> {
    if text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_keep_every_decimal_to_the_nanosecond() {
        for (text, nanos) in [
            ("0", 0),
            ("5", 5_000_000_000),
            ("0.000001", 1_000),
            (".5", 500_000_000),
            ("7.", 7_000_000_000),
            ("-1.25", -1_250_000_000),
            ("1700000000.123456789", 1_700_000_000_123_456_789),
            ("1.9999999999", 1_999_999_999),
        ] {
            assert_eq!(seconds(text), Some(nanos), "{text}");
        }
        for text in ["", ".", "-", "1e3", "1,5", " 1", "0x1", "nan", "1.2.3", "99999999999", "--1"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    #[test]
    fn dates_are_days_since_1970_with_leap_years() {
        for (date, day) in [
            ("1970-01-01", 0),
            ("1970-03-01", 59),
            ("2000-02-29", 11_016),
            ("2023-11-16", 19_677),
            ("1969-12-31", -1),
            ("2100-03-01", 47_541),
        ] {
            assert_eq!(days(date), Some(day), "{date}");
        }
        for date in
            ["2023-02-29", "2100-02-29", "2023-13-01", "2023-00-10", "2023-04-31", "2023/04/01", "23-1-1"]
        {
            assert_eq!(days(date), None, "{date}");
        }
    }

    #[test]
    fn times_of_day_have_fractions_and_offsets() {
        let base = date_time("2023-11-16 18:17:03").unwrap();
        assert_eq!(date_time("2023-11-16 18:17:03.9799600"), Some(base + 979_960_000));
        assert_eq!(date_time("2023-11-16T18:17:03Z"), Some(base));
        assert_eq!(date_time("2023-11-16T20:17:03+02:00"), Some(base));
        assert_eq!(date_time("2023-11-16T13:47:03.5-0430"), Some(base + 500_000_000));
        assert_eq!(date_time("2023-11-16 18:17:03+00"), Some(base));
        assert_eq!(date_time("2023-11-16 18:17"), Some(base - 3_000_000_000));
        for text in [
            "",
            "2023-11-16",
            "2023-11-16 18",
            "2023-11-16 24:00:00",
            "2023-11-16 18:60:00",
            "2023-11-16 18:17:03.5x",
            "2023-11-16 18:17:03Zz",
            "2023-11-16 18:17:03+2",
            "2023-11-16 18:17:03:00",
            "2023-11-16 -1:17:03",
            "2023-11-1é 18:17:03",
            "9999-12-31 23:59:59",
        ] {
            assert_eq!(date_time(text), None, "{text}");
        }
    }
}
