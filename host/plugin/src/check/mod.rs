//! The rules of the contract that types cannot carry. Every function takes what a plugin answered and says in one
//! sentence what is wrong with it. Nothing here knows WebAssembly.

pub(crate) mod description;
pub(crate) mod item;
pub(crate) mod meaning;
pub(crate) mod names;
pub(crate) mod probe;
pub(crate) mod request;

/// The result of a check: nothing, or what is wrong.
pub(crate) type Checked = Result<(), String>;

/// Fails with `problem` unless `holds`.
pub(crate) fn ensure(holds: bool, problem: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(problem()) }
}

/// JSON text, or nothing at all.
pub(crate) fn json(what: &str, text: &str) -> Checked {
    if text.is_empty() {
        return Ok(());
    }
    match serde_json::from_str::<serde::de::IgnoredAny>(text) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("{what} is not JSON: {error}")),
    }
}
