//! The tally of failed calls: every kind once, with a count, the number of kinds bounded.
//!
//! It must not decide what a failure means for the samples.

use serde::Serialize;

/// Kinds of errors that are kept; later kinds are only counted.
const MAX_KINDS: usize = 16;

/// One kind of failed call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SamplerError {
    /// What was asked for, for example `energy`.
    pub call: &'static str,
    /// The GPU that failed first; `None` for calls that concern no single GPU.
    pub gpu: Option<u32>,
    /// The driver's answer, on one line.
    pub message: String,
    /// How many calls failed this way, on all GPUs.
    pub count: u64,
}

/// Failed calls, grouped by call and message.
#[derive(Debug, Default)]
pub(super) struct Tally {
    kinds: Vec<SamplerError>,
    left_out: u64,
}

impl Tally {
    /// Counts one failure.
    pub(super) fn note(&mut self, call: &'static str, gpu: Option<u32>, message: &str) {
        let message = one_line(message);
        if let Some(known) = self.kinds.iter_mut().find(|kind| kind.call == call && kind.message == message) {
            known.count += 1;
        } else if self.kinds.len() < MAX_KINDS {
            self.kinds.push(SamplerError { call, gpu, message, count: 1 });
        } else {
            self.left_out += 1;
        }
    }

    /// The kinds in the order of their first occurrence, and how many failures of other kinds there were.
    pub(super) fn into_parts(self) -> (Vec<SamplerError>, u64) {
        (self.kinds, self.left_out)
    }
}

/// A message from the driver or the loader on one line of bounded length.
pub(super) fn one_line(message: &str) -> String {
    crate::procfile::fact(message).unwrap_or_else(|| "no message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_listed_once_with_its_count() {
        let mut tally = Tally::default();
        tally.note("energy", Some(0), "not supported");
        tally.note("energy", Some(1), "not supported");
        tally.note("power", Some(1), "two\nlines");
        let (kinds, left_out) = tally.into_parts();
        assert_eq!(kinds.len(), 2);
        assert_eq!((kinds[0].gpu, kinds[0].count), (Some(0), 2));
        assert_eq!(kinds[1].message, "two lines");
        assert_eq!(left_out, 0);
    }

    #[test]
    fn the_number_of_kinds_is_bounded_and_the_rest_counted() {
        let mut tally = Tally::default();
        for code in 0..100 {
            tally.note("power", None, &format!("code {code}"));
        }
        let (kinds, left_out) = tally.into_parts();
        assert_eq!((kinds.len(), left_out), (MAX_KINDS, 100 - MAX_KINDS as u64));
    }
}
