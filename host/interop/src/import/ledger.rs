//! Books the numbers of one foreign run: each key is either one of our figures, a setting, or left out for a reason; none is
//! simply forgotten.

use std::cell::RefCell;
use std::collections::HashSet;

use serde_json::{Map, Value};

use super::doubt::Doubt;
use crate::figure::{Figure, ImportedRun, Statistic, Unmapped};

/// Why a figure is left out that no list here names.
const NOT_OURS: &str = "no figure of ours has its definition";

/// A foreign object, and the run it becomes.
pub(super) struct Ledger<'a> {
    fields: &'a Map<String, Value>,
    pub(super) doubt: &'a Doubt,
    /// Keys that were asked for.
    seen: RefCell<HashSet<String>>,
    pub(super) run: ImportedRun,
}

impl<'a> Ledger<'a> {
    pub(super) fn new(fields: &'a Map<String, Value>, doubt: &'a Doubt) -> Self {
        Self { fields, doubt, seen: RefCell::default(), run: ImportedRun::blank() }
    }

    /// The value of a key, which is thereby accounted for.
    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        let value = self.fields.get(key)?;
        if !self.seen.borrow().contains(key) {
            self.seen.borrow_mut().insert(key.to_owned());
        }
        Some(value)
    }

    /// An amount; absent and null are none.
    pub(super) fn number(&self, key: &str) -> Option<f64> {
        self.doubt.amount(key, self.get(key))
    }

    /// A whole number.
    pub(super) fn count(&self, key: &str) -> Option<u32> {
        self.doubt.count(key, self.get(key))
    }

    /// A text; absent is empty.
    pub(super) fn text(&self, key: &str) -> String {
        self.doubt.text(key, self.get(key)).to_owned()
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
        if let Some(value) = value {
            let figure = Figure { metric, statistic, value: value * scale, theirs: theirs.into(), note };
            self.run.figures.push(figure);
        }
    }

    /// Books a key of the object itself.
    pub(super) fn book_key(&mut self, metric: &'static str, key: &str, note: Option<&'static str>) {
        let value = self.number(key);
        self.book((metric, Statistic::Total), key, value, 1.0, note);
    }

    /// Accounts for every key that nobody asked for, in the file's order: what `why` explains, and what no setting
    /// explains but could be a figure.
    pub(super) fn account(&mut self, settings: &[&str], why: impl Fn(&str) -> Option<&'static str>) {
        for (key, value) in self.fields {
            let asked = self.seen.borrow().contains(key);
            if asked || value.is_null() || settings.contains(&key.as_str()) {
                continue;
            }
            // A text or a yes is never a figure, unless it is known to be one.
            let could_be = matches!(value, Value::Number(_) | Value::Array(_) | Value::Object(_));
            if let Some(why) = why(key).or_else(|| could_be.then_some(NOT_OURS)) {
                self.run.unmapped.push(Unmapped { theirs: key.clone(), why });
            }
        }
    }
}
