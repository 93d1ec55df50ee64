//! What adapters read out of events and metrics.

use benchhost_model::{Closing, Meaning};

use crate::check::names::quoted;
use crate::check::{Checked, ensure, json};
use crate::gauges::GAUGES;

/// Choices of one answer; servers allow 128.
const CHOICES: u32 = 1024;
/// Gauges of one body.
const MOST_GAUGES: usize = 256;

/// Checks one meaning.
pub(crate) fn meaning(meaning: &Meaning) -> Checked {
    ensure(meaning.choice < CHOICES, || format!("choice {} is above {}", meaning.choice, CHOICES - 1))?;
    json("timings", &meaning.timings)?;
    json("extra", &meaning.extra)
}

/// Checks the end of a decoding.
pub(crate) fn closing(closing: &Closing) -> Checked {
    closing.last.as_ref().map_or(Ok(()), meaning)
}

/// Checks the figures of a metrics body.
pub(crate) fn gauges(gauges: &[(String, f64)]) -> Checked {
    ensure(gauges.len() <= MOST_GAUGES, || format!("there are more than {MOST_GAUGES} gauges"))?;
    for (name, value) in gauges {
        ensure(GAUGES.contains(&name.as_str()), || format!("gauge {} is not in `gauges.md`", quoted(name)))?;
        ensure(value.is_finite(), || format!("gauge {} is {value}", quoted(name)))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gauges_are_known_and_finite() {
        let gauge = |name: &str, value| vec![(name.to_owned(), value)];
        assert_eq!(gauges(&gauge("running", 3.0)), Ok(()));
        assert!(gauges(&gauge("speed", 3.0)).unwrap_err().contains("`speed` is not in `gauges.md`"));
        assert!(gauges(&gauge("running", f64::NAN)).unwrap_err().contains("is NaN"));
        assert!(gauges(&gauge("running", f64::INFINITY)).unwrap_err().contains("is inf"));
    }

    #[test]
    fn room_to_grow_is_json() {
        assert_eq!(meaning(&Meaning { extra: r#"{"a":1}"#.into(), ..Meaning::default() }), Ok(()));
        let bad = Meaning { timings: "{".into(), ..Meaning::default() };
        assert!(meaning(&bad).unwrap_err().contains("timings is not JSON"));
        let last = Closing { whole: true, last: Some(Meaning { choice: u32::MAX, ..Meaning::default() }) };
        assert!(closing(&last).unwrap_err().contains("choice 4294967295"));
    }
}
