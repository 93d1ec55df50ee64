//! Books the numbers of one foreign run: each key is either one of our figures or left out for a reason; none is simply
//! forgotten.

use serde_json::{Map, Value};

use crate::figure::{Figure, ImportedRun, Statistic, Unmapped};

/// A foreign object, and the run it becomes.
pub(super) struct Ledger<'a> {
    fields: &'a Map<String, Value>,
    pub(super) run: ImportedRun,
}

impl<'a> Ledger<'a> {
    pub(super) fn new(fields: &'a Map<String, Value>) -> Self {
        Self { fields, run: ImportedRun::blank() }
    }

    /// A number; absent and null are none, and so is what is not finite.
    pub(super) fn number(&self, key: &str) -> Option<f64> {
        self.fields.get(key).and_then(number)
    }

    /// A text; absent is empty.
    pub(super) fn text(&self, key: &str) -> String {
        self.fields.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// Books `value` (of their key `theirs`, times `scale`) as ours; nothing when there is no value.
    pub(super) fn book(
        &mut self,
        (metric, statistic): (&'static str, Statistic),
        theirs: impl Into<String>,
        value: Option<f64>,
        scale: f64,
        note: Option<&'static str>,
    ) {
        if let Some(value) = value.filter(|v| v.is_finite()) {
            let figure = Figure { metric, statistic, value: value * scale, theirs: theirs.into(), note };
            self.run.figures.push(figure);
        }
    }

    /// Books a key of the object itself.
    pub(super) fn book_key(&mut self, metric: &'static str, key: &str, note: Option<&'static str>) {
        let value = self.number(key);
        self.book((metric, Statistic::Total), key, value, 1.0, note);
    }

    /// Says why a key that is there is none of ours.
    pub(super) fn leave(&mut self, key: &str, why: &'static str) {
        if self.fields.get(key).is_some_and(|v| !v.is_null()) {
            self.run.unmapped.push(Unmapped { theirs: key.to_owned(), why });
        }
    }
}

/// A finite number, also one written as a string.
pub(super) fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(n) => n.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.filter(|n| n.is_finite())
}

/// A count that is a whole number from 0 on.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to lie in the range of u32"
)]
pub(super) fn count(value: f64) -> Option<u32> {
    (value >= 0.0 && value <= f64::from(u32::MAX) && value.fract() == 0.0).then_some(value as u32)
}

/// Seconds from some zero as nanoseconds from `zero`; what lies before it is `None`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be within a century")]
pub(super) fn nanos_since(zero: f64, seconds: f64) -> Option<benchhost_model::Nanos> {
    let ns = (seconds - zero) * 1e9;
    (ns.is_finite() && (0.0..3e18).contains(&ns)).then(|| benchhost_model::Nanos::new(ns.round() as u64))
}
