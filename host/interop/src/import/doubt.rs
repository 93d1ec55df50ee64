//! What a file says that cannot be: a text where a number belongs, a negative latency, a count of half a request. The
//! first such key is kept; whoever reads goes on as if it were absent and asks at the end.

use std::cell::RefCell;
use std::fmt::Display;

use serde_json::Value;

use super::InteropError;
use crate::figure::Tool;

/// More than any latency in milliseconds, rate or number of tokens can be; beyond it sums and nanoseconds overflow.
const MOST: f64 = 1e15;

/// Reads numbers of one file and keeps the first that cannot be.
pub(super) struct Doubt {
    tool: Tool,
    first: RefCell<Option<InteropError>>,
}

impl Doubt {
    pub(super) const fn new(tool: Tool) -> Self {
        Self { tool, first: RefCell::new(None) }
    }

    /// The tool whose file it is.
    pub(super) const fn tool(&self) -> Tool {
        self.tool
    }

    /// Notes that `key` cannot be what it is.
    pub(super) fn at(&self, key: impl Display, why: impl Into<String>) {
        self.first.borrow_mut().get_or_insert_with(|| InteropError::Wrong {
            tool: self.tool,
            key: key.to_string(),
            why: why.into(),
        });
    }

    /// What was read, unless something in it cannot be.
    pub(super) fn settle<T>(&self, read: T) -> Result<T, InteropError> {
        self.first.borrow_mut().take().map_or(Ok(read), Err)
    }

    /// A number from 0 on: a latency, a rate, a sum. Absent and null are none, and so is a text that says infinite.
    pub(super) fn amount(&self, key: impl Display, value: Option<&Value>) -> Option<f64> {
        let number = self.number(&key, value)?;
        if number < 0.0 {
            self.at(key, format!("it is {number}, and nothing of its kind is negative"));
        } else if number > MOST {
            self.at(key, format!("it is {number}, more than anything of its kind can be"));
        } else {
            return Some(number);
        }
        None
    }

    /// [`Doubt::amount`] where there must be one: in a list of numbers. Python's NaN has become null by then.
    pub(super) fn entry(&self, key: impl Display, value: &Value) -> Option<f64> {
        if value.is_null() {
            self.at(key, "it is null or not a number (NaN)");
            return None;
        }
        self.amount(key, Some(value))
    }

    /// A reading of some clock in seconds, of any sign.
    pub(super) fn stamp(&self, key: impl Display, value: Option<&Value>) -> Option<f64> {
        let number = self.number(&key, value)?;
        if number.abs() > MOST {
            self.at(key, format!("it is {number}, which is no time"));
            return None;
        }
        Some(number)
    }

    /// A whole number from 0 on.
    pub(super) fn count(&self, key: impl Display, value: Option<&Value>) -> Option<u32> {
        let number = self.amount(&key, value)?;
        let whole = whole(number);
        if whole.is_none() {
            self.at(key, format!("it is {number}, and a whole number up to {} was expected", u32::MAX));
        }
        whole
    }

    /// A list.
    pub(super) fn list<'v>(&self, key: impl Display, value: Option<&'v Value>) -> Option<&'v [Value]> {
        match value? {
            Value::Null => None,
            Value::Array(list) => Some(list),
            other => {
                self.at(key, format!("it is {}, and a list was expected", kind(other)));
                None
            }
        }
    }

    /// A text; absent and null are empty.
    pub(super) fn text<'v>(&self, key: impl Display, value: Option<&'v Value>) -> &'v str {
        match value {
            None | Some(Value::Null) => "",
            Some(Value::String(text)) => text,
            Some(other) => {
                self.at(key, format!("it is {}, and a text was expected", kind(other)));
                ""
            }
        }
    }

    fn number(&self, key: &impl Display, value: Option<&Value>) -> Option<f64> {
        let number = match value? {
            Value::Null => return None,
            Value::Number(n) => n.as_f64(),
            // `inf` for a rate without bound (vLLM bench), and numbers in quotes.
            Value::String(text) => text.trim().parse::<f64>().ok(),
            _ => None,
        };
        if number.is_none() {
            let found = value.map_or("nothing", kind);
            self.at(key, format!("it is {found}, and a number was expected"));
        }
        number.filter(|n| n.is_finite())
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to lie in the range of u32"
)]
fn whole(value: f64) -> Option<u32> {
    (value >= 0.0 && value <= f64::from(u32::MAX) && value.fract() == 0.0).then_some(value as u32)
}

/// Seconds from some zero as nanoseconds from `zero`; what lies before it, or ten years after it, is `None`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be within a decade")]
pub(super) fn nanos_since(zero: f64, seconds: f64) -> Option<benchhost_model::Nanos> {
    let ns = (seconds - zero) * 1e9;
    (ns.is_finite() && (0.0..3.2e17).contains(&ns)).then(|| benchhost_model::Nanos::new(ns.round() as u64))
}
