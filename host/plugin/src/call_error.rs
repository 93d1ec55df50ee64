//! Why one call of a plugin gave no usable answer. Knows how wasmtime says it; nobody else has to.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use benchhost_model::Refusal;
use wasmtime::Trap;

use crate::limits::Limits;
use crate::meter::Breach;
use crate::text::{bytes, one_line};

/// Longest text of a failure, in bytes.
const TEXT_BYTES: usize = 1 << 10;

/// A call that failed. Only this call: the next one meets a working instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallError {
    /// The plugin says that it cannot do it.
    Refused(Refusal),
    /// The plugin's code stopped: a panic, an access out of bounds, invalid UTF-8 in an answer.
    Trapped {
        /// The plugin.
        plugin: Arc<str>,
        /// The function that was called.
        function: &'static str,
        /// The cause.
        reason: String,
        /// What it logged last during this call.
        last_log: Option<String>,
    },
    /// The plugin passed a limit and was stopped.
    Limit {
        /// The plugin.
        plugin: Arc<str>,
        /// The function that was called.
        function: &'static str,
        /// Which limit.
        what: String,
        /// What it logged last during this call.
        last_log: Option<String>,
    },
    /// The plugin answered something that the contract forbids.
    Misbehaved {
        /// The plugin.
        plugin: Arc<str>,
        /// The function that was called.
        function: &'static str,
        /// What is wrong with the answer.
        what: String,
        /// What it logged last during this call.
        last_log: Option<String>,
    },
}

impl CallError {
    /// What the user can do.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Refused(Refusal::Internal(_)) | Self::Trapped { .. } | Self::Misbehaved { .. } => {
                "this is a bug in the plugin: report it to its author, or use another version of the plugin"
            }
            Self::Refused(_) => "change what the message names, or use another plugin",
            Self::Limit { .. } => {
                "the plugin needs more than it is allowed, or loops: report it to its author, or give it less data"
            }
        }
    }

    /// Reads an error of wasmtime.
    pub(crate) fn from_wasm(
        plugin: &Arc<str>,
        function: &'static str,
        error: &wasmtime::Error,
        last_log: Option<String>,
        limits: &Limits,
    ) -> Self {
        let plugin = Arc::clone(plugin);
        match limit(error, limits) {
            Some(what) => Self::Limit { plugin, function, what, last_log },
            None => Self::Trapped { plugin, function, reason: reason(error), last_log },
        }
    }
}

/// Which limit `error` is about, if it is about one.
fn limit(error: &wasmtime::Error, limits: &Limits) -> Option<String> {
    let breach = error.downcast_ref::<Breach>().or_else(|| error.chain().find_map(|e| e.downcast_ref()));
    if let Some(breach) = breach {
        return Some(breach.to_string());
    }
    if error.downcast_ref::<Trap>() == Some(&Trap::StackOverflow) {
        return Some("its stack".to_owned());
    }
    // wasmtime keeps this error's type to itself.
    let too_much = error.chain().any(|e| e.to_string().contains("fuel allocated for hostcalls"));
    too_much.then(|| format!("its limit of {} handed over at once", bytes(limits.answer_bytes as u64)))
}

fn reason(error: &wasmtime::Error) -> String {
    if let Some(trap) = error.downcast_ref::<Trap>() {
        return trap.to_string().trim_start_matches("wasm trap: ").to_owned();
    }
    chain(error)
}

/// The causes of `error` on one line, outermost first, without the backtrace and without repetition.
pub(crate) fn chain(error: &wasmtime::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    for cause in error.chain() {
        let text = cause.to_string();
        if !text.starts_with("error while executing at wasm backtrace") && parts.last() != Some(&text) {
            parts.push(text);
        }
    }
    one_line(&parts.join(": "), TEXT_BYTES)
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last_log = match self {
            Self::Refused(refusal) => return refusal.fmt(f),
            Self::Trapped { plugin, function, reason, last_log } => {
                write!(f, "plugin `{plugin}` trapped in `{function}`: {reason}")?;
                last_log
            }
            Self::Limit { plugin, function, what, last_log } => {
                write!(f, "plugin `{plugin}` passed {what} in `{function}`")?;
                last_log
            }
            Self::Misbehaved { plugin, function, what, last_log } => {
                write!(f, "plugin `{plugin}` answered `{function}` against the contract: {what}")?;
                last_log
            }
        };
        match last_log {
            Some(line) => write!(f, " (last logged: {})", one_line(line, TEXT_BYTES)),
            None => Ok(()),
        }
    }
}

impl StdError for CallError {}
