//! Every environment variable that benchhost reads, in one place.

#![expect(clippy::disallowed_methods, reason = "this is the place")]

use std::path::PathBuf;

/// Where compiled components are kept: `BENCHHOST_CACHE_DIR`, else the user's cache directory, else none.
pub(crate) fn cache_dir() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    set("BENCHHOST_CACHE_DIR")
        .or_else(|| set("XDG_CACHE_HOME").map(|d| d.join("benchhost")))
        .or_else(|| set("HOME").map(|d| d.join(".cache/benchhost")))
}

/// A user's secret, by the name the plan or the adapter gives. Empty counts as unset.
pub(crate) fn secret(name: &str) -> Option<String> {
    std::env::var(name).ok().map(|v| v.trim().to_owned()).filter(|v| !v.is_empty())
}

/// Another NVML library than the driver's: `BENCHHOST_NVML_LIBRARY`.
pub(crate) fn nvml_library() -> Option<PathBuf> {
    std::env::var_os("BENCHHOST_NVML_LIBRARY").filter(|v| !v.is_empty()).map(PathBuf::from)
}

/// `NO_COLOR` (<https://no-color.org>) is set to something.
pub(crate) fn no_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty())
}

/// `TERM` names a terminal without a cursor to move, or none.
pub(crate) fn dumb_terminal() -> bool {
    std::env::var_os("TERM").is_none_or(|v| v.is_empty() || v == "dumb")
}

/// Directories with further components, separated as in `PATH`: `BENCHHOST_PLUGIN_PATH`.
pub(crate) fn plugin_path() -> Vec<PathBuf> {
    std::env::var_os("BENCHHOST_PLUGIN_PATH").map(|v| std::env::split_paths(&v).collect()).unwrap_or_default()
}

/// What finding a compiler may look at: `CARGO_HOME` and `HOME`.
pub(crate) fn toolchain() -> impl Iterator<Item = (String, String)> {
    ["CARGO_HOME", "HOME"].into_iter().filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?)))
}
